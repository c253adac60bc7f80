/** Runs a graph through the public interface, on a device, operation by operation or compiled. */
import type { DeviceName, DType, Shape } from '../src/index.ts'
import * as descent from '../src/index.ts'
import * as loops from './loops.ts'
import {
  isList,
  overwritten,
  type Param,
  type Program,
  type Statement,
  statementRefs,
  type TensorInput,
  valuesOf,
} from './program.ts'

const { Tensor, Generator } = descent

export type Mode = 'eager' | 'compiled'

/** One tensor that a run leaves: an output of some call, a gradient, or a tensor that was written. */
export interface Result {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly values: ArrayLike<number>
}

export interface Outcome {
  readonly results: readonly Result[]
  readonly error: { readonly name: string; readonly message: string } | null
  /** Whether some value had no elements. */
  readonly empty: boolean
  /** Whether some angle was so large that its sine says nothing; known for eager runs. */
  readonly largeAngles: boolean
}

export type Entity = descent.Tensor | descent.Generator | number
export type Scope = Map<number, Entity>

/** How the oracle disturbs the values of inputs, and of operations that are less exact than others. */
export interface Disturb {
  relative(value: number, place: number): number
  /** Uniform in [−1, 1). */
  absolute(): number
}

export function makeInput(input: TensorInput, call = 0, disturb?: Disturb): descent.Tensor {
  const { shape, dtype, requiresGrad } = input
  const plain = valuesOf(input, call)
  if (dtype === 'i32') return descent.tensor(Int32Array.from(plain), { shape })
  if (dtype === 'bool') return descent.tensor(Uint8Array.from(plain), { shape })
  return descent.tensor(Float32Array.from(disturb ? plain.map((value, i) => disturb.relative(value, i)) : plain), {
    shape,
    requiresGrad,
  })
}

function tensorIn(scope: Scope, id: number): descent.Tensor {
  const x = scope.get(id)
  if (!(x instanceof Tensor)) throw new Error(`fuzz: v${id} is no tensor`)
  return x
}

function resolve(param: Param, scope: Scope): unknown {
  if (typeof param !== 'object' || param === null) return param
  if (isList(param)) return param.map((item) => resolve(item, scope))
  if ('ref' in param) return scope.get(param.ref)
  if ('grad' in param) return tensorIn(scope, param.grad).grad
  return Object.fromEntries(Object.entries(param.options).map(([name, item]) => [name, resolve(item, scope)]))
}

/** Runs one statement; what it gives, if it is a tensor, is in the scope afterwards. */
export function invoke({ id, on, call, params, part }: Statement, scope: Scope): void {
  const receiver: unknown = on === null ? (Reflect.has(loops, call) ? loops : descent) : scope.get(on)
  if (typeof receiver !== 'object' || receiver === null) throw new Error(`fuzz: v${on} cannot be called`)
  const method: unknown = Reflect.get(receiver, call)
  if (typeof method !== 'function') throw new Error(`fuzz: there is no ${call}`)
  const whole: unknown = Reflect.apply(
    method,
    receiver,
    params.map((param) => resolve(param, scope)),
  )
  const result: unknown = part === undefined ? whole : Reflect.get(whole as object, part)
  if (result instanceof Tensor) scope.set(id, result)
}

/** From here on sines, cosines and tangents are those of another angle (see math.ts). */
const LARGE_ANGLE = 3e4

function hasLargeAngle({ on, call }: Statement, scope: Scope): boolean {
  if (on === null || !['sin', 'cos', 'tan'].includes(call)) return false
  return tensorIn(scope, on)
    .values()
    .some((x) => Math.abs(x) > LARGE_ANGLE)
}

/** Normal numbers have an absolute error of their own, for the cosine of an angle is as exact as the angle. */
function roughen({ id, call }: Statement, scope: Scope, { absolute }: Disturb): void {
  const result = scope.get(id)
  if (call === 'randn' && result instanceof Tensor) result.copy_(result.values().map((x) => x + 1e-6 * absolute()))
}

/** The graph means something else compiled than eager, so that it says nothing. */
export class StaleError extends Error {
  override name = 'StaleError'
}

/**
 * Within a compiled function a value stays what it was when a tensor that it is a view of is overwritten; eager, it
 * changes too. Graphs that read such a value afterwards, or send gradients through it, are not to be compared.
 */
