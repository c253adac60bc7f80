/**
 * Packing: a panel of an operand, copied to [k][width] so that the micro-kernel reads it in order. Columns past the
 * operand's edge repeat the last one: what is computed from them is never stored.
 *
 * Vectors are read along the panel where elements lie one after another in that direction, along k (and turned by
 * shuffles) where they do in that one, and single elements else: decided for each panel by tables of runs.
 */
import type { Expr } from '../../kernel/expr.ts'
import type { Kind } from '../vector/code.ts'
import type { EvaluateBound } from '../vector/gemm-machine.ts'
import { isConstant, type Operand, type OperandLoad } from '../vector/gemm-operand.ts'
import type { WasmCode } from './code.ts'

const [dst, p, k, kEnd, tables, firstBase] = [0, 1, 2, 3, 4, 5]

interface Group {
  readonly first: number
  readonly width: 1 | 2 | 4
}

/** Emits a packing function (see `GemmMachine.pack`). */
export function emitPack(
  newFunction: (parameters: readonly Kind[]) => WasmCode,
  operand: Operand,
  width: number,
  evaluate: EvaluateBound,
): WasmCode {
  const f = newFunction(new Array<Kind>(firstBase + operand.loads.length).fill('int'))
  new PackEmitter(f, operand, width, evaluate).emit()
  return f
}

class PackEmitter {
  readonly f: WasmCode
  readonly operand: Operand
  readonly width: number
  readonly evaluate: EvaluateBound
  readonly groups: Group[] = []
  /** Addresses of the panel's columns at k = 0, for each load; one only where the load does not depend on p. */
  readonly pointers: number[][]
  readonly depthOffset: number[]
  /** Where to write, and k, in the loop that is being emitted. */
  readonly out: number
  readonly at: number

  constructor(f: WasmCode, operand: Operand, width: number, evaluate: EvaluateBound) {
    this.f = f
    this.operand = operand
    this.width = width
    this.evaluate = evaluate
    for (let first = 0; first < width; ) {
      const size = width - first >= 4 ? 4 : width - first >= 2 ? 2 : 1
      this.groups.push({ first, width: size })
      first += size
    }
    this.pointers = operand.loads.map((l) =>
      Array.from({ length: isConstant(l.along) ? 1 : width }, () => f.local('i32')),
    )
    this.depthOffset = operand.loads.map(() => f.local('i32'))
    this.out = f.local('i32')
    this.at = f.local('i32')
  }

  emit(): void {
    const { operand } = this
    this.setPointers()
    if (operand.direction === 'depth') this.depthLoop()
    else if (operand.direction === 'along') this.alongLoop()
    else {
      this.loop(() => {
        for (const group of this.groups) this.single(group)
      })
    }
  }

  /** Whole panels in one pass where they are a run, else group after group, each as a vector or by single elements. */
  private alongLoop(): void {
    const { f, operand } = this
    this.run(operand.alongRuns, p, 0)
    f.constant(this.width).i32('ge_s').if()
    this.loop(() => {
      for (const group of this.groups) this.vector(group, true)
    })
    f.else()
    for (const group of this.groups) {
      if (group.width === 1) {
        this.loop(() => this.single(group))
        continue
      }
      this.run(operand.alongRuns, p, group.first)
      f.constant(group.width).i32('ge_s').if()
      this.loop(() => this.vector(group, false))
      f.else()
      this.loop(() => this.single(group))
      f.end()
    }
    f.end()
  }

  private setPointers(): void {
    const { f, operand } = this
    const { along } = operand
    operand.loads.forEach((load, l) => {
      const pointers = this.pointers[l] as number[]
      pointers.forEach((pointer, j) => {
        f.get(firstBase + l)
        if (load.along.kind === 'table') {
          f.get(tables)
            .get(p)
            .constant(2)
            .i32('shl')
            .i32('add')
            .load('i32.load', (load.along.at + j) * 4)
            .i32('add')
        } else if (load.along.step !== 0) {
          const position = () => f.get(p).constant(j).i32('add')
          position()
          f.constant(along.size - 1)
          position()
          f.constant(along.size).i32('lt_s').select()
          f.constant(load.along.step).i32('mul').i32('add')
        }
        f.set(pointer)
      })
    })
  }

  /** The run that starts at a position (in a local) + `more`. */
  private run(table: number, position: number, more: number): void {
    const { f } = this
    f.get(tables)
      .get(position)
      .constant(2)
      .i32('shl')
      .i32('add')
      .load('i32.load', (table + more) * 4)
  }

  private start(): void {
    const { f, operand } = this
    f.get(dst).set(this.out).get(k).set(this.at)
    operand.loads.forEach(({ depth }, l) => {
      if (depth.kind === 'affine')
        f.get(k)
          .constant(depth.step)
          .i32('mul')
          .set(this.depthOffset[l] as number)
    })
  }

  private setDepthOffsets(): void {
    const { f, operand } = this
    operand.loads.forEach(({ depth }, l) => {
      if (depth.kind !== 'table') return
      f.get(tables)
        .get(this.at)
        .constant(2)
        .i32('shl')
        .i32('add')
        .load('i32.load', depth.at * 4)
      f.set(this.depthOffset[l] as number)
    })
  }

  private advance(steps: number): void {
    const { f, operand } = this
    f.get(this.out)
      .constant(steps * this.width * 4)
      .i32('add')
      .set(this.out)
    f.get(this.at).constant(steps).i32('add').set(this.at)
    operand.loads.forEach(({ depth }, l) => {
      if (depth.kind !== 'affine' || depth.step === 0) return
      const offset = this.depthOffset[l] as number
      f.get(offset)
        .constant(steps * depth.step)
        .i32('add')
        .set(offset)
    })
  }

