/**
 * A machine that exists in JavaScript only, with any number of lanes: for tests of the emitters. It holds the code to its
 * contract: kinds of operands, whole numbers within i32, an empty stack at the ends of blocks, no access outside of what was
 * allocated; and what is not defined is something bad.
 */
import type { Callable, Code, Comparison, FloatOp, FloatUnary, IntOp, Kind, Label, WholeOp, Written } from './code.ts'
import type { SimulatedMemory } from './simulated-memory.ts'
import { comparisons, floatOps, floatUnaries, intOps, wholeOps } from './simulated-operations.ts'

type Value = number | Int32Array | readonly boolean[]

/** The running of one function: its locals, and what instructions push and pop. */
class Frame {
  readonly locals: (Value | undefined)[]
  readonly stack: Value[] = []
  constructor(parameters: readonly number[]) {
    this.locals = [...parameters]
  }
  push(value: Value | undefined): void {
    if (value === undefined) throw new Error('a local is read before it is set')
    this.stack.push(value)
  }
  int(): number {
    const value = this.stack.pop()
    if (typeof value !== 'number') throw new Error(`a whole number was expected, not ${String(value)}`)
    return value
  }
  vector(): Int32Array {
    const value = this.stack.pop()
    if (!(value instanceof Int32Array)) throw new Error(`a vector was expected, not ${String(value)}`)
    return value
  }
  mask(): readonly boolean[] {
    const value = this.stack.pop()
    if (!Array.isArray(value)) throw new Error(`a mask was expected, not ${String(value)}`)
    return value
  }
}

type Step =
  | { readonly kind: 'do'; readonly run: (frame: Frame) => void }
  | { readonly kind: 'block' | 'loop'; readonly label: Label }
  | { readonly kind: 'if'; readonly label: Label; readonly result: boolean }
  | { readonly kind: 'else' | 'end' | 'return' }
  | { readonly kind: 'br'; readonly label: Label; readonly condition: boolean }

const f32 = (x: Int32Array): Float32Array => new Float32Array(x.buffer)
const bits = (x: Float32Array): Int32Array => new Int32Array(x.buffer)
/** What lanes hold that do not count. */
const bad = 0x7fa5a5a5

export class SimulatedCode implements Code {
  readonly index: number
  readonly lanes: number
  private readonly memory: SimulatedMemory
  private readonly errorAddress: number
  private readonly functions: readonly SimulatedCode[]
  private readonly kinds: Kind[]
  private readonly parameters: number
  private readonly free: Record<Kind, number[]> = { int: [], vector: [], mask: [] }
  private taken: Set<number> | null = null
  private labels = 0
  private code: Written = []
  private readonly all = this.code

  constructor(
    functions: readonly SimulatedCode[],
    parameters: readonly Kind[],
    lanes: number,
    memory: SimulatedMemory,
    errorAddress: number,
  ) {
    this.functions = functions
    this.index = functions.length
    this.kinds = [...parameters]
    this.parameters = parameters.length
    this.lanes = lanes
    this.memory = memory
    this.errorAddress = errorAddress
  }

  // Locals and code apart.
  local(kind: Kind): number {
    const local = this.free[kind].pop() ?? this.kinds.push(kind) - 1
    this.taken?.add(local)
    return local
  }
  release(...locals: number[]): void {
    for (const local of locals) {
      this.free[this.kinds[local] as Kind].push(local)
      this.taken?.delete(local)
    }
  }
  borrow(write: () => void): void {
    const before = this.taken
    const taken = new Set<number>()
    this.taken = taken
    write()
    this.taken = before
    this.release(...taken)
  }
  get(local: number): this {
    return this.do((frame) => frame.push(frame.locals[local]))
  }
  set(local: number): this {
    const kind = this.kinds[local] as Kind
    return this.do((frame) => {
      frame.locals[local] = kind === 'int' ? frame.int() : kind === 'vector' ? frame.vector() : frame.mask()
    })
  }
  tee(local: number): this {
    return this.set(local).get(local)
  }
  apart(): Written {
    return []
  }
  redirect(code: Written): Written {
    const before = this.code
    this.code = code
    return before
  }
  append(code: Written): this {
    this.code.push(...code)
    code.length = 0
    code.push({ kind: 'do', run: () => assert(false, 'code was appended twice') })
    return this
  }

