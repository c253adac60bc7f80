/**
 * Exported models that take images. What sharp does for training is done here in plain code: transparency on black, the size
 * by the same kernels, grey by luminance. An image that has the model's size and channels is taken as it is, bit by bit;
 * otherwise single pixels may differ from sharp's by a few of 255 levels.
 */
import type { PixelState } from '../../../architecture/features/pixels.ts'
import { type ExportedModel, type ExportedSettings, modelOf } from './model.ts'

/** Pixels, row by row, the channels of a pixel together: grey, grey and alpha, RGB or RGBA. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 2 | 3 | 4
  readonly pixels: Uint8Array | Uint8ClampedArray
}

export function loadModel(settings: ExportedSettings, bytes: Uint8Array): Promise<ExportedModel<Picture>> {
  const state = settings.features as PixelState
  const meaning = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - state.mean) / state.deviation)
  return modelOf(settings, bytes, async (picture) =>
    Float32Array.from(planesOf(picture, state), (byte) => meaning[byte] as number),
  )
}

/** Bytes [channels, height, width] as the model takes them. */
export function planesOf(picture: Picture, { width, height, channels }: PixelState): Uint8Array {
  requirePicture(picture)
  const own = split(picture)
  const sized =
    picture.width === width && picture.height === height
      ? own
      : own.map((plane) => resized(plane, picture.width, picture.height, width, height))
  const colours =
    sized.length === channels ? sized : channels === 3 ? [0, 0, 0].map(() => sized[0] as Plane) : [grey(sized)]
  const out = new Uint8Array(channels * width * height)
  for (const [c, plane] of colours.entries())
    for (let i = 0; i < plane.length; i++) out[c * width * height + i] = toByte(plane[i] as number)
  return out
}

type Plane = Float64Array

function requirePicture({ width, height, channels, pixels }: Picture): void {
  const size = width * height * channels
  if (!(Number.isInteger(size) && size > 0 && [1, 2, 3, 4].includes(channels)))
    throw new RangeError(`An image has a width, a height and 1 to 4 channels, not ${width} × ${height} × ${channels}.`)
  if (pixels.length !== size)
    throw new RangeError(`${width} × ${height} pixels of ${channels} channels are ${size} bytes, not ${pixels.length}.`)
}

/** One plane for grey, three for colour; alpha against black. */
function split({ channels, pixels }: Picture): Plane[] {
  const count = pixels.length / channels
  const colours = channels < 3 ? 1 : 3
  const alpha = channels === 2 || channels === 4
  return Array.from({ length: colours }, (_, c) => {
    const plane = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const value = pixels[i * channels + c] as number
      plane[i] = alpha ? toByte((value * (pixels[i * channels + colours] as number)) / 255) : value
    }
    return plane
  })
}

/** As libvips does it: what becomes much smaller by means of blocks first, then what becomes smaller, then larger. */
function resized(plane: Plane, width: number, height: number, newWidth: number, newHeight: number): Plane {
  const [lessWidth, lessHeight] = [Math.min(width, newWidth), Math.min(height, newHeight)]
  const [columns, rows] = [blocks(width, lessWidth), blocks(height, lessHeight)]
  const coarse = drawn(plane, width, columns, rows)
  const across = reductions(columns.length, lessWidth, width / lessWidth / blockOf(width, lessWidth))
  const down = reductions(rows.length, lessHeight, height / lessHeight / blockOf(height, lessHeight))
  const reduced = drawn(coarse, columns.length, across, down)
  if (lessWidth === newWidth && lessHeight === newHeight) return reduced
  return drawn(reduced, lessWidth, enlargements(lessWidth, newWidth), enlargements(lessHeight, newHeight))
}

/** So many pixels in a row become one by their mean; what is left is twice too large at least. */
function blockOf(size: number, newSize: number): number {
  return Math.max(1, Math.floor(size / newSize / 2))
}

