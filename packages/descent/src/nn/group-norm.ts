/** Normalisation of groups of channels of each example. */
import { ones, zeros } from '../create.ts'
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { Module, parameter } from './module.ts'

/**
 * (x − E[x]) / √(Var[x] + eps) over each of `groups` equal groups of channels of each example, times weight [C] plus
 * bias [C]: [N, C, ...] keeps its shape. Throws ShapeError where the channels do not divide.
 * Source: Wu and He, "Group normalization", 2018; torch.nn.functional.group_norm.
 *
 * @example
 * ```ts
 * import { groupNorm, tensor } from 'descent'
 * console.log(groupNorm(tensor([[1, 3, 5, 9]]), 2, { eps: 0 }).toArray()) // → [ [ -1, 1, -1, 1 ] ]
 * ```
 */
export function groupNorm(
  x: Tensor,
  groups: number,
  options: { readonly weight?: Tensor | null; readonly bias?: Tensor | null; readonly eps?: number } = {},
): Tensor {
  const [count, channels] = x.shape
  if (count === undefined || channels === undefined || channels % groups !== 0) {
    throw new ShapeError(
      `groupNorm: takes [N, C, ...] with C a multiple of the ${groups} groups, got [${x.shape.join(', ')}].`,
    )
  }
  const centred = x.reshape([count, groups, -1]).center([2])
  const spread = centred
    .mul(centred)
    .mean(2, true)
    .add(options.eps ?? 1e-5)
    .rsqrt()
  const y = centred.mul(spread).reshape(x.shape)
  const channelwise = x.shape.map((_, d) => (d === 1 ? -1 : 1))
  const scaled = options.weight ? y.mul(options.weight.reshape(channelwise)) : y
  return options.bias ? scaled.add(options.bias.reshape(channelwise)) : scaled
}

/**
 * `groupNorm` with a learned weight and bias for each channel, at first 1 and 0. Throws ShapeError where the channels
 * do not divide into the groups. Source: torch.nn.GroupNorm.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * console.log(new nn.GroupNorm(2, 6).forward(randn([3, 6, 4, 4])).shape) // → [ 3, 6, 4, 4 ]
 * ```
 */
export class GroupNorm extends Module {
  readonly weight: Tensor | null
  readonly bias: Tensor | null
  readonly #groups: number
  readonly #channels: number
  readonly #eps: number

  constructor(
    groups: number,
    channels: number,
    options: {
      /** Default 1e-5. */
      readonly eps?: number
      /** Whether to learn a scale and a shift. Default true. */
      readonly affine?: boolean
    } = {},
  ) {
    super()
    this.record(GroupNorm, [groups, channels, options])
    if (channels % groups !== 0) {
      throw new ShapeError(`GroupNorm: ${channels} channels do not divide into ${groups} groups.`)
    }
    this.#groups = groups
    this.#channels = channels
    this.#eps = options.eps ?? 1e-5
    const affine = options.affine ?? true
    this.weight = affine ? parameter(ones([channels])) : null
    this.bias = affine ? parameter(zeros([channels])) : null
  }

  override forward(x: Tensor): Tensor {
    if (x.shape[1] !== this.#channels) {
      throw new ShapeError(`GroupNorm: takes [N, ${this.#channels}, ...], got [${x.shape.join(', ')}].`)
    }
    return groupNorm(x, this.#groups, { weight: this.weight, bias: this.bias, eps: this.#eps })
  }
}
