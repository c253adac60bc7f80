/**
 * Pooling to a given size, whatever the input's: window i of o along an extent L goes from ⌊i·L / o⌋ to
 * ⌈(i + 1)·L / o⌉ (torch.nn.AdaptiveAvgPool2d).
 */
import { tensor } from '../create.ts'
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'
import { onBatch, type Sizes, sizes } from './sizes.ts'

interface Cut {
  readonly places: number
  /** Of the longest window. */
  readonly size: number
  readonly starts: readonly number[]
  readonly lengths: readonly number[]
}

function cut(extent: number, places: number): Cut {
  const starts = Array.from({ length: places }, (_, i) => Math.floor((i * extent) / places))
  const lengths = starts.map((start, i) => Math.ceil(((i + 1) * extent) / places) - start)
  return { places, size: Math.max(...lengths), starts, lengths }
}

/** The values of all windows, [N, C, o₁, k₁, o₂, k₂, …]; shorter windows repeat their last value. */
function pieces(x: Tensor, cuts: readonly Cut[]): Tensor {
  const even = cuts.every(({ size, lengths }) => lengths.every((length) => length === size))
  const covered = cuts.every(({ places, size }, i) => places * size === x.shape[2 + i])
  const shape = [...x.shape.slice(0, 2), ...cuts.flatMap(({ places, size }) => [places, size])]
  if (even && covered) return x.reshape(shape)
  const picked = cuts.reduce((y, { size, starts, lengths }, i) => {
    const places = starts.flatMap((start, p) =>
      Array.from({ length: size }, (_, k) => start + Math.min(k, (lengths[p] as number) - 1)),
    )
    return y.indexSelect(2 + i, tensor(places, { dtype: 'i32' }))
  }, x)
  return picked.reshape(shape)
}

function cutsOf(name: string, x: Tensor, n: number, outputSize: Sizes): Cut[] {
  return sizes(name, outputSize, n, 1).map((places, i) => cut(x.shape[2 + i] as number, places))
}

function adaptiveAvg(name: string, x: Tensor, n: number, outputSize: Sizes): Tensor {
  return onBatch(name, x, n, (batch) => meansOf(batch, cutsOf(name, batch, n, outputSize)))
}

function meansOf(x: Tensor, cuts: readonly Cut[]): Tensor {
  const inside = cuts.map((_, i) => 3 + 2 * i)
  const uneven = cuts.flatMap(({ size, lengths }, i) => (lengths.every((length) => length === size) ? [] : [i]))
  let values = pieces(x, cuts)
  for (const i of uneven) {
    const { size, lengths } = cuts[i] as Cut
    // What a short window repeats weighs nothing.
    const weights = lengths.flatMap((length) => Array.from({ length: size }, (_, k) => (k < length ? 1 / length : 0)))
    const shape = values.shape.map((extent, d) => (d === 2 + 2 * i || d === 3 + 2 * i ? extent : 1))
    values = values.mul(tensor(weights).reshape(shape))
  }
  const divisor = cuts.reduce((product, { size }, i) => product * (uneven.includes(i) ? 1 : size), 1)
  return values.sum(inside).div(divisor)
}

function adaptiveMax(name: string, x: Tensor, n: number, outputSize: Sizes): Tensor {
  return onBatch(name, x, n, (batch) => {
    const cuts = cutsOf(name, batch, n, outputSize)
    return pieces(batch, cuts).max(cuts.map((_, i) => 3 + 2 * i))
  })
}

/** See AdaptiveAvgPool1d. */
export function adaptiveAvgPool1d(x: Tensor, outputSize: Sizes): Tensor {
  return adaptiveAvg('adaptiveAvgPool1d', x, 1, outputSize)
}
/** See AdaptiveAvgPool2d. */
export function adaptiveAvgPool2d(x: Tensor, outputSize: Sizes): Tensor {
  return adaptiveAvg('adaptiveAvgPool2d', x, 2, outputSize)
}
/** See AdaptiveAvgPool3d. */
export function adaptiveAvgPool3d(x: Tensor, outputSize: Sizes): Tensor {
  return adaptiveAvg('adaptiveAvgPool3d', x, 3, outputSize)
}
/** See AdaptiveMaxPool1d. */
export function adaptiveMaxPool1d(x: Tensor, outputSize: Sizes): Tensor {
  return adaptiveMax('adaptiveMaxPool1d', x, 1, outputSize)
}
/** See AdaptiveMaxPool2d. */
export function adaptiveMaxPool2d(x: Tensor, outputSize: Sizes): Tensor {
  return adaptiveMax('adaptiveMaxPool2d', x, 2, outputSize)
}

/** A layer that pools to a size. */
function layer(pool: (x: Tensor, outputSize: Sizes) => Tensor) {
  return class Layer extends Module {
    readonly #size: Sizes

    constructor(outputSize: Sizes) {
      super()
      this.record(Layer, [outputSize])
      this.#size = outputSize
    }

    override forward(x: Tensor): Tensor {
      return pool(x, this.#size)
    }
  }
}

/**
 * Means over windows that divide the input evenly: [N, C, L] → [N, C, outputSize], or without N. Source: torch.nn.AdaptiveAvgPool1d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * console.log(new nn.AdaptiveAvgPool1d(2).forward(arange(6).reshape(1, 1, 6)).flatten().toArray()) // → [ 1, 4 ]
 * ```
 */
export class AdaptiveAvgPool1d extends /* @__PURE__ */ layer(adaptiveAvgPool1d) {}

/**
 * Means over windows that divide the image evenly: [N, C, H, W] → [N, C, H′, W′], or without N, for an outputSize of one number or
 * [H′, W′]; 1 is the mean of each channel. Source: torch.nn.AdaptiveAvgPool2d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * console.log(new nn.AdaptiveAvgPool2d(1).forward(arange(4).reshape(1, 1, 2, 2)).item()) // → 1.5
 * ```
 */
export class AdaptiveAvgPool2d extends /* @__PURE__ */ layer(adaptiveAvgPool2d) {}

/**
 * Means over windows that divide the volume evenly: [N, C, D, H, W] or [C, D, H, W]. Source: torch.nn.AdaptiveAvgPool3d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * console.log(new nn.AdaptiveAvgPool3d(1).forward(arange(8).reshape(1, 1, 2, 2, 2)).item()) // → 3.5
 * ```
 */
export class AdaptiveAvgPool3d extends /* @__PURE__ */ layer(adaptiveAvgPool3d) {}

/**
 * The largest values of windows that divide the input evenly: [N, C, L] → [N, C, outputSize], or without N.
 * Source: torch.nn.AdaptiveMaxPool1d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * console.log(new nn.AdaptiveMaxPool1d(2).forward(arange(6).reshape(1, 1, 6)).flatten().toArray()) // → [ 2, 5 ]
 * ```
 */
export class AdaptiveMaxPool1d extends /* @__PURE__ */ layer(adaptiveMaxPool1d) {}

/**
 * The largest values of windows that divide the image evenly: [N, C, H, W] → [N, C, H′, W′], or without N.
 * Source: torch.nn.AdaptiveMaxPool2d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * console.log(new nn.AdaptiveMaxPool2d(1).forward(arange(4).reshape(1, 1, 2, 2)).item()) // → 3
 * ```
 */
export class AdaptiveMaxPool2d extends /* @__PURE__ */ layer(adaptiveMaxPool2d) {}