function blocks(size: number, newSize: number): Kernel[] {
  const block = blockOf(size, newSize)
  return Array.from({ length: Math.ceil(size / block) }, (_, place) => {
    const from = place * block
    const weights = new Float64Array(Math.min(block, size - from)).fill(1 / block)
    const last = weights.length - 1
    weights[last] = (weights[last] as number) + 1 - weights.length / block
    return { from, weights }
  })
}

/** Separable: first across, then down. Levels are whole numbers from 0 to 255 afterwards. */
function drawn(plane: Plane, width: number, columns: readonly Kernel[], rows: readonly Kernel[]): Plane {
  const [height, newWidth] = [plane.length / width, columns.length]
  const across = new Float64Array(newWidth * height)
  for (const [x, { from, weights }] of columns.entries())
    for (let y = 0; y < height; y++) {
      let sum = 0
      for (let k = 0; k < weights.length; k++) sum += (weights[k] as number) * (plane[y * width + from + k] as number)
      across[y * newWidth + x] = sum
    }
  const down = new Float64Array(newWidth * rows.length)
  for (const [y, { from, weights }] of rows.entries())
    for (let x = 0; x < newWidth; x++) {
      let sum = 0
      for (let k = 0; k < weights.length; k++)
        sum += (weights[k] as number) * (across[(from + k) * newWidth + x] as number)
      down[y * newWidth + x] = toByte(sum)
    }
  return down
}

interface Kernel {
  readonly from: number
  readonly weights: Float64Array
}

/** Lanczos' kernel of three lobes, widened as much as the image becomes smaller. */
function reductions(size: number, newSize: number, scale: number): Kernel[] {
  return kernels(size, newSize, lanczos, 3 * scale, scale, (place) => (place + 0.5) * scale - 0.5)
}

/** Catmull and Rom's cubic. libvips looks half a new pixel to the left here; models have learned from what it gives. */
function enlargements(size: number, newSize: number): Kernel[] {
  const scale = size / newSize
  return kernels(size, newSize, catmullRom, 2, 1, (place) => place * scale - 0.5)
}

/** For each new place the old ones that make it. Beyond an edge lies more of the edge. */
function kernels(
  size: number,
  newSize: number,
  kernel: (x: number) => number,
  reach: number,
  stretch: number,
  centerOf: (place: number) => number,
): Kernel[] {
  const inside = (at: number) => Math.min(size - 1, Math.max(0, at))
  return Array.from({ length: newSize }, (_, place) => {
    const center = centerOf(place)
    const [first, last] = [Math.ceil(center - reach), Math.floor(center + reach)]
    const from = inside(first)
    const weights = new Float64Array(inside(last) - from + 1)
    let sum = 0
    for (let at = first; at <= last; at++) {
      const weight = kernel((at - center) / stretch)
      const k = inside(at) - from
      weights[k] = (weights[k] as number) + weight
      sum += weight
    }
    return { from, weights: weights.map((weight) => weight / sum) }
  })
}

function lanczos(x: number): number {
  if (x === 0) return 1
  if (Math.abs(x) >= 3) return 0
  const t = Math.PI * x
  return (3 * Math.sin(t) * Math.sin(t / 3)) / (t * t)
}

function catmullRom(x: number): number {
  const t = Math.abs(x)
  if (t >= 2) return 0
  return t < 1 ? (1.5 * t - 2.5) * t * t + 1 : ((2.5 - 0.5 * t) * t - 4) * t + 2
}

/** Luminance (Rec. 709) of linear light, as sRGB's grey. */
function grey([red, green, blue]: readonly Plane[]): Plane {
  if (!red || !green || !blue) return red ?? new Float64Array(0)
  return red.map((_, i) => {
    const [r, g, b] = [red[i], green[i], blue[i]] as [number, number, number]
    // Grey that is stored as colour stays what it is.
    if (r === g && g === b) return r
    return encoded(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
  })
}

function linear(byte: number): number {
  const x = byte / 255
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4
}

function encoded(light: number): number {
  return 255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055)
}

function toByte(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)))
}
