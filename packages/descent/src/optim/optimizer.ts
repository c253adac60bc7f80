/**
 * What optimizers share. All that changes from step to step (slots, the number of steps, the learning rate) lives in
 * tensors that exist before the first step, and a step is tensor operations: so compile() makes it one kernel, and a
 * new learning rate never a new plan.
 */
import { noGrad } from '../autograd.ts'
import { full, zeros } from '../create.ts'
import { loadInto, type StateDict } from '../nn/state-dict.ts'
import type { Tensor } from '../tensor.ts'

/** What optimizers share: parameters, a learning rate, and a state that can be saved. */
export abstract class Optimizer {
  readonly parameters: readonly Tensor[]
  readonly #state = new Map<string, Tensor>()
  readonly #rate: Tensor
  #lr: number

  constructor(parameters: Iterable<Tensor>, lr: number) {
    this.parameters = [...new Set(parameters)]
    if (this.parameters.length === 0) throw new RangeError('An optimizer needs at least one parameter.')
    const frozen = this.parameters.find((p) => p.derivation !== null)
    if (frozen)
      throw new RangeError(`A parameter [${frozen.shape}] is the result of an operation: optimizers change leaves.`)
    this.#lr = requireRate(lr)
    this.#rate = full([], lr)
    this.#state.set('lr', this.#rate)
  }

  /** The learning rate. Setting it takes effect at the next step, compiled or not. */
  get lr(): number {
    return this.#lr
  }

  set lr(lr: number) {
    this.#lr = requireRate(lr)
    this.#rate.fill_(lr)
  }

  /** The learning rate as a step reads it: f32 []. */
  protected get rate(): Tensor {
    return this.#rate
  }

  /** A tensor of zeros that belongs to the state dict. */
  protected counter(name: string): Tensor {
    const state = zeros([])
    this.#state.set(name, state)
    return state
  }

  /** Zeros of every parameter's shape that belong to the state dict, as `name.0`, `name.1`, … */
  protected slots(name: string): Tensor[] {
    return this.parameters.map((p, i) => {
      const slot = zeros(p.shape)
      this.#state.set(`${name}.${i}`, slot)
      return slot
    })
  }

  /** Changes parameter number i, of this gradient, in place. */
  protected abstract update(parameter: Tensor, gradient: Tensor, i: number): void

  /** Once a step, before the updates: what they have in common. */
  protected begin(): void {}

  /** Moves every parameter that has a gradient. */
  step(): void {
    noGrad(() => {
      this.begin()
      for (const [i, p] of this.parameters.entries()) if (p.grad) this.update(p, p.grad, i)
    })
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const p of this.parameters) p.grad = null
  }

  /** The learning rate, counters and slots by name. They share their values with the optimizer. */
  stateDict(): StateDict {
    return Object.fromEntries(Array.from(this.#state, ([name, value]) => [name, value.detach()]))
  }

  /** Takes over a state dict. Throws StateDictError, before anything is changed, where it does not fit. */
  loadStateDict(state: StateDict): this {
    loadInto(this.#state, state, true)
    this.#lr = this.#rate.item()
    return this
  }
}

function requireRate(lr: number): number {
  if (!(lr >= 0)) throw new RangeError(`The learning rate must be 0 or more, not ${lr}.`)
  return lr
}
