/**
 * A graph while it is being made. Statements are run as they are added (on the reference device), so that their
 * shapes, dtypes and values are known; one that the library refuses, or that leaves values of no use, is not added.
 */
import { type DType, DTypeError, type Shape, ShapeError, Tensor } from '../src/index.ts'
import { type Entity, invoke, makeInput, type Scope } from './interpret.ts'
import { type Fill, type Input, type Param, type Program, type Statement, sizeOf, type TensorInput } from './program.ts'
import type { Random } from './random.ts'

/** What numbers a graph computes with. */
export type Flavour = 'exact' | 'real' | 'special'

export interface Value {
  readonly id: number
  readonly shape: Shape
  readonly dtype: DType
  readonly size: number
  readonly requiresGrad: boolean
  /** Smallest and largest value; NaN where some value is not finite. */
  readonly low: number
  readonly high: number
  readonly tensor: Tensor
}

export interface Call {
  readonly on: number | null
  readonly call: string
  readonly params: readonly Param[]
  readonly part?: string | number
}

export const ref = ({ id }: { readonly id: number }): Param => ({ ref: id })
export const method = (x: { readonly id: number }, call: string, ...params: readonly Param[]): Call => ({
  on: x.id,
  call,
  params,
})
export const fn = (call: string, ...params: readonly Param[]): Call => ({ on: null, call, params })
export const options = (record: Readonly<Record<string, Param>>): Param => ({ options: record })

export class Builder {
  readonly random: Random
  readonly flavour: Flavour
  /** The extents that shapes of this graph are made of. */
  readonly palette: readonly number[]
  /** The most elements of a value. */
  readonly limit: number
  readonly gradients: boolean
  readonly inputs: Input[] = []
  readonly setup: Statement[] = []
  readonly body: Statement[] = []
  readonly args: number[] = []
  readonly scope: Scope = new Map()
  values: Value[] = []
  /** An error that the last statement threw as it was added: nothing comes after it. */
  ended = false
  #next = 0

  constructor(random: Random, given: Pick<Builder, 'flavour' | 'palette' | 'limit' | 'gradients'>) {
    this.random = random
    this.flavour = given.flavour
    this.palette = given.palette
    this.limit = given.limit
    this.gradients = given.gradients
  }

  // ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────

  extent(): number {
    return this.random.chance(0.12) ? 1 : this.random.pick(this.palette)
  }
  shape(rank = this.random.pick([0, 1, 1, 2, 2, 2, 3, 3, 4, 5])): number[] {
    const shape: number[] = []
    for (let d = 0; d < rank; d++) {
      const extent = this.extent()
      shape.push(sizeOf(shape) * extent <= this.limit ? extent : 1)
    }
    return this.random.shuffled(shape)
  }
  axis(x: Value): number {
    const axis = this.random.whole(0, x.shape.length - 1)
    return this.random.chance(0.2) ? axis - x.shape.length : axis
  }

  // ── values ───────────────────────────────────────────────────────────────────────────────────────────────────

  pick(fits: (x: Value) => boolean = () => true): Value | null {
    const fitting = this.values.filter(fits)
    if (fitting.length === 0) return null
    // Later values more often: so graphs become deep.
    const recent = fitting.slice(-3)
    return this.random.pick(this.random.chance(0.6) ? recent : fitting)
  }
  /** An f32 value that fits, or a new input where there is none. */
  float(fits: (x: Value) => boolean = () => true): Value {
    return this.pick((x) => x.dtype === 'f32' && fits(x)) ?? this.input(this.shape())
  }
  fill(): Fill {
    const { random } = this
    if (this.flavour === 'exact') return random.pick<Fill>(['whole', 'whole', 'half'])
    if (this.flavour === 'real') return random.pick<Fill>(['unit', 'unit', 'unit', 'positive', 'whole'])
    return random.pick<Fill>(['special', 'special', 'wide', 'unit', 'whole'])
  }

