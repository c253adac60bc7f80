/** Every kind of kernel as a function to call: loops over closures (see expression.ts), one point after the other. */
import type {
  Axis,
  GemmKernel,
  Kernel,
  LoopKernel,
  Reduction,
  ScanKernel,
  ScatterKernel,
  SortKernel,
  Stage,
  Store,
} from '../../kernel/kernel.ts'
import {
  type Binding,
  compileExprs,
  compileIndex,
  type Frame,
  invalid,
  newFrame,
  slotOf,
  type Value,
  write,
} from './expression.ts'

/** A kernel made ready: bind `frame.bindings`, then run; `size` is the extent of a flat kernel, else null. */
export interface Program {
  readonly frame: Frame
  run(size: number | null): void
}

/** The next stamp for a row: never given out twice, so that stamps of earlier launches need no clearing. */
let clock = 1

export function compileKernel(kernel: Kernel, title: string): Program {
  const frame = newFrame(title, kernel.buffers)
  const body = compileBody(kernel, frame)
  return {
    frame,
    run(size) {
      frame.firstRow = clock
      frame.failure = null
      body(size)
    },
  }
}

function compileBody(kernel: Kernel, frame: Frame): (size: number | null) => void {
  switch (kernel.kind) {
    case 'loops':
      return compileLoops(kernel, frame)
    case 'gemm':
      return compileGemm(kernel, frame)
    case 'scan':
      return compileScan(kernel, frame)
    case 'scatter':
      return compileScatter(kernel, frame)
    case 'sort':
      return compileSort(kernel, frame)
  }
}

/** Calls `body` at every point of the axes, the last axis fastest. */
function nest(axes: readonly Axis[], frame: Frame, body: () => void): () => void {
  let inner = body
  for (const { id, size } of axes.toReversed()) {
    const slot = slotOf(frame, id)
    const next = inner
    inner = () => {
      for (let i = 0; i < size; i++) {
        frame.variables[slot] = i
        next()
      }
    }
  }
  return inner
}

function newRow(frame: Frame): void {
  frame.row = clock++
  frame.point++
}

function compileLoops(kernel: LoopKernel, frame: Frame): (size: number | null) => void {
  for (const stage of kernel.stages) frame.results.push(stage.reductions.map(() => 0))
  if (!kernel.flat) {
    // The rows' slots are made before the stages', so that messages name the outer loops first.
    for (const axis of kernel.rows) slotOf(frame, axis.id)
    const stages = kernel.stages.map((stage, s) => compileStage(stage, frame, frame.results[s] as number[]))
    const rows = nest(kernel.rows, frame, () => {
      newRow(frame)
      for (const stage of stages) stage()
    })
    return (size) => {
      if (size !== null) throw invalid(frame, `is not flat, but was launched with the size ${size}`)
      rows()
    }
  }
  const [axis] = kernel.rows
  if (axis === undefined || kernel.rows.length !== 1)
    throw invalid(frame, 'is flat, but has not exactly one axis of rows')
  const slot = slotOf(frame, axis.id)
  const stages = kernel.stages.map((stage, s) => compileStage(stage, frame, frame.results[s] as number[]))
  return (size) => {
    if (size === null) throw invalid(frame, 'is flat, but was launched without a size')
    for (let i = 0; i < size; i++) {
      frame.variables[slot] = i
      newRow(frame)
      for (const stage of stages) stage()
    }
  }
}

function compileStage(stage: Stage, frame: Frame, results: number[]): () => void {
  for (const axis of stage.axes) slotOf(frame, axis.id)
  const values = compileExprs([...stage.reductions.map((r) => r.value), ...stage.stores.map((s) => s.value)], frame)
  const reductions = stage.reductions.map((r, slot) => compileReduction(r, values[slot] as Value, results, slot))
  const store = compileStores(stage.stores, values.slice(stage.reductions.length), frame)
  const points = nest(stage.axes, frame, () => {
    frame.point++
    for (const reduction of reductions) reduction.step()
    store()
  })
  return () => {
    for (const reduction of reductions) reduction.start()
    points()
  }
}

