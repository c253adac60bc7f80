/** Pooling: the largest value, or the mean, of each window. */

import { tensor } from '../create.ts'
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'
import { onBatch, type Sizes } from './sizes.ts'
import { look, type WindowOptions, type Windows, windowsOf } from './windows.ts'

export interface MaxPoolOptions extends WindowOptions {
  /** Default 1. */
  readonly dilation?: Sizes
}

export interface AvgPoolOptions extends WindowOptions {
  /** Whether the zeros of the padding count in the mean. Default true. */
  readonly countIncludePad?: boolean
  /** Divide by this instead of the number of values. */
  readonly divisorOverride?: number
}

function maxPool(name: string, x: Tensor, n: number, kernelSize: Sizes, options: MaxPoolOptions): Tensor {
  return onBatch(name, x, n, (batch) => {
    const { values, inside } = look(batch, windowsOf(name, batch, n, kernelSize, options), Number.NEGATIVE_INFINITY)
    return values.max(inside)
  })
}

function avgPool(name: string, x: Tensor, n: number, kernelSize: Sizes, options: AvgPoolOptions): Tensor {
  return onBatch(name, x, n, (batch) => meansOf(name, batch, n, kernelSize, options))
}

function meansOf(name: string, x: Tensor, n: number, kernelSize: Sizes, options: AvgPoolOptions): Tensor {
  const windows = windowsOf(name, x, n, kernelSize, options)
  const { values, inside } = look(x, windows, 0)
  const sums = values.sum(inside)
  if (options.divisorOverride !== undefined) return sums.div(options.divisorOverride)
  const counts = windows.map((w) => countsOf(w, options.countIncludePad ?? true))
  const whole = windows.reduce((product, { size }) => product * size, 1)
  if (counts.every((list, i) => list.every((count) => count === windows[i]?.size))) return sums.div(whole)
  return counts.reduce((y, list, i) => y.div(tensor(list).reshape(counts.map((_, d) => (d === i ? -1 : 1)))), sums)
}

/** How many values count in each window along one dimension. */
function countsOf({ places, step, pad, size, extent }: Windows, padded: boolean): number[] {
  const [first, last] = padded ? [-pad, extent + pad] : [0, extent]
  return Array.from({ length: places }, (_, place) => {
    const begin = place * step - pad
    return Math.min(begin + size, last) - Math.max(begin, first)
  })
}

/** See MaxPool1d: [N, C, L] or [C, L]. */
export function maxPool1d(x: Tensor, kernelSize: Sizes, options: MaxPoolOptions = {}): Tensor {
  return maxPool('maxPool1d', x, 1, kernelSize, options)
}
/** See MaxPool2d: [N, C, H, W] or [C, H, W]. */
export function maxPool2d(x: Tensor, kernelSize: Sizes, options: MaxPoolOptions = {}): Tensor {
  return maxPool('maxPool2d', x, 2, kernelSize, options)
}
/** See MaxPool3d: [N, C, D, H, W] or [C, D, H, W]. */
export function maxPool3d(x: Tensor, kernelSize: Sizes, options: MaxPoolOptions = {}): Tensor {
  return maxPool('maxPool3d', x, 3, kernelSize, options)
}
/** See AvgPool1d: [N, C, L] or [C, L]. */
export function avgPool1d(x: Tensor, kernelSize: Sizes, options: AvgPoolOptions = {}): Tensor {
  return avgPool('avgPool1d', x, 1, kernelSize, options)
}
/** See AvgPool2d: [N, C, H, W] or [C, H, W]. */
export function avgPool2d(x: Tensor, kernelSize: Sizes, options: AvgPoolOptions = {}): Tensor {
  return avgPool('avgPool2d', x, 2, kernelSize, options)
}
/** See AvgPool3d: [N, C, D, H, W] or [C, D, H, W]. */
export function avgPool3d(x: Tensor, kernelSize: Sizes, options: AvgPoolOptions = {}): Tensor {
  return avgPool('avgPool3d', x, 3, kernelSize, options)
}

