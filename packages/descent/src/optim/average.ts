/** Averages of weights over the steps of a training, which often predict better than the last weights. */
import { noGrad } from '../autograd.ts'
import { full, zeros } from '../create.ts'
import { TraceError } from '../errors.ts'
import { loadInto, type StateDict } from '../nn/state-dict.ts'
import type { Tensor } from '../tensor.ts'
import { activeTrace } from '../trace.ts'
import { type AnyParameters, named } from './named.ts'

export interface AverageOptions {
  /** What stays of the average in each update. Default 0.999. */
  readonly decay?: number
  /**
   * Let the decay grow as min(decay, (1 + t) / (10 + t)) over the first updates t, so that they count for more.
   * Default false.
   */
  readonly warmUp?: boolean
}

/**
 * The exponential moving average a ← decay·a + (1 − decay)·w of every parameter w; at the first update a = w. Call
 * `update()` after each step of the optimizer (it compiles with it), and evaluate inside of `use`. Give
 * `net.namedParameters()` for a state dict with the network's names. Throws RangeError for a decay outside of [0, 1].
 * Source: Polyak and Juditsky, 1992; torch.optim.swa_utils.AveragedModel with get_ema_avg_fn; the warm-up is
 * TensorFlow's ExponentialMovingAverage with num_updates.
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'descent'
 * const w = tensor([0], { requiresGrad: true })
 * const average = new optim.ExponentialMovingAverage([w], { decay: 0.5 })
 * for (const value of [1, 2, 3]) {
 *   w.fill_(value)
 *   average.update()
 * }
 * console.log(average.use(() => w.item()), w.item()) // → 2.25 3
 * ```
 */
export class ExponentialMovingAverage {
  readonly #entries: readonly { readonly name: string; readonly weight: Tensor; readonly average: Tensor }[]
  /** 1 − decay, which keeps the digits of a decay near 1. */
  readonly #share: Tensor
  readonly #updates: Tensor
  readonly #warmUp: boolean

  constructor(parameters: AnyParameters, options: AverageOptions = {}) {
    const { decay = 0.999, warmUp = false } = options
    if (!(decay >= 0 && decay <= 1)) {
      throw new RangeError(`ExponentialMovingAverage: decay must be from 0 to 1, not ${decay}.`)
    }
    this.#entries = named(parameters).map(([name, weight], i) => ({
      name: name.includes(' ') ? String(i) : name,
      weight,
      average: noGrad(() => weight.clone()),
    }))
    this.#share = full([], 1 - decay)
    this.#updates = zeros([])
    this.#warmUp = warmUp
  }

  /** The averages, in the order of the parameters. */
  get averages(): readonly Tensor[] {
    return this.#entries.map(({ average }) => average)
  }

  /** Takes the present weights into the averages. */
  update(): void {
    noGrad(() => {
      const t = this.#updates
      const share = this.#warmUp ? this.#share.maximum(t.add(10).reciprocal().mul(9)) : this.#share
      const first = t.eq(0).where(1, share)
      for (const { weight, average } of this.#entries) average.copy_(average.add(weight.sub(average).mul(first)))
      this.#updates.copy_(t.add(1))
    })
  }

  /** Exchanges weights and averages, in place; once more, and all is as before. */
  swap(): void {
    if (activeTrace()) throw new TraceError('Weights and averages are exchanged outside of compiled functions.')
    noGrad(() => {
      for (const { weight, average } of this.#entries) {
        const values = weight.clone()
        weight.copy_(average)
        average.copy_(values)
      }
    })
  }

  /** Runs `fn`, perhaps asynchronous, while the weights are the averages, and gives what it gives. */
  use<T>(fn: () => T): T {
    this.swap()
    let pending = false
    try {
      const result = fn()
      if (result instanceof Promise) {
        pending = true
        return result.finally(() => this.swap()) as T
      }
      return result
    } finally {
      if (!pending) this.swap()
    }
  }

  /** Averages by the parameters' names, and the number of updates. */
  stateDict(): StateDict {
    return Object.fromEntries(this.#state())
  }

  /** Takes over a state dict. Throws StateDictError, before anything is changed, where it does not fit. */
  loadStateDict(state: StateDict): this {
    noGrad(() => loadInto(new Map(this.#state()), state, true))
    return this
  }

  #state(): [string, Tensor][] {
    return [
      ['n_averaged', this.#updates],
      ...this.#entries.map(({ name, average }): [string, Tensor] => [`average.${name}`, average]),
    ]
  }
}
