/** Batch normalisation. */
import { noGrad } from '../autograd.ts'
import { ones, zeros } from '../create.ts'
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { buffer, Module, parameter } from './module.ts'
import { requireImages } from './sizes.ts'

/** For both batch normalisations. */
export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number
  /** The new batch's share in the running statistics. Default 0.1. */
  readonly momentum?: number
  /** Whether to learn a scale and a shift. Default true. */
  readonly affine?: boolean
}

/** What BatchNorm1d and BatchNorm2d share: everything but the shapes that they take. */
abstract class BatchNorm extends Module {
  readonly weight: Tensor | null
  readonly bias: Tensor | null
  readonly runningMean: Tensor
  readonly runningVar: Tensor
  readonly #eps: number
  readonly #momentum: number

  constructor(features: number, options: BatchNormOptions = {}) {
    super()
    this.record(BatchNorm, [features, options])
    const affine = options.affine ?? true
    this.weight = affine ? parameter(ones([features])) : null
    this.bias = affine ? parameter(zeros([features])) : null
    this.runningMean = buffer(zeros([features]))
    this.runningVar = buffer(ones([features]))
    this.#eps = options.eps ?? 1e-5
    this.#momentum = options.momentum ?? 0.1
  }

  protected abstract requireShape(x: Tensor): void

  override forward(x: Tensor): Tensor {
    this.requireShape(x)
    const spread = x.shape.map((_, d) => (d === 1 ? -1 : 1))
    const { centred, variance } = this.training ? this.#ofBatch(x) : this.#ofRunning(x, spread)
    const y = centred.mul(variance.add(this.#eps).rsqrt())
    return this.weight && this.bias ? y.mul(this.weight.reshape(spread)).add(this.bias.reshape(spread)) : y
  }

  #ofRunning(x: Tensor, spread: readonly number[]): { centred: Tensor; variance: Tensor } {
    return { centred: x.sub(this.runningMean.reshape(spread)), variance: this.runningVar.reshape(spread) }
  }

  /** By the batch's mean and (biased) variance, which also enter the running ones, the variance there unbiased. */
  #ofBatch(x: Tensor): { centred: Tensor; variance: Tensor } {
    const others = x.shape.map((_, d) => d).filter((d) => d !== 1)
    const count = others.reduce((product, d) => product * (x.shape[d] as number), 1)
    if (count < 2) {
      throw new ShapeError(
        `${this.constructor.name}: a batch of one value a channel, [${x.shape.join(', ')}], has no variance. Use larger batches, dropLast, or eval().`,
      )
    }
    const centred = x.center(others)
    const variance = centred.mul(centred).mean(others, true)
    noGrad(() => {
      const share = this.#momentum
      const unbiased = variance.flatten().mul((share * count) / (count - 1))
      this.runningMean.copy_(this.runningMean.mul(1 - share).add(x.mean(others).mul(share)))
      this.runningVar.copy_(this.runningVar.mul(1 - share).add(unbiased))
    })
    return { centred, variance }
  }
}

/**
 * y = (x − E[x]) / √(Var[x] + eps) · weight + bias, over all but the channels C: [N, C] or [N, C, L]. While training
 * the statistics are the batch's, and running ones are kept: r ← (1 − momentum)·r + momentum·batch; after `eval()` the
 * running ones are used. Throws ShapeError for another number of channels, or a training batch of a single value.
 * Source: Ioffe and Szegedy, "Batch normalization", 2015; torch.nn.BatchNorm1d.
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'descent'
 * const norm = new nn.BatchNorm1d(1, { eps: 0 })
 * console.log(norm.forward(tensor([[1], [3]])).toArray()) // → [ [ -1 ], [ 1 ] ]
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  protected override requireShape(x: Tensor): void {
    const features = this.runningMean.size
    if ((x.ndim !== 2 && x.ndim !== 3) || x.shape[1] !== features) {
      throw new ShapeError(`BatchNorm1d: takes [N, ${features}] or [N, ${features}, L], got [${x.shape.join(', ')}].`)
    }
  }
}

/**
 * As BatchNorm1d, for images: [N, C, H, W], over N, H and W. Source: torch.nn.BatchNorm2d.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const y = new nn.BatchNorm2d(3).forward(randn([8, 3, 5, 5]))
 * console.log(Math.abs(y.mean().item()) < 1e-5) // → true
 * ```
 */
export class BatchNorm2d extends BatchNorm {
  protected override requireShape(x: Tensor): void {
    const features = this.runningMean.size
    if (x.ndim !== 4 || x.shape[1] !== features) {
      throw new ShapeError(`BatchNorm2d: takes [N, ${features}, H, W], got [${x.shape.join(', ')}].`)
    }
  }
}

/**
 * As BatchNorm1d, for volumes: [N, C, D, H, W], over all but C. Source: torch.nn.BatchNorm3d.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * console.log(new nn.BatchNorm3d(2).forward(randn([4, 2, 3, 3, 3])).shape) // → [ 4, 2, 3, 3, 3 ]
 * ```
 */
export class BatchNorm3d extends BatchNorm {
  protected override requireShape(x: Tensor): void {
    requireImages('BatchNorm3d', x, 3, this.runningMean.size)
  }
}
