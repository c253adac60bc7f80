/** Normalisation of each channel of each example by itself, or by running statistics. */
import { noGrad } from '../autograd.ts'
import { ones, zeros } from '../create.ts'
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { groupNorm } from './group-norm.ts'
import { buffer, Module, parameter } from './module.ts'
import { onBatch } from './sizes.ts'

export interface InstanceNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number
  /** The new batch's share in the running statistics. Default 0.1. */
  readonly momentum?: number
  /** Whether to learn a scale and a shift. Default false. */
  readonly affine?: boolean
  /** Whether to keep running statistics, which are used after `eval()`. Default false. */
  readonly trackRunningStats?: boolean
}

/** What the instance norms share: everything but the number of spatial dimensions. */
abstract class InstanceNorm extends Module {
  readonly weight: Tensor | null
  readonly bias: Tensor | null
  readonly runningMean: Tensor | null
  readonly runningVar: Tensor | null
  readonly #n: number
  readonly #features: number
  readonly #eps: number
  readonly #momentum: number

  constructor(n: number, features: number, options: InstanceNormOptions) {
    super()
    const { affine = false, trackRunningStats = false } = options
    this.#n = n
    this.#features = features
    this.#eps = options.eps ?? 1e-5
    this.#momentum = options.momentum ?? 0.1
    this.weight = affine ? parameter(ones([features])) : null
    this.bias = affine ? parameter(zeros([features])) : null
    this.runningMean = trackRunningStats ? buffer(zeros([features])) : null
    this.runningVar = trackRunningStats ? buffer(ones([features])) : null
  }

  override forward(x: Tensor): Tensor {
    return onBatch(`InstanceNorm${this.#n}d`, x, this.#n, (batch) => this.#ofBatch(batch), this.#features)
  }

  #ofBatch(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar } = this
    if (runningMean && runningVar && !this.training) {
      const channelwise = x.shape.map((_, d) => (d === 1 ? -1 : 1))
      const spread = runningVar.add(this.#eps).rsqrt()
      const scale = weight ? weight.mul(spread) : spread
      const y = x.sub(runningMean.reshape(channelwise)).mul(scale.reshape(channelwise))
      return bias ? y.add(bias.reshape(channelwise)) : y
    }
    const count = x.shape.slice(2).reduce((product, extent) => product * extent, 1)
    if (count < 2) {
      throw new ShapeError(`InstanceNorm${this.#n}d: a channel of one value, [${x.shape.join(', ')}], has no variance.`)
    }
    if (runningMean && runningVar) this.#track(x, runningMean, runningVar)
    return groupNorm(x, this.#features, { weight, bias, eps: this.#eps })
  }

  /** The means over the batch of each example's mean and unbiased variance enter the running ones. */
  #track(x: Tensor, runningMean: Tensor, runningVar: Tensor): void {
    noGrad(() => {
      const share = this.#momentum
      const inside = x.shape.map((_, d) => d).slice(2)
      runningMean.copy_(runningMean.mul(1 - share).add(x.mean([0, ...inside]).mul(share)))
      runningVar.copy_(runningVar.mul(1 - share).add(x.variance(inside).mean(0).mul(share)))
    })
  }
}

/**
 * Each channel of each example normalised by itself: [N, C, L] or [C, L]; as InstanceNorm2d over one dimension.
 * Source: torch.nn.InstanceNorm1d.
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'descent'
 * console.log(new nn.InstanceNorm1d(1, { eps: 0 }).forward(tensor([[[1, 3]]])).toArray()) // → [ [ [ -1, 1 ] ] ]
 * ```
 */
export class InstanceNorm1d extends InstanceNorm {
  constructor(features: number, options: InstanceNormOptions = {}) {
    super(1, features, options)
    this.record(InstanceNorm1d, [features, options])
  }
}

/**
 * Each channel of each image normalised by itself, y = (x − E[x]) / √(Var[x] + eps) · weight + bias: [N, C, H, W] or
 * [C, H, W]. With `trackRunningStats` running statistics are kept while training, r ← (1 − momentum)·r + momentum·s
 * with s the mean over the batch, of the unbiased variance in `runningVar`, and used after `eval()`. Throws ShapeError
 * for another number of channels, or a channel of a single value. Source: Ulyanov et al., "Instance normalization",
 * 2016; torch.nn.InstanceNorm2d.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const y = new nn.InstanceNorm2d(3).forward(randn([2, 3, 8, 8]))
 * console.log(y.mean([2, 3]).abs().max().item() < 1e-5) // → true
 * ```
 */
export class InstanceNorm2d extends InstanceNorm {
  constructor(features: number, options: InstanceNormOptions = {}) {
    super(2, features, options)
    this.record(InstanceNorm2d, [features, options])
  }
}

/**
 * Each channel of each volume normalised by itself: [N, C, D, H, W] or [C, D, H, W]; as InstanceNorm2d over three
 * dimensions. Source: torch.nn.InstanceNorm3d.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * console.log(new nn.InstanceNorm3d(2).forward(randn([1, 2, 3, 4, 5])).shape) // → [ 1, 2, 3, 4, 5 ]
 * ```
 */
export class InstanceNorm3d extends InstanceNorm {
  constructor(features: number, options: InstanceNormOptions = {}) {
    super(3, features, options)
    this.record(InstanceNorm3d, [features, options])
  }
}
