/** Transposed convolutions: a convolution's way back, from small to large. */
import { zeros } from '../create.ts'
import { ShapeError } from '../errors.ts'
import { convTranspose } from '../functions/products.ts'
import type { Generator } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { requireGroups } from './conv.ts'
import * as init from './init.ts'
import { Module, parameter } from './module.ts'
import { onBatch, type Sizes, sizes } from './sizes.ts'

export interface ConvTransposeOptions {
  /** Default 1. */
  readonly stride?: Sizes
  /** Cut off from each side of the result. Default 0. */
  readonly padding?: Sizes
  /** Added to the end of the result, less than the stride or the dilation. Default 0. */
  readonly outputPadding?: Sizes
  /** Default 1. */
  readonly dilation?: Sizes
  /** Default 1. */
  readonly groups?: number
  /** Default true. */
  readonly bias?: boolean
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

/** What the transposed convolutions share. */
export abstract class ConvTranspose extends Module {
  readonly weight: Tensor
  readonly bias: Tensor | null
  readonly #n: number
  readonly #options: Record<'stride' | 'padding' | 'outputPadding' | 'dilation', number[]> & { groups: number }

  constructor(n: number, inputs: number, outputs: number, kernelSize: Sizes, options: ConvTransposeOptions) {
    super()
    const name = `ConvTranspose${n}d`
    const { groups = 1 } = options
    requireGroups(name, inputs, outputs, groups)
    this.#n = n
    const [stride, padding, outputPadding, dilation] = [
      sizes(name, options.stride ?? 1, n, 1),
      sizes(name, options.padding ?? 0, n),
      sizes(name, options.outputPadding ?? 0, n),
      sizes(name, options.dilation ?? 1, n, 1),
    ]
    for (const [i, more] of outputPadding.entries()) {
      const most = Math.max(stride[i] as number, dilation[i] as number)
      if (more >= most) {
        throw new ShapeError(`${name}: outputPadding ${more} must be less than stride or dilation, ${most}.`)
      }
    }
    this.#options = { stride, padding, outputPadding, dilation, groups }
    const shape = [inputs, outputs / groups, ...sizes(name, kernelSize, n, 1)]
    this.weight = parameter(init.kaimingUniform(zeros(shape), { ...options, a: Math.sqrt(5) }))
    const bound = 1 / Math.sqrt(init.fans(this.weight).fanIn)
    this.bias = options.bias === false ? null : parameter(init.uniform(zeros([outputs]), -bound, bound, options))
  }

  override forward(x: Tensor): Tensor {
    const channels = this.weight.shape[0] as number
    return onBatch(`ConvTranspose${this.#n}d`, x, this.#n, (batch) => this.#ofBatch(batch), channels)
  }

  #ofBatch(x: Tensor): Tensor {
    const y = convTranspose(x, this.weight, this.#options)
    return this.bias ? y.add(this.bias.reshape([1, -1, ...this.#options.stride.map(() => 1)])) : y
  }
}

/**
 * The transposed convolution over sequences: [N, in, L] → [N, out, L′], or without N; as ConvTranspose2d with one
 * spatial dimension.
 * Source: torch.nn.ConvTranspose1d.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * const layer = new nn.ConvTranspose1d(3, 4, 4, { stride: 2, padding: 1 })
 * console.log(layer.forward(zeros([2, 3, 6])).shape) // → [ 2, 4, 12 ]
 * ```
 */
export class ConvTranspose1d extends ConvTranspose {
  constructor(inputs: number, outputs: number, kernelSize: Sizes, options: ConvTransposeOptions = {}) {
    super(1, inputs, outputs, kernelSize, options)
    this.record(ConvTranspose1d, [inputs, outputs, kernelSize, options])
  }
}

/**
 * Every input element adds its multiple of the kernel to the result, `stride` apart: [N, in, H, W] → [N, out, H′, W′],
 * or one image [in, H, W] → [out, H′, W′], with H′ = (H − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1; it is the gradient of a Conv2d with
 * respect to its input. W [in, out/groups, kernelH, kernelW], b [out]. Throws ShapeError where the channels do not fit,
 * or outputPadding is not below stride or dilation. Source: torch.nn.ConvTranspose2d.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * const layer = new nn.ConvTranspose2d(3, 8, 3, { stride: 2, padding: 1, outputPadding: 1 })
 * console.log(layer.forward(zeros([1, 3, 14, 14])).shape) // → [ 1, 8, 28, 28 ]
 * ```
 */
export class ConvTranspose2d extends ConvTranspose {
  constructor(inputs: number, outputs: number, kernelSize: Sizes, options: ConvTransposeOptions = {}) {
    super(2, inputs, outputs, kernelSize, options)
    this.record(ConvTranspose2d, [inputs, outputs, kernelSize, options])
  }
}

/**
 * The transposed convolution over volumes: [N, in, D, H, W] → [N, out, D′, H′, W′], or without N; as ConvTranspose2d with three
 * spatial dimensions. Source: torch.nn.ConvTranspose3d.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * console.log(new nn.ConvTranspose3d(2, 1, 2, { stride: 2 }).forward(zeros([1, 2, 2, 3, 3])).shape) // → [ 1, 1, 4, 6, 6 ]
 * ```
 */
export class ConvTranspose3d extends ConvTranspose {
  constructor(inputs: number, outputs: number, kernelSize: Sizes, options: ConvTransposeOptions = {}) {
    super(3, inputs, outputs, kernelSize, options)
    this.record(ConvTranspose3d, [inputs, outputs, kernelSize, options])
  }
}
