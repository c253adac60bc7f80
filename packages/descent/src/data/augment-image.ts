/** Augmentation of images: each step from one array [N, C, H, W] to another. */
import { ShapeError } from '../errors.ts'
import { type AugmentStep, type Begin, imageSides, requireFloats } from './augment-step.ts'
import type { Draws } from './draws.ts'
import type { RawArray } from './raw.ts'

type ImageStep = Exclude<AugmentStep, { readonly kind: 'mixUp' | 'noise' | 'featureDropout' }>

/** One plane of an image, from which a new one is made. */
interface Plane {
  readonly from: Float32Array
  readonly at: number
  readonly height: number
  readonly width: number
}

export function imageStep(step: ImageStep, { shape, values }: RawArray, begin: Begin): RawArray {
  requireFloats(step.kind, values)
  const [n, c, height, width] = imageSides(step.kind, shape)
  const [outHeight, outWidth] = step.kind === 'crop' ? cropSize(step, height, width) : [height, width]
  const changed = new Float32Array(n * c * outHeight * outWidth)
  for (let i = 0; i < n; i++) {
    const image = values.subarray(i * c * height * width, (i + 1) * c * height * width)
    const draw = drawn(step, begin(i), image, height, width)
    for (let plane = 0; plane < c; plane++) {
      const from = { from: image, at: plane * height * width, height, width }
      draw(from, changed, (i * c + plane) * outHeight * outWidth)
    }
  }
  return { shape: [n, c, outHeight, outWidth], values: changed }
}

type Draw = (plane: Plane, to: Float32Array, at: number) => void

/** What is done with every plane of one image: the random numbers are drawn once. */
function drawn(step: ImageStep, draws: Draws, image: Float32Array, height: number, width: number): Draw {
  switch (step.kind) {
    case 'shift': {
      const down = draws.below(2 * step.max + 1) - step.max
      const right = draws.below(2 * step.max + 1) - step.max
      return (plane, to, at) => place(plane, to, at, height, width, -down, -right, step.fill)
    }
    case 'crop': {
      const [tall, wide] = step.size
      const top = draws.below(height + 2 * step.padding - tall + 1) - step.padding
      const left = draws.below(width + 2 * step.padding - wide + 1) - step.padding
      return (plane, to, at) => place(plane, to, at, tall, wide, top, left, step.fill)
    }
    case 'flip': {
      const flipped = draws.uniform() < step.p
      const [across, down] = [flipped && step.direction === 'horizontal', flipped && step.direction === 'vertical']
      return ({ from, at: source }, to, at) => {
        for (let y = 0; y < height; y++) {
          const row = source + (down ? height - 1 - y : y) * width
          for (let x = 0; x < width; x++) to[at + y * width + x] = from[row + (across ? width - 1 - x : x)] as number
        }
      }
    }
    case 'rotate': {
      const angle = (draws.within(step.degrees) * Math.PI) / 180
      return (plane, to, at) => rotate(plane, to, at, angle, step.fill)
    }
    case 'cutOut': {
      const covered = draws.uniform() < step.p
      const top = draws.below(height) - Math.floor(step.size / 2)
      const left = draws.below(width) - Math.floor(step.size / 2)
      return ({ from, at: source }, to, at) => {
        to.set(from.subarray(source, source + height * width), at)
        if (!covered) return
        for (let y = Math.max(0, top); y < Math.min(height, top + step.size); y++)
          to.fill(step.fill, at + y * width + Math.max(0, left), at + y * width + Math.min(width, left + step.size))
      }
    }
    case 'brightness': {
      const added = draws.within(step.max)
      return linear(height * width, 1, added)
    }
    case 'contrast': {
      const factor = 1 + draws.within(step.max)
      let sum = 0
      for (const value of image) sum += value
      return linear(height * width, factor, ((1 - factor) * sum) / image.length)
    }
  }
}

function cropSize(
  { size, padding }: ImageStep & { readonly kind: 'crop' },
  height: number,
  width: number,
): readonly [number, number] {
  const [tall, wide] = size
  if (tall > height + 2 * padding || wide > width + 2 * padding) {
    throw new ShapeError(
      `randomCrop: [${tall}, ${wide}] does not fit into images [${height}, ${width}] with padding ${padding}.`,
    )
  }
  return size
}

function linear(size: number, factor: number, added: number): Draw {
  return ({ from, at: source }, to, at) => {
    for (let i = 0; i < size; i++) to[at + i] = factor * (from[source + i] as number) + added
  }
}

/** The window of a plane that begins at (top, left), with `fill` where it is outside. */
function place(
  { from, at: source, height, width }: Plane,
  to: Float32Array,
  at: number,
  tall: number,
  wide: number,
  top: number,
  left: number,
  fill: number,
): void {
  for (let y = 0; y < tall; y++) {
    const row = y + top
    for (let x = 0; x < wide; x++) {
      const column = x + left
      const inside = row >= 0 && row < height && column >= 0 && column < width
      to[at + y * wide + x] = inside ? (from[source + row * width + column] as number) : fill
    }
  }
}

function rotate(
  { from, at: source, height, width }: Plane,
  to: Float32Array,
  at: number,
  angle: number,
  fill: number,
): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2]
  const pixel = (y: number, x: number): number =>
    y >= 0 && y < height && x >= 0 && x < width ? (from[source + y * width + x] as number) : fill
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = cos * (x - middleX) + sin * (y - middleY) + middleX
      const fromY = -sin * (x - middleX) + cos * (y - middleY) + middleY
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)]
      const [dx, dy] = [fromX - left, fromY - top]
      to[at + y * width + x] =
        (1 - dy) * ((1 - dx) * pixel(top, left) + dx * pixel(top, left + 1)) +
        dy * ((1 - dx) * pixel(top + 1, left) + dx * pixel(top + 1, left + 1))
    }
  }
}