class Freshness {
  readonly #scope: Scope
  /** Values of this call: those from outside are read anew. */
  readonly #own: Set<number>
  readonly #stale = new Set<number>()
  #written = false

  constructor(program: Program, scope: Scope) {
    this.#scope = scope
    this.#own = new Set(program.args)
  }

  before(statement: Statement): void {
    this.requireFresh(statementRefs(statement))
    if (this.#written && statement.call === 'backward')
      throw new StaleError('backward() after a tensor was overwritten')
  }

  after({ id, on, call }: Statement): void {
    this.#own.add(id)
    if (on === null || !['copy_', 'fill_', 'zero_'].includes(call)) return
    this.#written = true
    const { storage } = tensorIn(this.#scope, on).stored
    for (const own of this.#own) {
      const x = this.#scope.get(own)
      if (own !== id && x instanceof Tensor && x.stored.storage === storage) this.#stale.add(own)
    }
  }

  requireFresh(ids: readonly number[]): void {
    const stale = ids.find((id) => this.#stale.has(id))
    if (stale !== undefined) throw new StaleError(`v${stale} is a view of a tensor that was overwritten`)
  }
}

export function run(program: Program, device: DeviceName, mode: Mode, disturb?: Disturb): Outcome {
  const results: Result[] = []
  let empty = program.inputs.some((input) => input.kind === 'tensor' && input.shape.includes(0))
  let largeAngles = false
  const note = (name: string, x: descent.Tensor): void => {
    results.push({ name, dtype: x.dtype, shape: x.shape, values: x.values() })
  }
  try {
    descent.setDevice(device)
    const scope: Scope = new Map()
    for (const input of program.inputs) {
      if (input.kind === 'tensor') scope.set(input.id, makeInput(input, 0, disturb))
      else scope.set(input.id, input.kind === 'number' ? input.value : new Generator(input.seed))
    }
    for (const statement of program.setup) {
      invoke(statement, scope)
      const made = scope.get(statement.id)
      empty ||= made instanceof Tensor && made.size === 0
    }
    const states = overwritten(program)
    const leaves = program.inputs.filter((input) => input.kind === 'tensor' && input.requiresGrad)
    const body = (...given: Entity[]): descent.Tensor[] => {
      const local: Scope = new Map(scope)
      for (const [i, id] of program.args.entries()) local.set(id, given[i] as Entity)
      if (program.zeroGrad) for (const { id } of leaves) tensorIn(local, id).grad = null
      const fresh = mode === 'eager' ? new Freshness(program, local) : null
      for (const statement of program.body) {
        fresh?.before(statement)
        if (fresh) largeAngles ||= hasLargeAngle(statement, local)
        invoke(statement, local)
        const made = local.get(statement.id)
        empty ||= made instanceof Tensor && made.size === 0
        if (disturb) roughen(statement, local, disturb)
        fresh?.after(statement)
      }
      fresh?.requireFresh(program.outputs)
      return program.outputs.map((id) => tensorIn(local, id))
    }
    const fn = mode === 'compiled' ? descent.compile(body) : body
    for (let call = 0; call < program.calls; call++) {
      const given = program.args.map((id) => argument(program, scope, id, call, disturb))
      for (const [i, x] of fn(...given).entries()) note(`output ${i} of call ${call + 1}`, x)
      for (const { id } of leaves) {
        const gradient = tensorIn(scope, id).grad
        if (gradient) note(`gradient of v${id} after call ${call + 1}`, gradient)
      }
      for (const id of states) note(`v${id} after call ${call + 1}`, tensorIn(scope, id))
    }
    for (const input of program.inputs) {
      const entity = scope.get(input.id)
      if (entity instanceof Tensor) note(`v${input.id} afterwards`, entity)
      if (entity instanceof Generator) note(`v${input.id}.draws afterwards`, entity.draws)
    }
    return { results, error: null, empty, largeAngles }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { results, error: { name: error.name, message: error.message }, empty, largeAngles }
  }
}

/** Arguments without gradients have other values at each call. */
function argument(program: Program, scope: Scope, id: number, call: number, disturb?: Disturb): Entity {
  const input = program.inputs.find((candidate) => candidate.id === id)
  if (call > 0 && input?.kind === 'number') return Math.fround(input.value + 0.5 * call)
  if (call > 0 && input?.kind === 'tensor' && !input.requiresGrad) return makeInput(input, call, disturb)
  return scope.get(id) as Entity
}
