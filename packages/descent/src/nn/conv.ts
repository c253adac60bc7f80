/** The convolutional layer over images. */
import { zeros } from '../create.ts'
import { ShapeError } from '../errors.ts'
import { conv } from '../functions/products.ts'
import type { Generator } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import * as init from './init.ts'
import { Module, parameter } from './module.ts'
import { type Pair, pair } from './pair.ts'

export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: Pair
  /** Zeros on each side. Default 0. */
  readonly padding?: Pair
  /** Default 1. */
  readonly dilation?: Pair
  /** Default 1. */
  readonly groups?: number
  /** Default true. */
  readonly bias?: boolean
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

/**
 * out[n, o] = b[o] + Σ_c x[n, c] ⋆ W[o, c] (cross-correlation): [N, in, H, W] → [N, out, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1; W [out, in/groups, kernelH, kernelW], b [out].
 * First values are uniform in ±1/√(in/groups · kernelH · kernelW), as in PyTorch. Throws ShapeError where the channels
 * do not fit or the padded image is smaller than the kernel. Source: torch.nn.Conv2d.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * const layer = new nn.Conv2d(1, 8, 3, { padding: 1 })
 * console.log(layer.forward(zeros([2, 1, 28, 28])).shape) // → [ 2, 8, 28, 28 ]
 * ```
 */
export class Conv2d extends Module {
  readonly weight: Tensor
  readonly bias: Tensor | null
  readonly #stride: [number, number]
  readonly #padding: [number, number]
  readonly #dilation: [number, number]
  readonly #groups: number

  constructor(inputs: number, outputs: number, kernelSize: Pair, options: Conv2dOptions = {}) {
    super()
    this.record(Conv2d, [inputs, outputs, kernelSize, options])
    const groups = options.groups ?? 1
    if (inputs % groups !== 0 || outputs % groups !== 0) {
      throw new ShapeError(
        `Conv2d: ${inputs} input and ${outputs} output channels do not divide into ${groups} groups.`,
      )
    }
    this.#stride = pair(options.stride ?? 1)
    this.#padding = pair(options.padding ?? 0)
    this.#dilation = pair(options.dilation ?? 1)
    this.#groups = groups
    const shape = [outputs, inputs / groups, ...pair(kernelSize)]
    this.weight = parameter(init.kaimingUniform(zeros(shape), { ...options, a: Math.sqrt(5) }))
    const bound = 1 / Math.sqrt(init.fans(this.weight).fanIn)
    this.bias = options.bias === false ? null : parameter(init.uniform(zeros([outputs]), -bound, bound, options))
  }

  override forward(x: Tensor): Tensor {
    const channels = (this.weight.shape[1] as number) * this.#groups
    if (x.ndim !== 4 || x.shape[1] !== channels) {
      throw new ShapeError(`Conv2d: takes [N, ${channels}, H, W], got [${x.shape.join(', ')}].`)
    }
    const [high, wide] = this.#padding
    const padded = x.pad([wide, wide, high, high])
    const y = conv(padded, this.weight, { stride: this.#stride, dilation: this.#dilation, groups: this.#groups })
    return this.bias ? y.add(this.bias.reshape(1, -1, 1, 1)) : y
  }
}