  // Control flow.
  block(): Label {
    this.code.push({ kind: 'block', label: ++this.labels })
    return this.labels
  }
  loop(): Label {
    this.code.push({ kind: 'loop', label: ++this.labels })
    return this.labels
  }
  if(result?: 'int'): Label {
    this.code.push({ kind: 'if', label: ++this.labels, result: result === 'int' })
    return this.labels
  }
  else(): this {
    return this.step({ kind: 'else' })
  }
  end(): this {
    return this.step({ kind: 'end' })
  }
  br(label: Label): this {
    return this.step({ kind: 'br', label, condition: false })
  }
  brIf(label: Label): this {
    return this.step({ kind: 'br', label, condition: true })
  }
  return(): this {
    return this.step({ kind: 'return' })
  }
  call(callee: Callable): this {
    return this.do((frame) => {
      const target = this.functions[callee.index] as SimulatedCode
      target.run(Array.from({ length: target.parameters }, () => frame.int()).reverse())
    })
  }

  // Whole numbers and addresses.
  constant(value: number): this {
    assert(value === (value | 0), `the constant ${value} is no i32`)
    return this.do((frame) => frame.push(value))
  }
  int(op: IntOp): this {
    if (op === 'eqz') return this.do((frame) => frame.push(frame.int() === 0 ? 1 : 0))
    return this.do((frame) => {
      const b = frame.int()
      const value = intOps[op](frame.int(), b)
      assert(value === (value | 0), `${op} leaves the range of i32: ${value}`)
      frame.push(value)
    })
  }
  pick(): this {
    return this.do((frame) => {
      const condition = frame.int()
      const b = frame.int()
      const a = frame.int()
      frame.push(condition !== 0 ? a : b)
    })
  }
  loadInt(offset = 0): this {
    return this.do((frame) => frame.push(this.memory.read(frame.int(), offset)))
  }
  storeInt(offset = 0): this {
    return this.do((frame) => {
      const value = frame.int()
      this.memory.write(frame.int(), offset, value)
    })
  }
  loadAddress(word: number): this {
    return this.loadInt(4 * word)
  }
  copyBytes(bytes: number): this {
    return this.do((frame) => {
      const from = frame.int()
      const to = frame.int()
      for (let i = 0; i < bytes; i += 4) this.memory.write(to, i, this.memory.read(from, i))
    })
  }

