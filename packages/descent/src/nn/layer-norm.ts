/** Normalisation of each example by itself: LayerNorm and RMSNorm. */
import { ones, zeros } from '../create.ts'
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { Module, parameter } from './module.ts'

export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number
  /** Whether to learn a scale and a shift. Default true. */
  readonly elementwiseAffine?: boolean
  /** Whether to learn the shift. Default true. */
  readonly bias?: boolean
}

/**
 * (x − E[x]) / √(Var[x] + eps) · weight + bias over the last dimensions, whose shape is given: [..., …shape] keeps its
 * shape. Throws ShapeError where x ends otherwise. Source: Ba et al., "Layer normalization", 2016;
 * torch.nn.functional.layer_norm.
 *
 * @example
 * ```ts
 * import { layerNorm, tensor } from 'descent'
 * console.log(layerNorm(tensor([[1, 3]]), [2], { eps: 0 }).toArray()) // → [ [ -1, 1 ] ]
 * ```
 */
export function layerNorm(
  x: Tensor,
  shape: readonly number[],
  options: { readonly weight?: Tensor | null; readonly bias?: Tensor | null; readonly eps?: number } = {},
): Tensor {
  const axes = lastAxes('layerNorm', x, shape)
  const centred = x.center(axes)
  const y = centred.mul(
    centred
      .mul(centred)
      .mean(axes, true)
      .add(options.eps ?? 1e-5)
      .rsqrt(),
  )
  const scaled = options.weight ? y.mul(options.weight) : y
  return options.bias ? scaled.add(options.bias) : scaled
}

/**
 * x / √(E[x²] + eps) · weight over the last dimensions, whose shape is given. Source: Zhang and Sennrich, "Root mean
 * square layer normalization", 2019; torch.nn.functional.rms_norm.
 *
 * @example
 * ```ts
 * import { rmsNorm, tensor } from 'descent'
 * console.log(rmsNorm(tensor([[3, 3]]), [2], { eps: 0 }).toArray()) // → [ [ 1, 1 ] ]
 * ```
 */
export function rmsNorm(
  x: Tensor,
  shape: readonly number[],
  options: { readonly weight?: Tensor | null; readonly eps?: number } = {},
): Tensor {
  const axes = lastAxes('rmsNorm', x, shape)
  const y = x.mul(
    x
      .mul(x)
      .mean(axes, true)
      .add(options.eps ?? epsilon)
      .rsqrt(),
  )
  return options.weight ? y.mul(options.weight) : y
}

/** The distance from 1 to the next float32, PyTorch's default for RMSNorm. */
const epsilon = 2 ** -23

function lastAxes(name: string, x: Tensor, shape: readonly number[]): number[] {
  const lead = x.ndim - shape.length
  if (shape.length === 0 || lead < 0 || shape.some((extent, i) => extent !== x.shape[lead + i])) {
    throw new ShapeError(`${name}: takes [..., ${shape.join(', ')}], got [${x.shape.join(', ')}].`)
  }
  return shape.map((_, i) => lead + i)
}

/**
 * `layerNorm` with a learned weight and bias of the given shape, at first 1 and 0. Source: torch.nn.LayerNorm.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const y = new nn.LayerNorm(16).forward(randn([4, 16]))
 * console.log(y.mean(1).abs().max().item() < 1e-5) // → true
 * ```
 */
export class LayerNorm extends Module {
  readonly weight: Tensor | null
  readonly bias: Tensor | null
  readonly #shape: readonly number[]
  readonly #eps: number

  constructor(shape: number | readonly number[], options: LayerNormOptions = {}) {
    super()
    this.record(LayerNorm, [shape, options])
    this.#shape = typeof shape === 'number' ? [shape] : shape
    this.#eps = options.eps ?? 1e-5
    const affine = options.elementwiseAffine ?? true
    this.weight = affine ? parameter(ones(this.#shape)) : null
    this.bias = affine && options.bias !== false ? parameter(zeros(this.#shape)) : null
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.#shape, { weight: this.weight, bias: this.bias, eps: this.#eps })
  }
}

/**
 * `rmsNorm` with a learned weight of the given shape, at first 1. Source: torch.nn.RMSNorm.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const y = new nn.RMSNorm(16).forward(randn([4, 16]))
 * console.log(y.square().mean(1).sub(1).abs().max().item() < 1e-4) // → true
 * ```
 */
export class RMSNorm extends Module {
  readonly weight: Tensor | null
  readonly #shape: readonly number[]
  readonly #eps: number

  constructor(
    shape: number | readonly number[],
    options: {
      /** Default 2⁻²³. */
      readonly eps?: number
      /** Whether to learn a scale. Default true. */
      readonly elementwiseAffine?: boolean
    } = {},
  ) {
    super()
    this.record(RMSNorm, [shape, options])
    this.#shape = typeof shape === 'number' ? [shape] : shape
    this.#eps = options.eps ?? epsilon
    this.weight = options.elementwiseAffine === false ? null : parameter(ones(this.#shape))
  }

  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.#shape, { weight: this.weight, eps: this.#eps })
  }
}
