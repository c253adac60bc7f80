/** Convolutional layers over sequences, images and volumes. */
import { zeros } from '../create.ts'
import { ShapeError } from '../errors.ts'
import { conv } from '../functions/products.ts'
import type { Generator } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import * as init from './init.ts'
import { Module, parameter } from './module.ts'
import { type PaddingMode, padEdges } from './padding.ts'
import { onBatch, type Sizes, sizes } from './sizes.ts'

export interface ConvOptions {
  /** Default 1. */
  readonly stride?: Sizes
  /** On each side: a size, 'valid' for none, or 'same' for as much as keeps the extents (stride 1 only). Default 0. */
  readonly padding?: Sizes | 'same' | 'valid'
  /** Default 1. */
  readonly dilation?: Sizes
  /** Default 1. */
  readonly groups?: number
  /** Default true. */
  readonly bias?: boolean
  /** What stands in the padding. Default 'zeros'. */
  readonly paddingMode?: PaddingMode
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

/** What the convolutions share: everything but the number of spatial dimensions. */
export abstract class Conv extends Module {
  readonly weight: Tensor
  readonly bias: Tensor | null
  readonly #n: number
  readonly #stride: readonly number[]
  readonly #dilation: readonly number[]
  readonly #groups: number
  readonly #mode: PaddingMode
  /** Of each spatial dimension: before and after. */
  readonly #padding: readonly (readonly [number, number])[]

  constructor(n: number, inputs: number, outputs: number, kernelSize: Sizes, options: ConvOptions) {
    super()
    const name = `Conv${n}d`
    const { groups = 1, padding = 0 } = options
    requireGroups(name, inputs, outputs, groups)
    const kernel = sizes(name, kernelSize, n, 1)
    this.#n = n
    this.#stride = sizes(name, options.stride ?? 1, n, 1)
    this.#dilation = sizes(name, options.dilation ?? 1, n, 1)
    this.#groups = groups
    this.#mode = options.paddingMode ?? 'zeros'
    if (padding === 'same') {
      if (this.#stride.some((step) => step !== 1)) {
        throw new ShapeError(`${name}: padding 'same' needs stride 1, not [${this.#stride.join(', ')}].`)
      }
      this.#padding = kernel.map((size, i) => {
        const all = (this.#dilation[i] as number) * (size - 1)
        return [Math.floor(all / 2), Math.ceil(all / 2)]
      })
    } else this.#padding = sizes(name, padding === 'valid' ? 0 : padding, n).map((size) => [size, size])
    this.weight = parameter(
      init.kaimingUniform(zeros([outputs, inputs / groups, ...kernel]), { ...options, a: Math.sqrt(5) }),
    )
    const bound = 1 / Math.sqrt(init.fans(this.weight).fanIn)
    this.bias = options.bias === false ? null : parameter(init.uniform(zeros([outputs]), -bound, bound, options))
  }

  override forward(x: Tensor): Tensor {
    const channels = (this.weight.shape[1] as number) * this.#groups
    return onBatch(`Conv${this.#n}d`, x, this.#n, (batch) => this.#ofBatch(batch), channels)
  }

  #ofBatch(x: Tensor): Tensor {
    const padded = padEdges(x, this.#padding, this.#mode)
    const y = conv(padded, this.weight, { stride: this.#stride, dilation: this.#dilation, groups: this.#groups })
    return this.bias ? y.add(this.bias.reshape([1, -1, ...this.#stride.map(() => 1)])) : y
  }
}

export function requireGroups(layer: string, inputs: number, outputs: number, groups: number): void {
  if (groups > 0 && inputs % groups === 0 && outputs % groups === 0) return
  throw new ShapeError(`${layer}: ${inputs} input and ${outputs} output channels do not divide into ${groups} groups.`)
}

/**
 * A convolution over sequences: [N, in, L] → [N, out, L′] or [in, L] → [out, L′]; as Conv2d with one spatial dimension.
 * Source: torch.nn.Conv1d.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * console.log(new nn.Conv1d(4, 8, 3, { stride: 2 }).forward(zeros([2, 4, 11])).shape) // → [ 2, 8, 5 ]
 * ```
 */
export class Conv1d extends Conv {
  constructor(inputs: number, outputs: number, kernelSize: Sizes, options: ConvOptions = {}) {
    super(1, inputs, outputs, kernelSize, options)
    this.record(Conv1d, [inputs, outputs, kernelSize, options])
  }
}

/**
 * out[n, o] = b[o] + Σ_c x[n, c] ⋆ W[o, c] (cross-correlation): [N, in, H, W] → [N, out, H′, W′], or one
 * image [in, H, W] → [out, H′, W′], with H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1; W [out, in/groups, kernelH, kernelW], b [out].
 * First values are uniform in ±1/√(in/groups · kernelH · kernelW), as in PyTorch. Throws ShapeError where the channels
 * do not fit or the padded image is smaller than the kernel. Source: torch.nn.Conv2d.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * const layer = new nn.Conv2d(1, 8, 3, { padding: 'same' })
 * console.log(layer.forward(zeros([2, 1, 28, 28])).shape) // → [ 2, 8, 28, 28 ]
 * ```
 */
export class Conv2d extends Conv {
  constructor(inputs: number, outputs: number, kernelSize: Sizes, options: ConvOptions = {}) {
    super(2, inputs, outputs, kernelSize, options)
    this.record(Conv2d, [inputs, outputs, kernelSize, options])
  }
}

/**
 * A convolution over volumes: [N, in, D, H, W] → [N, out, D′, H′, W′], or without N; as Conv2d with three spatial dimensions.
 * Source: torch.nn.Conv3d.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * console.log(new nn.Conv3d(1, 2, 3, { padding: 1 }).forward(zeros([1, 1, 4, 5, 6])).shape) // → [ 1, 2, 4, 5, 6 ]
 * ```
 */
export class Conv3d extends Conv {
  constructor(inputs: number, outputs: number, kernelSize: Sizes, options: ConvOptions = {}) {
    super(3, inputs, outputs, kernelSize, options)
    this.record(Conv3d, [inputs, outputs, kernelSize, options])
  }
}
