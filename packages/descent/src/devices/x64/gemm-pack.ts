/**
 * Packing for x64: a panel of an operand copied to [k][width], so that the micro-kernel reads it in order.
 *
 * Where elements lie one after another along the panel, whole vectors are copied, or where the panel has breaks (rows of an
 * image, in a convolution) a few masked parts of vectors are joined; where they do along k, blocks of lanes × lanes are read
 * and turned in registers; else elements are gathered.
 */
import type { Expr } from '../../kernel/expr.ts'
import type { EvaluateBound } from '../vector/gemm-machine.ts'
import { isConstant, type Operand, type OperandLoad } from '../vector/gemm-operand.ts'
import type { X64Function } from './function.ts'

const [dst, p, k, kEnd, tables, firstBase] = [0, 1, 2, 3, 4, 5]
/** More parts than these are gathered. */
const mostParts = 3

interface Group {
  readonly first: number
  /** How many of the vector's lanes are columns of the panel. */
  readonly active: number
}

export function packParameters(operand: Operand): 'int'[] {
  return new Array<'int'>(firstBase + operand.loads.length).fill('int')
}

/** Equal for operands that one function can pack; null where a function serves its operand alone. */
export function packKey(operand: Operand, width: number, lanes: number): string | null {
  const { value, loads, along, depth, direction, alongRuns, depthRuns } = operand
  const [load] = loads
  if (value.kind !== 'load' || !load) return null
  const tables = direction === 'along' ? alongRuns : depthRuns
  const rest = `${depth.size % lanes} ${depth.size < lanes}`
  return `${width} ${direction} ${along.size} ${rest} ${tables} ${JSON.stringify(load.along)} ${JSON.stringify(load.depth)}`
}

/** Writes the body of a packing function (see `GemmMachine.pack`). */
export function writePack(f: X64Function, operand: Operand, width: number, evaluate: EvaluateBound): void {
  new PackWriter(f, operand, width, evaluate).write()
}

class PackWriter {
  readonly f: X64Function
  readonly operand: Operand
  readonly width: number
  readonly evaluate: EvaluateBound
  readonly groups: readonly Group[]
  /** By load, the part of its addresses that depends on k, in the loop that is being written. */
  readonly depthOffset: readonly number[]
  readonly out: number
  readonly at: number

  constructor(f: X64Function, operand: Operand, width: number, evaluate: EvaluateBound) {
    this.f = f
    this.operand = operand
    this.width = width
    this.evaluate = evaluate
    this.groups = Array.from({ length: Math.ceil(width / f.lanes) }, (_, g) => ({
      first: g * f.lanes,
      active: Math.min(f.lanes, width - g * f.lanes),
    }))
    this.depthOffset = operand.loads.map(() => f.local('int'))
    this.out = f.local('int')
    this.at = f.local('int')
  }

  write(): void {
    const { f, operand, width } = this
    if (operand.direction === 'depth') {
      this.depthLoop()
      return
    }
    if (operand.direction === 'none') {
      this.gatherLoop()
      return
    }
    const parts = this.parts()
    if (parts === 1) {
      this.wholeLoop()
      return
    }
    f.get(tables)
      .get(p)
      .constant(2)
      .int('shl')
      .int('add')
      .loadInt(operand.alongRuns * 4)
      .constant(width)
      .int('ge_s')
      .if()
    this.wholeLoop()
    f.else()
    if (parts <= mostParts) this.partsLoop(parts)
    else this.gatherLoop()
    f.end()
  }

  /** Into how many runs a vector falls at most; 1: every panel is one run, and none reaches past the edge. */
  private parts(): number {
    const { runLengths, along } = this.operand
    const { lanes } = this.f
    if (along.size % this.width === 0 && runLengths[0] === along.size) return 1
    let most = 2
    for (let start = 0; start < along.size; start++) {
      let count = 1
      let position = start + (runLengths[start] as number)
      while (position < Math.min(start + lanes, along.size)) {
        position += runLengths[position] as number
        count++
      }
      most = Math.max(most, count)
    }
    return most
  }

  /** Pushes the bytes from a load's base to its column p + j, j constant; past the edge: the last column. */
  private alongOffset({ along }: OperandLoad, j: number): void {
    const { f, operand } = this
    if (along.kind === 'table') {
      f.get(tables)
        .get(p)
        .constant(2)
        .int('shl')
        .int('add')
        .loadInt((along.at + j) * 4)
      return
    }
    this.position(j, operand.along.size)
    f.constant(along.step).int('mul')
  }
  /** Pushes min(p + j, size - 1). */
  private position(j: number, size: number): void {
    const { f } = this
    const at = f.local('int')
    f.get(p).constant(j).int('add').set(at)
    f.get(at)
      .constant(size - 1)
      .get(at)
      .constant(size - 1)
      .int('lt_s')
      .pick()
  }

