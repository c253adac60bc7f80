/** Images in other sizes. */
import { tensor } from '../create.ts'
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'

/** How values between places are found. */
export type InterpolateMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic'

export interface InterpolateOptions {
  /** The new extents: one number for all spatial dimensions, or one for each. Either this or scaleFactor. */
  readonly size?: number | readonly number[]
  /** How many times as large. */
  readonly scaleFactor?: number | readonly number[]
  /** Default 'nearest'. */
  readonly mode?: InterpolateMode
  /** For the linear modes and bicubic: whether the corners' values stay at the corners. Default false. */
  readonly alignCorners?: boolean
}

/**
 * x [N, C, …S] in new extents: 'nearest' takes the element at ⌊place · S / S′⌋, 'nearest-exact' that of the middle;
 * 'linear' (for [N, C, L]), 'bilinear' ([N, C, H, W]) and 'trilinear' weigh the two neighbours in each direction by their
 * distance, 'bicubic' ([N, C, H, W]) the four next to each other by a cubic, which may go beyond the values. Throws ShapeError
 * where mode and dimensions do not fit, and RangeError without a size. Source: Keys, "Cubic convolution interpolation for
 * digital image processing", 1981, with a = −0.75; torch.nn.functional.interpolate.
 *
 * @example
 * ```ts
 * import { interpolate, tensor } from 'descent'
 * console.log(interpolate(tensor([[[1, 3]]]), { size: 4, mode: 'linear' }).flatten().toArray()) // → [ 1, 1.5, 2.5, 3 ]
 * ```
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const { mode = 'nearest', alignCorners = false } = options
  const n = x.ndim - 2
  const wanted = { linear: 1, bilinear: 2, trilinear: 3, bicubic: 2, nearest: n, 'nearest-exact': n }[mode]
  if (n < 1 || n > 3 || wanted !== n) {
    throw new ShapeError(`interpolate: mode '${mode}' does not take [${x.shape.join(', ')}].`)
  }
  const each = (value: number | readonly number[]): readonly number[] =>
    typeof value === 'number' ? new Array<number>(n).fill(value) : value
  const factors = options.scaleFactor === undefined ? null : each(options.scaleFactor)
  const extents = options.size === undefined ? null : each(options.size)
  if ((factors === null) === (extents === null))
    throw new RangeError('interpolate: give either a size or a scaleFactor.')
  if ((factors ?? extents)?.length !== n) {
    throw new ShapeError(`interpolate: [${x.shape.join(', ')}] has ${n} spatial dimensions: give one number, or ${n}.`)
  }
  let y = x
  for (let i = 0; i < n; i++) {
    const from = x.shape[2 + i] as number
    const to = extents ? (extents[i] as number) : Math.floor(from * (factors?.[i] as number))
    if (!Number.isInteger(to) || to < 1) throw new ShapeError(`interpolate: an extent of ${to} is not possible.`)
    // As PyTorch: a given factor counts as it is, not what it has been rounded to.
    const ratio = factors ? 1 / (factors[i] as number) : from / to
    const at = (): number[] => places(from, to, ratio, alignCorners)
    if (mode.startsWith('nearest')) y = picked(y, 2 + i, to, ratio, mode)
    else y = mode === 'bicubic' ? curved(y, 2 + i, at()) : blended(y, 2 + i, at())
  }
  return y
}

/** Where each new element lies between the old ones; before the first one where it is negative. */
function places(from: number, to: number, ratio: number, alignCorners: boolean): number[] {
  return Array.from({ length: to }, (_, i) => {
    if (alignCorners) return to === 1 ? 0 : (i * (from - 1)) / (to - 1)
    return (i + 0.5) * ratio - 0.5
  })
}

function blended(x: Tensor, axis: number, given: readonly number[]): Tensor {
  const at = given.map((place) => Math.max(0, place))
  const share = along(
    x,
    axis,
    at.map((place) => place - Math.floor(place)),
  )
  const [a, b] = [0, 1].map((k) => moved(x, axis, at, k)) as [Tensor, Tensor]
  return a.mul(share.neg().add(1)).add(b.mul(share))
}

/** Keys's cubics through four neighbours: how much each counts, by the distance t from the second one. */
const cubics: readonly ((t: number) => number)[] = [(t) => far(t + 1), near, (t) => near(1 - t), (t) => far(2 - t)]
function near(d: number): number {
  return (1.25 * d - 2.25) * d * d + 1
}
function far(d: number): number {
  return -0.75 * (((d - 5) * d + 8) * d - 4)
}

function curved(x: Tensor, axis: number, at: readonly number[]): Tensor {
  const parts = cubics.map((cubic, k) =>
    moved(x, axis, at, k - 1).mul(
      along(
        x,
        axis,
        at.map((place) => cubic(place - Math.floor(place))),
      ),
    ),
  )
  return parts.reduce((sum, part) => sum.add(part))
}

/** The elements `by` places after those at ⌊at⌋, or the last ones on the way there. */
function moved(x: Tensor, axis: number, at: readonly number[], by: number): Tensor {
  const last = (x.shape[axis] as number) - 1
  const list = at.map((place) => Math.min(Math.max(Math.floor(place) + by, 0), last))
  return x.indexSelect(axis, tensor(list, { dtype: 'i32' }))
}

/** Numbers that lie along one axis of x. */
function along(x: Tensor, axis: number, values: readonly number[]): Tensor {
  return tensor(values).reshape(x.shape.map((_, d) => (d === axis ? values.length : 1)))
}

function picked(x: Tensor, axis: number, to: number, ratio: number, mode: InterpolateMode): Tensor {
  const from = x.shape[axis] as number
  const whole = to / from
  if (Number.isInteger(whole) && ratio === 1 / whole) {
    // Whole factors repeat every element: a view forwards, a sum backwards.
    const apart = [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)]
    const repeated = apart.map((extent, d) => (d === axis + 1 ? whole : extent))
    return x
      .reshape(apart)
      .expand(repeated)
      .reshape(x.shape.map((extent, d) => (d === axis ? to : extent)))
  }
  const offset = mode === 'nearest' ? 0 : 0.5
  const list = Array.from({ length: to }, (_, i) => Math.min(Math.floor((i + offset) * ratio), from - 1))
  return x.indexSelect(axis, tensor(list, { dtype: 'i32' }))
}

/**
 * `interpolate` as a layer. Source: torch.nn.Upsample.
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'descent'
 * const twice = new nn.Upsample({ scaleFactor: 2 })
 * console.log(twice.forward(tensor([[[1, 3]]])).flatten().toArray()) // → [ 1, 1, 3, 3 ]
 * ```
 */
export class Upsample extends Module {
  readonly #options: InterpolateOptions

  constructor(options: InterpolateOptions) {
    super()
    this.record(Upsample, [options])
    this.#options = options
  }

  override forward(x: Tensor): Tensor {
    return interpolate(x, this.#options)
  }
}