  // Vectors.
  splatF32(value: number): this {
    return this.do((frame) => frame.push(bits(new Float32Array(this.lanes).fill(value))))
  }
  splatI32(value: number): this {
    return this.do((frame) => frame.push(this.each(() => value)))
  }
  lanesI32(values: readonly number[]): this {
    assert(values.length === this.lanes, `${values.length} values for ${this.lanes} lanes`)
    return this.do((frame) => frame.push(Int32Array.from(values)))
  }
  splat(): this {
    return this.do((frame) => {
      const value = frame.int()
      frame.push(this.each(() => value))
    })
  }
  firstLane(): this {
    return this.do((frame) => frame.push(frame.vector()[0]))
  }
  withLane(lane: number): this {
    return this.do((frame) => {
      const value = frame.int()
      const vector = frame.vector()
      frame.push(vector.map((x, j) => (j === lane ? value : x)))
    })
  }
  float(op: FloatOp): this {
    return this.floats((a, b) => floatOps[op](a, b))
  }
  floatUnary(op: FloatUnary): this {
    return this.do((frame) => frame.push(bits(f32(frame.vector()).map(floatUnaries[op]))))
  }
  quick(op: 'max' | 'min'): this {
    return this.floats((a, b) => ((op === 'max' ? a < b : b < a) ? b : a))
  }
  multiplyAdd(): this {
    return this.products(1)
  }
  multiplySubtract(): this {
    return this.products(-1)
  }
  private products(sign: 1 | -1): this {
    return this.do((frame) => {
      const [c, b, a] = [f32(frame.vector()), f32(frame.vector()), f32(frame.vector())]
      frame.push(bits(a.map((x, j) => sign * x * (b[j] as number) + (c[j] as number))))
    })
  }
  compareF32(op: Comparison): this {
    return this.do((frame) => {
      const [b, a] = [f32(frame.vector()), f32(frame.vector())]
      frame.push(Array.from(a, (x, j) => comparisons[op](x, b[j] as number)))
    })
  }
  whole(op: WholeOp): this {
    return this.do((frame) => {
      const [b, a] = [frame.vector(), frame.vector()]
      frame.push(a.map((x, j) => wholeOps[op](x, b[j] as number)))
    })
  }
  wholeUnary(op: 'neg' | 'abs'): this {
    return this.do((frame) => frame.push(frame.vector().map((x) => (op === 'neg' || x < 0 ? -x : x))))
  }
  compareI32(op: Comparison): this {
    return this.do((frame) => {
      const [b, a] = [frame.vector(), frame.vector()]
      frame.push(Array.from(a, (x, j) => comparisons[op](x, b[j] as number)))
    })
  }
  shift(op: 'shl' | 'shr', by: number): this {
    assert(by >= 0 && by < 32, `a shift by ${by}`)
    return this.do((frame) => frame.push(frame.vector().map((x) => (op === 'shl' ? x << by : x >>> by))))
  }
  shiftLanes(op: 'shl' | 'shr'): this {
    return this.do((frame) => {
      const [by, x] = [frame.vector(), frame.vector()]
      frame.push(x.map((value, j) => (op === 'shl' ? value << (by[j] as number) : value >>> (by[j] as number))))
    })
  }
  truncate(): this {
    return this.do((frame) => {
      const values = Array.from(f32(frame.vector()), (x) =>
        Number.isNaN(x) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x))),
      )
      frame.push(Int32Array.from(values))
    })
  }
  convert(): this {
    return this.do((frame) => frame.push(bits(Float32Array.from(frame.vector()))))
  }
  choose(): this {
    return this.do((frame) => {
      const [mask, b, a] = [frame.mask(), frame.vector(), frame.vector()]
      frame.push(a.map((x, j) => (mask[j] ? x : (b[j] as number))))
    })
  }
  rotate(by: number): this {
    return this.do((frame) => {
      const x = frame.vector()
      frame.push(x.map((_, j) => x[(j + by) % this.lanes] as number))
    })
  }
  sumsOfLanes(...locals: [number, number, number, number]): this {
    return this.do((frame) => {
      const sums = locals.map((local) => f32(frame.locals[local] as Int32Array).reduce((a, b) => Math.fround(a + b), 0))
      frame.push(bits(Float32Array.from({ length: this.lanes }, (_, j) => sums[j] ?? NaN)))
    })
  }

  // Masks.
  maskConstant(value: boolean): this {
    return this.do((frame) => frame.push(new Array(this.lanes).fill(value)))
  }
  maskFirst(count: number): this {
    return this.do((frame) => frame.push(Array.from({ length: this.lanes }, (_, j) => j < count)))
  }
  mask(op: 'and' | 'or' | 'xor' | 'not'): this {
    if (op === 'not') return this.do((frame) => frame.push(frame.mask().map((x) => !x)))
    return this.do((frame) => {
      const [b, a] = [frame.mask(), frame.mask()]
      frame.push(a.map((x, j) => (op === 'and' ? x && b[j] === true : op === 'or' ? x || b[j] === true : x !== b[j])))
    })
  }
  nonzero(): this {
    return this.do((frame) => frame.push(Array.from(frame.vector(), (x) => x !== 0)))
  }
  ones(dtype: 'f32' | 'i32'): this {
    return this.do((frame) => {
      const values = frame.mask().map(Number)
      frame.push(dtype === 'f32' ? bits(Float32Array.from(values)) : Int32Array.from(values))
    })
  }
  any(count: number): this {
    return this.do((frame) => frame.push(frame.mask().slice(0, count).some(Boolean) ? 1 : 0))
  }

  // Memory.
  loadVector(offset: number, active: number): this {
    return this.loads(active, (frame) => {
      const address = frame.int()
      return (j) => [address, offset + 4 * j]
    })
  }
  loadOrZero(offset: number, active: number): this {
    this.loadVector(offset, active)
    return this.do((frame) => frame.push(frame.vector().map((x, j) => (j < active ? x : 0))))
  }
  prefetch(): this {
    return this.do((frame) => void frame.int())
  }
  loadSplat(offset: number): this {
    return this.loadInt(offset).splat()
  }
  loadLanes(elements: readonly number[], offset: number, active: number): this {
    return this.loads(active, (frame) => {
      const address = frame.int()
      return (j) => [address, offset + 4 * (elements[j] as number)]
    })
  }
  gather(active: number): this {
    return this.loads(active, (frame) => {
      const positions = frame.vector()
      const address = frame.int()
      return (j) => [address + 4 * (positions[j] as number), 0]
    })
  }
  loadInside(length: number, active: number): this {
    return this.loads(active, (frame) => {
      const first = frame.int()
      const address = frame.int()
      return (j) => (first + j >= 0 && first + j < length ? [address + 4 * (first + j), 0] : null)
    })
  }
  gatherInside(length: number, active: number): this {
    return this.loads(active, (frame) => {
      const positions = frame.vector()
      const address = frame.int()
      return (j) => {
        const at = positions[j] as number
        return at >= 0 && at < length ? [address + 4 * at, 0] : null
      }
    })
  }
  storeVector(offset: number, active: number): this {
    const elements = Array.from({ length: this.lanes }, (_, j) => j)
    return this.storeLanes(elements, offset, active)
  }
  streamVector(offset: number): this {
    return this.storeVector(offset, this.lanes)
  }
  storeLane(j: number, offset: number): this {
    return this.do((frame) => {
      const values = frame.vector()
      this.memory.write(frame.int(), offset, values[j] as number)
    })
  }
  storeLanes(elements: readonly number[], offset: number, active: number): this {
    return this.do((frame) => {
      const values = frame.vector()
      const address = frame.int()
      for (let j = 0; j < active; j++) {
        this.memory.write(address, offset + 4 * (elements[j] as number), values[j] as number)
      }
    })
  }
  scatter(active: number): this {
    return this.do((frame) => {
      const values = frame.vector()
      const positions = frame.vector()
      const address = frame.int()
      for (let j = 0; j < active; j++) this.memory.write(address + 4 * (positions[j] as number), 0, values[j] as number)
    })
  }
  noteFailure(id: number, active: number): this {
    return this.do((frame) => {
      const first = frame.mask().slice(0, active).indexOf(true)
      const values = frame.vector()
      if (first < 0 || this.memory.read(this.errorAddress) !== 0) return
      this.memory.write(this.errorAddress, 0, id + 1)
      this.memory.write(this.errorAddress, 4, values[first] as number)
    })
  }

  // How instructions are made and run.
  private step(step: Step): this {
    this.code.push(step)
    return this
  }
  private do(run: (frame: Frame) => void): this {
    return this.step({ kind: 'do', run })
  }
  private each(value: (j: number) => number): Int32Array {
    return Int32Array.from({ length: this.lanes }, (_, j) => value(j))
  }
  private floats(op: (a: number, b: number) => number): this {
    return this.do((frame) => {
      const [b, a] = [f32(frame.vector()), f32(frame.vector())]
      frame.push(bits(a.map((x, j) => op(x, b[j] as number))))
    })
  }
  /** `begin` pops the operands; then lane j is read from the address and offset that its result gives (null: it is not read). */
  private loads(
    active: number,
    begin: (frame: Frame) => (j: number) => readonly [address: number, offset: number] | null,
  ): this {
    assert(active >= 1 && active <= this.lanes, `${active} lanes of ${this.lanes}`)
    return this.do((frame) => {
      const placeOf = begin(frame)
      const value = (j: number): number => {
        const place = j < active ? placeOf(j) : null
        return place === null ? bad : this.memory.read(...place)
      }
      frame.push(this.each(value))
    })
  }

  run(parameters: readonly number[]): void {
    const steps = this.all as Step[]
    const ends = matching(steps)
    const frame = new Frame(parameters)
    for (let at = 0; at < steps.length; at++) {
      const step = steps[at] as Step
      if (step.kind === 'do') {
        step.run(frame)
        continue
      }
      const left = (step.kind === 'br' && step.condition) || step.kind === 'if' ? 1 : 0
      const result = ends.results.has(at) ? 1 : 0
      assert(frame.stack.length === left + result, `${frame.stack.length} values on the stack at ${step.kind}`)
      if (step.kind === 'return') break
      if (step.kind === 'if' && frame.int() === 0) at = ends.otherwise.get(at) as number
      else if (step.kind === 'else') at = ends.otherwise.get(at) as number
      else if (step.kind === 'br' && (!step.condition || frame.int() !== 0)) at = ends.labels.get(step.label) as number
    }
  }
}