type Pool<Options> = (x: Tensor, kernelSize: Sizes, options?: Options) => Tensor

/** A layer that looks through windows. */
function layer<Options>(pool: Pool<Options>) {
  return class Layer extends Module {
    readonly #kernel: Sizes
    readonly #options: Options

    constructor(kernelSize: Sizes, options: Options = {} as Options) {
      super()
      this.record(Layer, [kernelSize, options])
      this.#kernel = kernelSize
      this.#options = options
    }

    override forward(x: Tensor): Tensor {
      return pool(x, this.#kernel, this.#options)
    }
  }
}

/**
 * The largest value of each window: [N, C, L] → [N, C, L′], or without N; as MaxPool2d over one dimension.
 * Source: torch.nn.MaxPool1d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * console.log(new nn.MaxPool1d(2).forward(arange(6).reshape(1, 1, 6)).flatten().toArray()) // → [ 1, 3, 5 ]
 * ```
 */
export class MaxPool1d extends /* @__PURE__ */ layer<MaxPoolOptions>(maxPool1d) {}

/**
 * The largest value of each window: [N, C, H, W] → [N, C, H′, W′], or without N, with
 * H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, or ⌈ ⌉ with `ceilMode`. The gradient goes to the
 * first of equal largest values. Throws ShapeError where the image is smaller than the kernel.
 * Source: torch.nn.MaxPool2d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * const pool = new nn.MaxPool2d(2)
 * console.log(pool.forward(arange(16).reshape(1, 1, 4, 4)).flatten().toArray()) // → [ 5, 7, 13, 15 ]
 * ```
 */
export class MaxPool2d extends /* @__PURE__ */ layer<MaxPoolOptions>(maxPool2d) {}

/**
 * The largest value of each window: [N, C, D, H, W] or [C, D, H, W]; as MaxPool2d over three dimensions. Source: torch.nn.MaxPool3d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * console.log(new nn.MaxPool3d(2).forward(arange(8).reshape(1, 1, 2, 2, 2)).flatten().toArray()) // → [ 7 ]
 * ```
 */
export class MaxPool3d extends /* @__PURE__ */ layer<MaxPoolOptions>(maxPool3d) {}

/**
 * The mean of each window: [N, C, L] → [N, C, L′], or without N; as AvgPool2d over one dimension. Source: torch.nn.AvgPool1d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * console.log(new nn.AvgPool1d(2).forward(arange(4).reshape(1, 1, 4)).flatten().toArray()) // → [ 0.5, 2.5 ]
 * ```
 */
export class AvgPool1d extends /* @__PURE__ */ layer<AvgPoolOptions>(avgPool1d) {}

/**
 * The mean of each window: [N, C, H, W] → [N, C, H′, W′], or without N, with
 * H′ = ⌊(H + 2·padding − kernel) / stride⌋ + 1, or ⌈ ⌉ with `ceilMode`. Zeros of the padding count unless `countIncludePad` is false. Throws ShapeError where the image is
 * smaller than the kernel. Source: torch.nn.AvgPool2d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * const pool = new nn.AvgPool2d(2)
 * console.log(pool.forward(arange(16).reshape(1, 1, 4, 4)).flatten().toArray()) // → [ 2.5, 4.5, 10.5, 12.5 ]
 * ```
 */
export class AvgPool2d extends /* @__PURE__ */ layer<AvgPoolOptions>(avgPool2d) {}

/**
 * The mean of each window: [N, C, D, H, W] or [C, D, H, W]; as AvgPool2d over three dimensions. Source: torch.nn.AvgPool3d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * console.log(new nn.AvgPool3d(2).forward(arange(8).reshape(1, 1, 2, 2, 2)).flatten().toArray()) // → [ 3.5 ]
 * ```
 */
export class AvgPool3d extends /* @__PURE__ */ layer<AvgPoolOptions>(avgPool3d) {}
