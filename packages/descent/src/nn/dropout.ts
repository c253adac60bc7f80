/** Dropout: of elements, of whole channels, and the one that keeps the spread of SELU networks. */
import { zeros } from '../create.ts'
import type { Shape } from '../dtype.ts'
import { type Generator, rand } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'
import { requireImages } from './sizes.ts'

/** What the dropouts share: the probability, and numbers made of it. */
abstract class AnyDropout extends Module {
  /** As tensors: a compiled function reads them anew at each call. */
  readonly #state: readonly Tensor[]
  #p = 0
  protected readonly generator: { generator?: Generator }

  constructor(p: number, numbers: number, options: { readonly generator?: Generator }) {
    super()
    this.#state = Array.from({ length: numbers }, () => zeros([]))
    this.p = p
    this.generator = options
  }

  /** The probability with which an element is dropped. */
  get p(): number {
    return this.#p
  }

  set p(p: number) {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`Dropout: p = ${p} is not a probability from 0 to 1.`)
    this.#p = p
    for (const [i, value] of this.numbers(p).entries()) this.#state[i]?.fill_(value)
  }

  /** What the forward computes with, the probability first. */
  protected abstract numbers(p: number): number[]

  /** Of a mask of this shape: what stays. */
  protected stays(shape: Shape): Tensor {
    return rand(shape, this.generator).ge(this.#state[0] as Tensor)
  }

  protected number(i: number): Tensor {
    return this.#state[i] as Tensor
  }
}

/**
 * While training each element is 0 with probability p and x / (1 − p) otherwise, so that its expected value is x;
 * after `eval()` elements pass as they are. Any shape. `p` can be changed at any time without a new plan. Throws
 * RangeError for a p outside of [0, 1]. Source: Srivastava et al., "Dropout", 2014; torch.nn.Dropout.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const dropout = new nn.Dropout(0.5)
 * console.log(new Set(dropout.forward(ones([100])).data())) // → Set(2) { 0, 2 }
 * console.log(new Set(dropout.eval().forward(ones([100])).data())) // → Set(1) { 1 }
 * ```
 */
export class Dropout extends AnyDropout {
  constructor(p = 0.5, options: { readonly generator?: Generator } = {}) {
    super(p, 2, options)
    this.record(Dropout, [p, options])
  }

  protected override numbers(p: number): number[] {
    return [p, p === 1 ? 0 : 1 / (1 - p)]
  }

  /** The shape of the mask: of the whole input. */
  protected maskShape(x: Tensor): Shape {
    return x.shape
  }

  override forward(x: Tensor): Tensor {
    if (!this.training) return x
    return this.stays(this.maskShape(x)).where(x.mul(this.number(1)), 0)
  }
}

/** A mask for each channel of each example. */
abstract class ChannelDropout extends Dropout {
  protected readonly dimensions: number = 2

  protected override maskShape(x: Tensor): Shape {
    requireImages('Dropout of channels', x, this.dimensions)
    return x.shape.map((extent, d) => (d < 2 ? extent : 1))
  }
}

/**
 * As Dropout, but whole channels of sequences [N, C, L] are dropped together. Source: torch.nn.Dropout1d.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const y = new nn.Dropout1d(0.5).forward(ones([1, 4, 9]))
 * console.log(y.std(2).max().item()) // → 0
 * ```
 */
export class Dropout1d extends ChannelDropout {
  protected override readonly dimensions = 1
}

/**
 * As Dropout, but whole channels of images [N, C, H, W] are dropped together: neighbouring pixels say much the same,
 * so that dropping single ones would change little. Source: Tompson et al., "Efficient object localization using
 * convolutional networks", 2015; torch.nn.Dropout2d.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const y = new nn.Dropout2d(0.5).forward(ones([1, 4, 3, 3]))
 * console.log(y.flatten(2).std(2).max().item()) // → 0
 * ```
 */
export class Dropout2d extends ChannelDropout {
  protected override readonly dimensions = 2
}

/**
 * As Dropout, but whole channels of volumes [N, C, D, H, W] are dropped together. Source: torch.nn.Dropout3d.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const y = new nn.Dropout3d(0.5).forward(ones([1, 4, 2, 2, 2]))
 * console.log(y.flatten(2).std(2).max().item()) // → 0
 * ```
 */
export class Dropout3d extends ChannelDropout {
  protected override readonly dimensions = 3
}

/** The value that SELU goes towards for small inputs. */
const lowest = -1.7580993408473766

/**
 * Dropout for SELU: dropped elements become SELU's lowest value, and everything is scaled and shifted so that mean and
 * variance stay. Any shape. Source: Klambauer et al., "Self-normalizing neural networks", 2017; torch.nn.AlphaDropout.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const y = new nn.AlphaDropout(0.2).forward(randn([10000]))
 * console.log(Math.abs(y.std().item() - 1) < 0.1) // → true
 * ```
 */
export class AlphaDropout extends AnyDropout {
  constructor(p = 0.5, options: { readonly generator?: Generator } = {}) {
    super(p, 3, options)
    this.record(AlphaDropout, [p, options])
  }

  protected override numbers(p: number): number[] {
    const scale = p === 1 ? 0 : 1 / Math.sqrt((1 - p) * (1 + p * lowest ** 2))
    return [p, scale, -scale * lowest * p]
  }

  override forward(x: Tensor): Tensor {
    if (!this.training) return x
    return this.stays(x.shape).where(x, lowest).mul(this.number(1)).add(this.number(2))
  }
}

/**
 * Dropout as a function: each element is 0 with probability p and x / (1 − p) otherwise, where `training`. Any shape.
 * Source: torch.nn.functional.dropout.
 *
 * @example
 * ```ts
 * import { dropout, ones } from 'descent'
 * console.log(dropout(ones([3]), 0.5, { training: false }).toArray()) // → [ 1, 1, 1 ]
 * ```
 */
export function dropout(
  x: Tensor,
  p: number,
  options: {
    /** Default true. */
    readonly training?: boolean
    readonly generator?: Generator
  } = {},
): Tensor {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`dropout: p = ${p} is not a probability from 0 to 1.`)
  if (options.training === false || p === 0) return x
  return rand(x.shape, options.generator ? { generator: options.generator } : {})
    .ge(p)
    .where(x.mul(p === 1 ? 0 : 1 / (1 - p)), 0)
}