  private begin(): void {
    const { f, operand } = this
    f.get(dst).set(this.out).get(k).set(this.at)
    operand.loads.forEach(({ depth }, l) => {
      if (depth.kind === 'affine')
        f.get(k)
          .constant(depth.step)
          .int('mul')
          .set(this.depthOffset[l] as number)
    })
  }
  private findDepth(): void {
    const { f, operand } = this
    operand.loads.forEach(({ depth }, l) => {
      if (depth.kind !== 'table') return
      f.get(tables)
        .get(this.at)
        .constant(2)
        .int('shl')
        .int('add')
        .loadInt(depth.at * 4)
        .set(this.depthOffset[l] as number)
    })
  }
  private advance(steps: number): void {
    const { f, operand } = this
    f.get(this.out)
      .constant(steps * this.width * 4)
      .int('add')
      .set(this.out)
    f.get(this.at).constant(steps).int('add').set(this.at)
    operand.loads.forEach(({ depth }, l) => {
      if (depth.kind !== 'affine' || depth.step === 0) return
      const offset = this.depthOffset[l] as number
      f.get(offset)
        .constant(steps * depth.step)
        .int('add')
        .set(offset)
    })
  }
  /** The same by a number in a local. */
  private advanceBy(steps: number): void {
    const { f, operand } = this
    f.get(this.out)
      .get(steps)
      .constant(this.width * 4)
      .int('mul')
      .int('add')
      .set(this.out)
    f.get(this.at).get(steps).int('add').set(this.at)
    operand.loads.forEach(({ depth }, l) => {
      if (depth.kind !== 'affine' || depth.step === 0) return
      const offset = this.depthOffset[l] as number
      f.get(offset).get(steps).constant(depth.step).int('mul').int('add').set(offset)
    })
  }
  /** One pass over k; there is at least one. */
  private loop(body: () => void): void {
    const { f } = this
    this.begin()
    const again = f.loop()
    this.findDepth()
    body()
    this.advance(1)
    f.get(this.at).get(kEnd).int('lt_s').brIf(again)
    f.end()
  }

  /** Pushes a pointer + the load's depth part + offset as an address. */
  private address(l: number, pointer: number): void {
    this.f.get(pointer)
    if (!isConstant((this.operand.loads[l] as OperandLoad).depth)) this.f.get(this.depthOffset[l] as number).int('add')
  }
  /** The operand's value from its loads, which `fetch` pushes. */
  private value(lane: number, fetch: (load: OperandLoad, l: number) => void): number {
    const { f, operand } = this
    const bound = new Map<Expr, number>()
    operand.loads.forEach((load, l) => {
      const local = f.local('vector')
      fetch(load, l)
      f.set(local)
      bound.set(load.load, local)
    })
    if (operand.value.kind === 'load') return bound.get(operand.value) as number
    this.evaluate(f, operand.value, bound, lane)
    const result = f.local('vector')
    f.set(result)
    return result
  }
  /** A pointer for each load: its base and what column p + j adds to it. */
  private pointers(j: number): number[] {
    const { f } = this
    return this.operand.loads.map((load, l) => {
      const pointer = f.local('int')
      f.get(firstBase + l)
      if (!isConstant(load.along)) {
        this.alongOffset(load, j)
        f.int('add')
      }
      f.set(pointer)
      return pointer
    })
  }

  private wholeLoop(): void {
    const { f, operand } = this
    const pointers = this.pointers(0)
    this.loop(() => {
      for (const { first, active } of this.groups) {
        const value = this.value(operand.along.id, (load, l) => {
          this.address(l, pointers[l] as number)
          if (isConstant(load.along)) f.loadSplat(0)
          else f.loadVector(first * 4, active)
        })
        f.get(this.out)
          .get(value)
          .storeVector(first * 4, active)
      }
    })
  }

  /**
   * Each vector joined of parts: part i holds lanes from `start[i]` on, and is read from where its first lane would lie.
   */
  private partsLoop(count: number): void {
    const { f, operand } = this
    const { lanes } = f
    const parts = this.groups.map(({ first, active }) => {
      const from = f.local('int')
      f.constant(0).set(from)
      return Array.from({ length: count }, (_, i) => {
        const mask = f.local('mask')
        const to = f.local('int')
        const place = f.local('int')
        // Where this part begins, and (its run is over or the vector is) where it ends.
        this.position(first, operand.along.size)
        f.get(from).int('add').set(place)
        this.clamp(place, operand.along.size - 1)
        f.get(tables)
          .get(place)
          .constant(2)
          .int('shl')
          .int('add')
          .loadInt(operand.alongRuns * 4)
          .get(from)
          .int('add')
          .set(to)
        this.clamp(to, active)
        const lane = () => f.lanesI32(Array.from({ length: lanes }, (_, j) => j))
        f.get(to).splat()
        lane()
        f.compareI32('gt')
        if (i > 0) {
          f.get(from).splat()
          lane()
          f.compareI32('le').mask('and')
        }
        f.set(mask)
        const pointers = operand.loads.map((load, l) => {
          const pointer = f.local('int')
          f.get(firstBase + l)
          if (!isConstant(load.along)) {
            if (load.along.kind === 'table')
              f.get(tables)
                .get(place)
                .constant(2)
                .int('shl')
                .int('add')
                .loadInt(load.along.at * 4)
            else f.get(place).constant(load.along.step).int('mul')
            f.int('add').get(from).constant(2).int('shl').int('sub')
          }
          f.set(pointer)
          return pointer
        })
        f.get(to).set(from)
        return { mask, pointers }
      })
    })
    this.loop(() => {
      for (const [g, { first, active }] of this.groups.entries()) {
        const value = this.value(operand.along.id, (load, l) => {
          for (const [i, { mask, pointers }] of (parts[g] as (typeof parts)[number]).entries()) {
            if (isConstant(load.along) && i > 0) break
            this.address(l, pointers[l] as number)
            if (isConstant(load.along)) f.loadSplat(0)
            else if (i === 0) f.loadWhere(0, mask)
            else f.loadOver(0, mask)
          }
        })
        f.get(this.out)
          .get(value)
          .storeVector(first * 4, active)
      }
    })
  }
  /** local = min(local, most) */
  private clamp(local: number, most: number): void {
    this.f.get(local).constant(most).get(local).constant(most).int('lt_s').pick().set(local)
  }

