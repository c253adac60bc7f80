/** Pooling over images. */
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'
import { type Pair, pair } from './pair.ts'

export interface MaxPool2dOptions {
  /** Default: the kernel's size. */
  readonly stride?: Pair
  /** −∞ on each side, at most half of the kernel. Default 0. */
  readonly padding?: Pair
  /** Default 1. */
  readonly dilation?: Pair
  /** Also count a window that begins inside but ends outside. Default false. */
  readonly ceilMode?: boolean
}

/**
 * The largest value of each window: [N, C, H, W] → [N, C, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, or ⌈ ⌉ with `ceilMode`. The gradient goes to the
 * first of equal largest values. Throws ShapeError where the image is smaller than the kernel.
 * Source: torch.nn.functional.max_pool2d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * const pool = new nn.MaxPool2d(2)
 * console.log(pool.forward(arange(16).reshape(1, 1, 4, 4)).flatten().toArray()) // → [ 5, 7, 13, 15 ]
 * ```
 */
export class MaxPool2d extends Module {
  readonly #kernel: [number, number]
  readonly #options: MaxPool2dOptions

  constructor(kernelSize: Pair, options: MaxPool2dOptions = {}) {
    super()
    this.record(MaxPool2d, [kernelSize, options])
    this.#kernel = pair(kernelSize)
    this.#options = options
  }

  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#kernel, this.#options)
  }
}

/** See MaxPool2d. */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: MaxPool2dOptions = {}): Tensor {
  if (x.ndim !== 4) throw new ShapeError(`maxPool2d: takes [N, C, H, W], got [${x.shape.join(', ')}].`)
  const kernel = pair(kernelSize)
  const stride = pair(options.stride ?? kernel)
  const padding = pair(options.padding ?? 0)
  const dilation = pair(options.dilation ?? 1)
  const axes = [0, 1].map((i) => {
    const [size, step, pad] = [kernel[i] as number, stride[i] as number, padding[i] as number]
    const extent = x.shape[2 + i] as number
    if (pad * 2 > size) throw new ShapeError(`maxPool2d: padding ${pad} is more than half of the kernel size ${size}.`)
    const reach = (dilation[i] as number) * (size - 1) + 1
    const round = options.ceilMode ? Math.ceil : Math.floor
    let places = round((extent + 2 * pad - reach) / step) + 1
    // A window that would begin in the padding after the image does not count.
    if (options.ceilMode && (places - 1) * step >= extent + pad) places--
    if (places < 1)
      throw new ShapeError(`maxPool2d: [${x.shape.join(', ')}] is smaller than the kernel [${kernel.join(', ')}].`)
    const covered = (places - 1) * step + reach
    return { size, step, pad, places, covered, after: covered - extent - pad, tiles: step === size && reach === size }
  })
  const [high, wide] = axes as [(typeof axes)[0], (typeof axes)[0]]
  const [images, channels] = x.shape as [number, number]
  // What lies behind the last window is cut off; what the windows need beyond the image is filled.
  const filled = x
    .slice(null, null, [0, high.covered - high.pad], [0, wide.covered - wide.pad])
    .pad([wide.pad, Math.max(wide.after, 0), high.pad, Math.max(high.after, 0)], { value: Number.NEGATIVE_INFINITY })
  if (high.tiles && wide.tiles) {
    // Windows that do not overlap are a reshape: its gradient is one too.
    return filled.reshape(images, channels, high.places, high.size, wide.places, wide.size).max([3, 5])
  }
  return filled.windows(kernel, stride, dilation).max([4, 5])
}