/** All values of a point are computed before the first is stored. */
function compileStores(stores: readonly Store[], values: readonly Value[], frame: Frame): () => void {
  const targets = stores.map((store) => {
    const use = frame.uses[store.buffer]
    if (use?.dtype !== store.value.dtype)
      throw invalid(frame, `stores ${store.value.dtype} in b${store.buffer}: ${use?.dtype}`)
    if (use.access === 'read') throw invalid(frame, `stores in b${store.buffer}, which it says it only reads`)
    return { buffer: store.buffer, index: compileIndex(store.index, frame) }
  })
  const pending = new Array<number>(stores.length).fill(0)
  return () => {
    for (let s = 0; s < values.length; s++) pending[s] = (values[s] as Value)()
    for (let s = 0; s < targets.length; s++) {
      const { buffer, index } = targets[s] as { buffer: number; index: Value }
      write(frame, buffer, index(), pending[s] as number)
    }
  }
}

interface Accumulator {
  start(): void
  step(): void
}

function compileReduction(reduction: Reduction, value: Value, results: number[], slot: number): Accumulator {
  const { op } = reduction
  const integer = reduction.value.dtype !== 'f32'
  switch (op) {
    case 'sum':
    case 'prod': {
      const combine = combiner(op, integer)
      return {
        start: () => {
          results[slot] = op === 'sum' ? 0 : 1
        },
        step: () => {
          results[slot] = combine(results[slot] as number, value())
        },
      }
    }
    case 'max':
      return {
        start: () => {
          results[slot] = integer ? -2147483648 : -Infinity
        },
        step: () => {
          results[slot] = Math.max(results[slot] as number, value())
        },
      }
    case 'min':
      return {
        start: () => {
          results[slot] = integer ? 2147483647 : Infinity
        },
        step: () => {
          results[slot] = Math.min(results[slot] as number, value())
        },
      }
    case 'argmax':
    case 'argmin': {
      let position = 0
      let best = Number.NaN
      return {
        start: () => {
          position = 0
          results[slot] = 0
        },
        step: () => {
          const x = value()
          const better = Number.isNaN(x) ? !Number.isNaN(best) : op === 'argmax' ? x > best : x < best
          if (position === 0 || better) {
            best = x
            results[slot] = position
          }
          position++
        },
      }
    }
  }
}

function combiner(op: 'sum' | 'prod', integer: boolean): (a: number, b: number) => number {
  if (op === 'sum') return integer ? (a, b) => (a + b) | 0 : (a, b) => a + b
  return integer ? Math.imul : (a, b) => a * b
}

/** Elements of `b` that are computed and held at once. */
const panelElements = 1 << 22

/**
 * The operands are computed once each (`b` in panels of columns) and multiplied from there. They must not depend on
 * what the kernel stores: reading such an element throws.
 */
function compileGemm(kernel: GemmKernel, frame: Frame): (size: number | null) => void {
  for (const axis of kernel.batch) slotOf(frame, axis.id)
  const [mSlot, nSlot, kSlot] = [slotOf(frame, kernel.m.id), slotOf(frame, kernel.n.id), slotOf(frame, kernel.k.id)]
  const [aValue] = compileExprs([kernel.a], frame) as [Value]
  const [bValue] = compileExprs([kernel.b], frame) as [Value]
  const store = compileStores(
    kernel.stores,
    compileExprs(
      kernel.stores.map((s) => s.value),
      frame,
    ),
    frame,
  )
  const [M, N, K] = [kernel.m.size, kernel.n.size, kernel.k.size]
  const width = Math.max(1, Math.min(N, Math.floor(panelElements / Math.max(K, 1))))
  const row = new Float64Array(K)
  const panel = new Float64Array(K * width)
  const sums = new Float64Array(width)
  const { variables } = frame
  const operand = (value: Value): number => {
    frame.point++
    return value()
  }
  const multiply = (): void => {
    for (let start = 0; start < N; start += width) {
      const columns = Math.min(width, N - start)
      frame.row = -1
      variables[mSlot] = 0
      for (let k = 0; k < K; k++) {
        variables[kSlot] = k
        for (let j = 0; j < columns; j++) {
          variables[nSlot] = start + j
          panel[k * columns + j] = operand(bValue)
        }
      }
      for (let m = 0; m < M; m++) {
        frame.row = -1
        variables[mSlot] = m
        variables[nSlot] = 0
        for (let k = 0; k < K; k++) {
          variables[kSlot] = k
          row[k] = operand(aValue)
        }
        sums.fill(0)
        for (let k = 0; k < K; k++) {
          const x = row[k] as number
          for (let j = 0; j < columns; j++) sums[j] = (sums[j] as number) + x * (panel[k * columns + j] as number)
        }
        variables[kSlot] = 0
        for (let j = 0; j < columns; j++) {
          variables[nSlot] = start + j
          newRow(frame)
          frame.tile = sums[j] as number
          store()
        }
      }
    }
  }
  return nest(kernel.batch, frame, multiply)
}

