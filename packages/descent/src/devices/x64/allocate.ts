/**
 * Where registers of a function come to stand: linear scan over the intervals from a register's first to its last use
 * (M. Poletto, V. Sarkar, "Linear scan register allocation", TOPLAS 21(5), 1999), in which a loop counts as one use of all
 * that it reads from before it.
 *
 * What finds no machine register gets a place in the function's frame, the least used first; constants are made again
 * where they are needed instead. `strict`: a vector that does so inside of a loop is an error, for then the emitter
 * should have asked for less at once.
 */
import { classes, type Instruction, none } from './instruction.ts'

export interface Machine {
  /** By class, the registers to give out, in order of preference. */
  readonly registers: readonly (readonly number[])[]
  /** The same less those that hold what has no register while it is used. */
  readonly fewer: readonly (readonly number[])[]
  /** General purpose registers that calls preserve. */
  readonly preserved: ReadonlySet<number>
}

export interface Allocation {
  /** For each register: the machine's, or -1 - place for a place in the frame. */
  readonly places: Int32Array
  readonly intPlaces: number
  readonly vectorPlaces: number
  readonly maskPlaces: number
  /** Machine registers that the caller expects to be preserved, where used. */
  readonly saved: readonly number[]
  /** Vectors without a register that are used in loops. */
  readonly spilled: number
}

/** More values at once than there are vector registers, in a loop. */
export class RegisterPressure extends Error {}

export interface Allocatable {
  readonly index: number
  readonly parameters: number
  readonly classOf: readonly number[]
  readonly constants: ReadonlyMap<number, Instruction>
}

/** Operands that must stay where they are until the result has been written. */
const late: ReadonlySet<string> = new Set(['gather'])

export function allocate(f: Allocatable, code: readonly Instruction[], machine: Machine, strict: boolean): Allocation {
  const intervals = new Intervals(f, code)
  let result = scan(f, intervals, machine.registers, machine.preserved)
  if (result.without) result = scan(f, intervals, machine.fewer, machine.preserved)
  if (strict && result.spilled > 0)
    throw new RegisterPressure(`function ${f.index}: ${result.spilled} vectors more than registers in a loop`)
  return result
}

/** Where a register's interval would start; parameters are there before the first instruction. */
const unused = -2

class Intervals {
  readonly start: Int32Array
  readonly end: Int32Array
  readonly weight: Float64Array
  readonly inLoop: Uint8Array
  readonly calls: number[] = []

  constructor(f: Allocatable, code: readonly Instruction[]) {
    const count = f.classOf.length
    this.start = new Int32Array(count).fill(unused)
    this.end = new Int32Array(count).fill(unused)
    this.weight = new Float64Array(count)
    this.inLoop = new Uint8Array(count)
    for (let p = 0; p < f.parameters; p++) {
      this.start[p] = -1
      this.end[p] = -1
    }
    const loopEnds = endsOf(code)
    // Open loops: where each starts and ends.
    const starts: number[] = []
    const ends: number[] = []
    let weight = 1
    const touch = (v: number, at: number): void => {
      const { start, end } = this
      if (start[v] === unused) start[v] = at
      let until = at
      for (let l = 0; l < starts.length; l++) {
        if ((starts[l] as number) <= (start[v] as number)) continue
        until = ends[l] as number
        break
      }
      if (until > (end[v] as number)) end[v] = until
      this.weight[v] = (this.weight[v] as number) + weight
      if (starts.length > 0) this.inLoop[v] = 1
    }
    for (let n = 0; n < code.length; n++) {
      const i = code[n] as Instruction
      if (i.op === 'loop') {
        starts.push(2 * n)
        ends.push(2 * (loopEnds.get(i.imm) as number) + 1)
        weight *= 8
      } else if (i.op === 'loopEnd') {
        starts.pop()
        ends.pop()
        weight /= 8
      } else if (i.op === 'call') this.calls.push(2 * n)
      const at = late.has(i.op) ? 2 * n + 1 : 2 * n
      if (i.a !== none) touch(i.a, at)
      if (i.b !== none) touch(i.b, at)
      if (i.c !== none) touch(i.c, at)
      if (i.d !== none) touch(i.d, at)
      if (i.k !== none) touch(i.k, at)
      if (i.base !== none) touch(i.base, at)
      if (i.index !== none) touch(i.index, at)
      if (i.dst !== none) touch(i.dst, 2 * n + 1)
    }
  }
}

function endsOf(code: readonly Instruction[]): Map<number, number> {
  const ends = new Map<number, number>()
  for (let n = 0; n < code.length; n++) {
    const i = code[n] as Instruction
    if (i.op === 'loopEnd') ends.set(i.imm, n)
  }
  return ends
}

function scan(
  f: Allocatable,
  { start, end, weight, inLoop, calls }: Intervals,
  registers: Machine['registers'],
  preserved: ReadonlySet<number>,
): Allocation & { readonly without: boolean } {
  const { classOf, parameters } = f
  const places = new Int32Array(classOf.length)
  const order: number[] = []
  for (let v = 0; v < classOf.length; v++) if (start[v] !== unused) order.push(v)
  order.sort((a, b) => (start[a] as number) - (start[b] as number))
  const owners = [new Int32Array(32).fill(-1), new Int32Array(32).fill(-1), new Int32Array(32).fill(-1)]
  const used = new Set<number>()
  const counts = [0, 0, 0]
  let without = false
  let spilled = 0
  const toFrame = (v: number): void => {
    const machineClass = classOf[v] as number
    if (!f.constants.has(v)) {
      if (machineClass === classes.vector && inLoop[v] === 1) spilled++
      // A parameter has a place: where the caller put it.
      if (v < parameters) places[v] = -1 - v
      else {
        places[v] = -1 - parameters - (counts[machineClass] as number)
        counts[machineClass] = (counts[machineClass] as number) + 1
      }
    } else places[v] = -1
    without = true
  }
  let nextCall = 0
  for (const v of order) {
    const from = start[v] as number
    const to = end[v] as number
    const machineClass = classOf[v] as number
    const owner = owners[machineClass] as Int32Array
    const available = registers[machineClass] as readonly number[]
    while (nextCall < calls.length && (calls[nextCall] as number) < from) nextCall++
    const crosses = nextCall < calls.length && (calls[nextCall] as number) < to
    if (crosses && machineClass !== classes.gp) {
      toFrame(v)
      continue
    }
    let found = -1
    for (let n = 0; n < available.length; n++) {
      const r = available[n] as number
      if (crosses && !preserved.has(r)) continue
      const other = owner[r] as number
      if (other === -1 || (end[other] as number) < from) {
        found = r
        break
      }
    }
    if (found === -1) {
      // The least used gives way.
      let least = v
      for (let n = 0; n < available.length; n++) {
        const r = available[n] as number
        if (crosses && !preserved.has(r)) continue
        const other = owner[r] as number
        if (priority(other) < priority(least)) {
          least = other
          found = r
        }
      }
      toFrame(least)
      if (least === v) continue
    }
    owner[found] = v
    places[v] = found
    if (machineClass === classes.gp && preserved.has(found)) used.add(found)
  }
  function priority(v: number): number {
    const length = (end[v] as number) - (start[v] as number) + 1
    return (weight[v] as number) / length / (f.constants.has(v) ? 4 : 1)
  }
  return {
    places,
    intPlaces: counts[classes.gp] as number,
    vectorPlaces: counts[classes.vector] as number,
    maskPlaces: counts[classes.mask] as number,
    saved: [...used],
    spilled,
    without,
  }
}