  /** By load and group, the bytes from the load's base to each column; null where the load does not depend on it. */
  private offsets(): (number | null)[][] {
    const { f, operand } = this
    return operand.loads.map((load) =>
      this.groups.map(({ first, active }) => {
        if (isConstant(load.along)) return null
        const offsets = f.local('vector')
        if (load.along.kind === 'table') {
          f.get(tables)
            .get(p)
            .constant(2)
            .int('shl')
            .int('add')
            .loadOrZero((load.along.at + first) * 4, active)
        } else {
          f.get(p).splat()
          f.lanesI32(Array.from({ length: f.lanes }, (_, j) => first + j)).whole('add')
          f.splatI32(operand.along.size - 1).whole('min_s')
          f.splatI32(load.along.step).whole('mul')
        }
        f.set(offsets)
        return offsets
      }),
    )
  }
  private gatherLoop(): void {
    const offsets = this.offsets()
    this.loop(() => this.gatherOne(offsets))
  }
  private gatherOne(offsets: readonly (readonly (number | null)[])[]): void {
    const { f, operand } = this
    for (const [g, { first, active }] of this.groups.entries()) {
      const value = this.value(operand.along.id, (_, l) => {
        const offset = offsets[l]?.[g] ?? null
        this.address(l, firstBase + l)
        if (offset === null) f.loadSplat(0)
        else f.get(offset).gatherBytes(active)
      })
      f.get(this.out)
        .get(value)
        .storeVector(first * 4, active)
    }
  }

  /** Blocks of `lanes` k where they lie one after another, shorter ones where a run or k ends. */
  private depthLoop(): void {
    const { f, operand } = this
    const { lanes } = f
    const count = f.local('int')
    this.begin()
    const again = f.loop()
    this.findDepth()
    f.get(kEnd).get(this.at).int('sub').set(count)
    if (operand.depthRuns !== null) {
      const run = f.local('int')
      f.get(tables)
        .get(this.at)
        .constant(2)
        .int('shl')
        .int('add')
        .loadInt(operand.depthRuns * 4)
        .set(run)
      f.get(run).get(count).get(run).get(count).int('lt_s').pick().set(count)
    }
    const mayBeShort = operand.depthRuns !== null || operand.depth.size % lanes !== 0
    const whole = operand.depth.size >= lanes
    if (mayBeShort && whole) f.get(count).constant(lanes).int('ge_s').if()
    if (whole) {
      for (const group of this.groups) this.turned(group, null)
      this.advance(lanes)
    }
    if (mayBeShort && whole) f.else()
    if (mayBeShort) {
      for (const group of this.groups) this.turned(group, count)
      this.advanceBy(count)
    }
    if (mayBeShort && whole) f.end()
    f.get(this.at).get(kEnd).int('lt_s').brIf(again)
    f.end()
  }

  /** A block of k: columns are read along k and turned into rows. `count`: a local with their number; null: `lanes`. */
  private turned({ first, active }: Group, count: number | null): void {
    const { f, operand, width } = this
    const { lanes } = f
    const mask = f.local('mask')
    if (count !== null) {
      f.get(count).splat()
      f.lanesI32(Array.from({ length: lanes }, (_, j) => j))
        .compareI32('gt')
        .set(mask)
    }
    const rows: number[] = []
    for (let j = 0; j < active; j++) {
      rows.push(
        this.value(operand.depth.id, (load, l) => {
          f.get(firstBase + l)
          if (!isConstant(load.along)) {
            this.alongOffset(load, first + j)
            f.int('add')
          }
          if (isConstant(load.depth)) f.loadSplat(0)
          else {
            f.get(this.depthOffset[l] as number).int('add')
            if (count === null) f.loadVector(0, lanes)
            else f.loadWhere(0, mask)
          }
        }),
      )
    }
    while (rows.length < lanes) rows.push(rows[0] as number)
    const done = f.block()
    for (const [i, row] of f.turned(rows).entries()) {
      if (count !== null && i > 0) f.get(count).constant(i).int('le_s').brIf(done)
      f.get(this.out)
        .get(row)
        .storeVector((i * width + first) * 4, active)
    }
    f.end()
  }
}