function compileScan(kernel: ScanKernel, frame: Frame): () => void {
  for (const axis of kernel.rows) slotOf(frame, axis.id)
  const [value] = compileExprs([kernel.value], frame) as [Value]
  const index = compileIndex(kernel.index, frame)
  const combine = combiner(kernel.op, kernel.value.dtype !== 'f32')
  let running = 0
  const steps = nest([kernel.axis], frame, () => {
    frame.point++
    running = combine(running, value())
    write(frame, kernel.buffer, index(), running)
  })
  return nest(kernel.rows, frame, () => {
    newRow(frame)
    running = kernel.op === 'sum' ? 0 : 1
    steps()
  })
}

function compileScatter(kernel: ScatterKernel, frame: Frame): () => void {
  const { buffer, stride } = kernel
  const integer = kernel.value.dtype !== 'f32'
  for (const axis of kernel.rows) slotOf(frame, axis.id)
  const [initial] = compileExprs([kernel.initial], frame) as [Value]
  const [position, value] = compileExprs([kernel.position, kernel.value], frame) as [Value, Value]
  const index = compileIndex(kernel.index, frame)
  const base = compileIndex(kernel.base, frame)
  const fill = nest([kernel.fill], frame, () => {
    frame.point++
    write(frame, buffer, index(), initial())
  })
  const add = nest([kernel.source], frame, () => {
    frame.point++
    const at = base() + stride * position()
    const { data, length } = frame.bindings[buffer] as Binding
    if (!(at >= 0 && at < length)) throw invalid(frame, `adds to b${buffer}[${at}], outside of its ${length} elements`)
    const sum = (data[at] as number) + value()
    write(frame, buffer, at, integer ? sum | 0 : sum)
  })
  return nest(kernel.rows, frame, () => {
    newRow(frame)
    fill()
    add()
  })
}

/** Numbers in order, NaN above all. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1
  if (Number.isNaN(b)) return -1
  return a < b ? -1 : a > b ? 1 : 0
}

function compileSort(kernel: SortKernel, frame: Frame): () => void {
  const { rows, length, descending } = kernel
  return () => {
    const [source, values, positions] = frame.bindings as [Binding, Binding, Binding]
    for (const [i, binding] of frame.bindings.entries()) {
      if (binding.length < rows * length)
        throw invalid(frame, `b${i} has ${binding.length} elements, not ${rows} × ${length}`)
    }
    for (let row = 0; row < rows; row++) {
      newRow(frame)
      const data = source.data.slice(row * length, (row + 1) * length)
      const order = Array.from(data, (_, i) => i)
      const at = (i: number): number => data[i] as number
      order.sort(descending ? (i, j) => compare(at(j), at(i)) : (i, j) => compare(at(i), at(j)))
      for (let i = 0; i < length; i++) {
        values.data[row * length + i] = at(order[i] as number)
        positions.data[row * length + i] = order[i] as number
      }
    }
  }
}
