/** Channels that become pixels, and back. */
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'
import { onBatch } from './sizes.ts'

/**
 * [N, C·r², H, W] → [N, C, H·r, W·r], or without N: r² channels become squares of r × r pixels. Throws ShapeError where the channels
 * do not divide. Source: Shi et al., "Real-time single image and video super-resolution", 2016;
 * torch.nn.functional.pixel_shuffle.
 *
 * @example
 * ```ts
 * import { arange, pixelShuffle } from 'descent'
 * console.log(pixelShuffle(arange(4).reshape(1, 4, 1, 1), 2).squeeze().toArray()) // → [ [ 0, 1 ], [ 2, 3 ] ]
 * ```
 */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  return onBatch('pixelShuffle', x, 2, (batch) => shuffled(batch, factor))
}

function shuffled(x: Tensor, factor: number): Tensor {
  const [count, all, height, width] = x.shape as readonly [number, number, number, number]
  const channels = all / factor ** 2
  if (!Number.isInteger(channels)) {
    throw new ShapeError(`pixelShuffle: ${all} channels do not divide by ${factor}² = ${factor ** 2}.`)
  }
  return x
    .reshape([count, channels, factor, factor, height, width])
    .permute([0, 1, 4, 2, 5, 3])
    .reshape([count, channels, height * factor, width * factor])
}

/**
 * [N, C, H·r, W·r] → [N, C·r², H, W], or without N, the inverse of `pixelShuffle`. Throws ShapeError where height or width do not
 * divide. Source: torch.nn.functional.pixel_unshuffle.
 *
 * @example
 * ```ts
 * import { arange, pixelUnshuffle } from 'descent'
 * console.log(pixelUnshuffle(arange(4).reshape(1, 1, 2, 2), 2).shape) // → [ 1, 4, 1, 1 ]
 * ```
 */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  return onBatch('pixelUnshuffle', x, 2, (batch) => unshuffled(batch, factor))
}

function unshuffled(x: Tensor, factor: number): Tensor {
  const [count, channels, height, width] = x.shape as readonly [number, number, number, number]
  if (height % factor !== 0 || width % factor !== 0) {
    throw new ShapeError(`pixelUnshuffle: [${x.shape.join(', ')}] does not divide into squares of ${factor} pixels.`)
  }
  return x
    .reshape([count, channels, height / factor, factor, width / factor, factor])
    .permute([0, 1, 3, 5, 2, 4])
    .reshape([count, channels * factor ** 2, height / factor, width / factor])
}

/**
 * `pixelShuffle` as a layer. Source: torch.nn.PixelShuffle.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * console.log(new nn.PixelShuffle(2).forward(zeros([1, 8, 3, 2])).shape) // → [ 1, 2, 6, 4 ]
 * ```
 */
export class PixelShuffle extends Module {
  readonly #factor: number

  constructor(factor: number) {
    super()
    this.record(PixelShuffle, [factor])
    this.#factor = factor
  }

  override forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.#factor)
  }
}

/**
 * `pixelUnshuffle` as a layer. Source: torch.nn.PixelUnshuffle.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * console.log(new nn.PixelUnshuffle(2).forward(zeros([1, 2, 6, 4])).shape) // → [ 1, 8, 3, 2 ]
 * ```
 */
export class PixelUnshuffle extends Module {
  readonly #factor: number

  constructor(factor: number) {
    super()
    this.record(PixelUnshuffle, [factor])
    this.#factor = factor
  }

  override forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.#factor)
  }
}