/** Where labels and conditions lead, and at which steps the int of an `if` stands on the stack. */
function matching(steps: readonly Step[]) {
  const labels = new Map<Label, number>()
  /** From `if` to its `else` or `end`, from `else` to `end`. */
  const otherwise = new Map<number, number>()
  const results = new Set<number>()
  const open: { at: number; label: Label; kind: 'block' | 'loop' | 'if'; result: boolean; otherwise: number }[] = []
  steps.forEach((step, at) => {
    switch (step.kind) {
      case 'block':
      case 'loop':
      case 'if':
        if (step.kind === 'loop') labels.set(step.label, at)
        open.push({ at, label: step.label, kind: step.kind, result: step.kind === 'if' && step.result, otherwise: at })
        return
      case 'else': {
        const top = open.at(-1) as (typeof open)[number]
        otherwise.set(top.otherwise, at)
        top.otherwise = at
        if (top.result) results.add(at)
        return
      }
      case 'end': {
        const top = open.pop() as (typeof open)[number]
        if (top.kind !== 'loop') labels.set(top.label, at)
        if (top.kind === 'if') otherwise.set(top.otherwise, top.otherwise === top.at ? at : at - 1)
        if (top.result) results.add(at)
      }
    }
  })
  assert(open.length === 0, 'a function ends with blocks open')
  return { labels, otherwise, results }
}

function assert(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message)
}