  input(shape: Shape, dtype: DType = 'f32', fill: Fill = this.fill()): Value {
    const { random } = this
    const requiresGrad = this.gradients && dtype === 'f32' && random.chance(0.7)
    const input: TensorInput = {
      kind: 'tensor',
      id: this.#next++,
      shape,
      dtype,
      fill,
      seed: random.whole(0, 2 ** 30),
      requiresGrad,
    }
    this.inputs.push(input)
    const tensor = makeInput(input)
    this.scope.set(input.id, tensor)
    return this.#note(input.id, tensor)
  }
  numberInput(): number {
    const id = this.#next++
    const value = this.flavour === 'exact' ? this.random.whole(-2, 3) : this.random.pick([0.5, -1.25, 2, 0.375])
    this.inputs.push({ kind: 'number', id, value })
    this.args.push(id)
    this.scope.set(id, value)
    return id
  }
  generatorInput(make: (seed: number) => Entity): number {
    const known = this.inputs.find((input) => input.kind === 'generator')
    if (known && this.random.chance(0.8)) return known.id
    const id = this.#next++
    const seed = this.random.whole(0, 2 ** 30)
    this.inputs.push({ kind: 'generator', id, seed })
    this.scope.set(id, make(seed))
    return id
  }
  /** i32 values below `size`: an earlier value that fits, or a new input. */
  places(shape: Shape, size: number): Value {
    const { random } = this
    const fits = (x: Value): boolean =>
      x.dtype === 'i32' && String(x.shape) === String(shape) && x.low >= 0 && x.high < size
    const known = random.chance(0.5) ? this.pick(fits) : null
    // Sometimes one lies outside: every device must say so.
    const beyond = random.chance(0.02) ? 1 : 0
    return known ?? this.input(shape, 'i32', { below: size + beyond })
  }

  // ── statements ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Adds a statement to the function, or before it; null where the library refuses it or its values are of no use. */
  add(call: Call, where: 'setup' | 'body' = 'body'): Value | null {
    const statement: Statement = { id: this.#next, ...call }
    try {
      invoke(statement, this.scope)
    } catch (error) {
      if (error instanceof ShapeError || error instanceof DTypeError) return null
      this.ended = true
      this[where].push(statement)
      return null
    }
    const result = this.scope.get(statement.id)
    if (!(result instanceof Tensor)) {
      this.#next++
      this[where].push(statement)
      return null
    }
    if (result.size > this.limit * 2 || result.ndim > 6) return this.#refuse(statement.id)
    const value = this.#measured(statement.id, result)
    const wild = Number.isNaN(value.low) || Math.max(-value.low, value.high) > 1e6
    if (this.flavour !== 'special' && wild && value.size > 0 && value.dtype === 'f32' && this.random.chance(0.97))
      return this.#refuse(statement.id)
    this.#next++
    this[where].push(statement)
    this.values.push(value)
    return value
  }

  #refuse(id: number): null {
    this.scope.delete(id)
    return null
  }

  #note(id: number, tensor: Tensor): Value {
    const value = this.#measured(id, tensor)
    this.values.push(value)
    return value
  }

  #measured(id: number, tensor: Tensor): Value {
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (const x of tensor.values()) {
      if (!Number.isFinite(x)) low = Number.NaN
      low = Math.min(low, x)
      high = Math.max(high, x)
    }
    const { shape, dtype, size, requiresGrad } = tensor
    return { id, shape, dtype, size, requiresGrad, low, high, tensor }
  }

  /** The tensor with this number has been overwritten: values that see it must not be used any more. */
  overwritten(id: number): void {
    const target = this.scope.get(id) as Tensor
    const aliases = (x: Value): boolean => x.tensor.stored.storage === target.stored.storage
    const outside = new Set([
      ...this.inputs.map((input) => input.id),
      ...this.setup.map((statement) => statement.id).filter((seen) => !this.args.includes(seen)),
    ])
    this.values = this.values
      .filter((x) => !aliases(x) || outside.has(x.id))
      .map((x) => (aliases(x) ? this.#measured(x.id, x.tensor) : x))
  }

  program(outputs: readonly number[], zeroGrad: boolean, calls: number): Program {
    return { inputs: this.inputs, setup: this.setup, args: this.args, body: this.body, outputs, zeroGrad, calls }
  }
}