  /** One pass over k, one k at a time. */
  private loop(body: () => void): void {
    const { f } = this
    this.start()
    const done = f.block()
    const again = f.loop()
    f.get(this.at).get(kEnd).i32('ge_s').brIf(done)
    this.setDepthOffsets()
    body()
    this.advance(1)
    f.br(again).end().end()
  }

  private address(l: number, column: number): void {
    const pointers = this.pointers[l] as number[]
    this.f.get(pointers[pointers.length === 1 ? 0 : column] as number)
    if (!isConstant((this.operand.loads[l] as OperandLoad).depth)) this.f.get(this.depthOffset[l] as number).i32('add')
  }

  /** The operand's value, its loads fetched by `fetch`, in a v128 local that the caller releases. */
  private value(lane: number, fetch: (l: number, load: OperandLoad) => void): number {
    const { f, operand } = this
    const bound = new Map<Expr, number>()
    operand.loads.forEach((load, l) => {
      const local = f.local('v128')
      fetch(l, load)
      f.set(local)
      bound.set(load.load, local)
    })
    if (operand.value.kind === 'load') return bound.get(operand.value) as number
    this.evaluate(f, operand.value, bound, lane)
    const result = f.local('v128')
    f.set(result).release(...bound.values())
    return result
  }

  private store(vector: number, lanes: 1 | 2 | 4, firstLane: number, offset: number): void {
    const { f } = this
    f.get(this.out).get(vector)
    if (lanes === 4) f.vectorStore(offset)
    else if (lanes === 2) f.laneAccess('v128.store64_lane', firstLane >> 1, offset)
    else f.laneAccess('v128.store32_lane', firstLane, offset)
  }

  /** A group at one k, read as a vector along the panel; `whole`: the panel is one run. */
  private vector(group: Group, whole: boolean): void {
    const { f } = this
    const result = this.value(this.operand.along.id, (l, load) => {
      this.address(l, whole ? 0 : group.first)
      const offset = whole ? group.first * 4 : 0
      if (isConstant(load.along)) f.vectorLoad('v128.load32_splat')
      else
        f.vectorLoad(
          group.width === 4 ? 'v128.load' : group.width === 2 ? 'v128.load64_zero' : 'v128.load32_zero',
          offset,
        )
    })
    this.store(result, group.width, 0, group.first * 4)
    f.release(result)
  }

  /** A group at one k, element by element. */
  private single(group: Group): void {
    const { f, operand } = this
    for (let j = group.first; j < group.first + group.width; j++) {
      if (operand.value.kind === 'load') {
        f.get(this.out)
        this.address(0, j)
        f.load('i32.load').store('i32.store', j * 4)
        continue
      }
      const result = this.value(operand.along.id, (l) => {
        this.address(l, j)
        f.vectorLoad('v128.load32_splat')
      })
      this.store(result, 1, 0, j * 4)
      f.release(result)
    }
  }

  /** One pass over k: four k at a time, turned, where they are a run; else one. */
  private depthLoop(): void {
    const { f, operand } = this
    this.start()
    const done = f.block()
    const again = f.loop()
    f.get(this.at).get(kEnd).i32('ge_s').brIf(done)
    this.setDepthOffsets()
    f.get(this.at).constant(4).i32('add').get(kEnd).i32('le_s')
    if (operand.depthRuns !== null) {
      this.run(operand.depthRuns, this.at, 0)
      f.constant(4).i32('ge_s').i32('and')
    }
    f.if()
    for (const group of this.groups) this.turned(group)
    this.advance(4)
    f.else()
    for (const group of this.groups) this.single(group)
    this.advance(1)
    f.end()
    f.br(again).end().end()
  }

  /** A group at four k: columns are read as vectors along k and turned into rows. */
  private turned(group: Group): void {
    const { f, width } = this
    const columns: number[] = []
    for (let j = group.first; j < group.first + group.width; j++) {
      columns.push(
        this.value(this.operand.depth.id, (l, load) => {
          this.address(l, j)
          f.vectorLoad(isConstant(load.depth) ? 'v128.load32_splat' : 'v128.load')
        }),
      )
    }
    const offset = (step: number) => (step * width + group.first) * 4
    if (group.width === 1) {
      for (let step = 0; step < 4; step++) this.store(columns[0] as number, 1, step, offset(step))
      f.release(...columns)
      return
    }
    const shuffled = (a: number, b: number, lanes: readonly [number, number, number, number]) => {
      const local = f.local('v128')
      f.get(a)
        .get(b)
        .shuffle32(...lanes)
        .set(local)
      return local
    }
    const [c0, c1, c2, c3] = columns as [number, number, number, number]
    const low = shuffled(c0, c1, [0, 4, 1, 5])
    const high = shuffled(c0, c1, [2, 6, 3, 7])
    f.release(c0, c1)
    const rows: number[] = [low, high]
    if (group.width === 2) {
      for (let step = 0; step < 4; step++) this.store(step < 2 ? low : high, 2, (step % 2) * 2, offset(step))
    } else {
      const otherLow = shuffled(c2, c3, [0, 4, 1, 5])
      const otherHigh = shuffled(c2, c3, [2, 6, 3, 7])
      f.release(c2, c3)
      rows.push(otherLow, otherHigh)
      for (let step = 0; step < 4; step++) {
        const [a, b] = step < 2 ? [low, otherLow] : [high, otherHigh]
        f.get(this.out).get(a).get(b)
        if (step % 2 === 0) f.shuffle32(0, 1, 4, 5)
        else f.shuffle32(2, 3, 6, 7)
        f.vectorStore(offset(step))
      }
    }
    f.release(...rows)
  }
}
