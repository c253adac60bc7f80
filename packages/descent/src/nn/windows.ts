/** The windows that pooling looks through: where they lie, and the values in them. */
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { type Sizes, sizes } from './sizes.ts'

export interface WindowOptions {
  /** Default: the kernel's size. */
  readonly stride?: Sizes
  /** On each side, at most half of the kernel. Default 0. */
  readonly padding?: Sizes
  /** Also count a window that begins inside but ends outside. Default false. */
  readonly ceilMode?: boolean
}

/** The windows along one dimension. */
export interface Windows {
  readonly size: number
  readonly step: number
  readonly pad: number
  readonly dilation: number
  readonly extent: number
  /** How many there are. */
  readonly places: number
}

/** Of x [N, C, …n]. */
export function windowsOf(
  name: string,
  x: Tensor,
  n: number,
  kernelSize: Sizes,
  { ceilMode, ...options }: WindowOptions & { readonly dilation?: Sizes },
): Windows[] {
  const kernel = sizes(name, kernelSize, n, 1)
  const stride = sizes(name, options.stride ?? kernel, n, 1)
  const padding = sizes(name, options.padding ?? 0, n)
  const dilations = sizes(name, options.dilation ?? 1, n, 1)
  return kernel.map((size, i) => {
    const [step, pad, dilation, extent] = [stride[i], padding[i], dilations[i], x.shape[2 + i]] as [
      number,
      number,
      number,
      number,
    ]
    if (pad * 2 > size) throw new ShapeError(`${name}: padding ${pad} is more than half of the kernel size ${size}.`)
    const round = ceilMode ? Math.ceil : Math.floor
    let places = round((extent + 2 * pad - dilation * (size - 1) - 1) / step) + 1
    // A window that would begin in the padding after the image does not count.
    if (ceilMode && (places - 1) * step >= extent + pad) places--
    if (places < 1) {
      throw new ShapeError(`${name}: [${x.shape.join(', ')}] is smaller than the kernel [${kernel.join(', ')}].`)
    }
    return { size, step, pad, dilation, extent, places }
  })
}

/** The values in the windows of x [N, C, …], and the dimensions that lie inside of a window; `fill` stands outside. */
export function look(x: Tensor, windows: readonly Windows[], fill: number): { values: Tensor; inside: number[] } {
  const covered = windows.map(({ places, step, dilation, size }) => (places - 1) * step + dilation * (size - 1) + 1)
  // What lies behind the last window is cut off; what the windows need beyond the image is filled.
  const filled = x.slice(null, null, ...windows.map(({ pad }, i) => [0, (covered[i] as number) - pad] as const)).pad(
    windows
      .map(({ pad, extent }, i) => [pad, Math.max((covered[i] as number) - extent - pad, 0)])
      .toReversed()
      .flat(),
    { value: fill },
  )
  if (windows.every(({ size, step, dilation }) => step === size && (dilation === 1 || size === 1))) {
    // Windows that do not overlap are a reshape: its gradient is one too.
    const split = windows.flatMap(({ places, size }) => [places, size])
    return {
      values: filled.reshape([...x.shape.slice(0, 2), ...split]),
      inside: windows.map((_, i) => 3 + 2 * i),
    }
  }
  const values = filled.windows(
    windows.map((w) => w.size),
    windows.map((w) => w.step),
    windows.map((w) => w.dilation),
  )
  return { values, inside: windows.map((_, i) => 2 + windows.length + i) }
}
