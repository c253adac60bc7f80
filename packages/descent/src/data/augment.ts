/**
 * Augmentation: examples a little different in every epoch, so that a network learns what does not matter. Steps are
 * plain data, so that they can be sent to a worker; `compose` makes of them a function from batch to batch. What is drawn
 * for an example depends on the seed, the epoch, its number and the step's place, and on nothing else.
 *
 * Images are f32 [N, C, H, W]. `fill` is the value of pixels from outside of the image, in the units of the batch: of
 * normalised images −mean / std is black.
 */
import { sizeOf } from '../dtype.ts'
import { imageStep } from './augment-image.ts'
import { mixUpBatch } from './augment-mix.ts'
import { type AugmentStep, type Begin, requireFloats } from './augment-step.ts'
import { Draws } from './draws.ts'
import type { BatchPlace, RawArray, RawBatch, Transform } from './raw.ts'

/** A transform made of steps, which a worker can be sent. */
export interface Augmentation extends Transform {
  readonly steps: readonly AugmentStep[]
}

/**
 * Several augmentations as one, in this order: for the option `transform` of a loader, or for a batch of one's own.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const augment = data.compose(data.randomShift({ max: 2 }), data.randomFlip())
 * const x = { shape: [1, 1, 2, 2], values: Float32Array.of(1, 2, 3, 4) }
 * const y = { shape: [1], values: Int32Array.of(0) }
 * const batch = { x, y, numbers: Int32Array.of(5) }
 * const place = { seed: 1, epoch: 0 }
 * const [once, again] = [augment(batch, place), augment(batch, place)]
 * console.log(once.x.values.join() === again.x.values.join(), augment.steps.length) // → true 2
 * ```
 */
export function compose(...augmentations: readonly Augmentation[]): Augmentation {
  return augmentation(augmentations.flatMap(({ steps }) => steps))
}

/** The function that these steps describe. Throws RangeError for a step that there is not. */
export function augmentation(steps: readonly AugmentStep[]): Augmentation {
  const transform: Transform = (batch, place) =>
    steps.reduce((changed, step, i) => applyStep(step, i, changed, place), batch)
  return Object.assign(transform, { steps })
}

function applyStep(step: AugmentStep, index: number, batch: RawBatch, { seed, epoch }: BatchPlace): RawBatch {
  const draws = new Draws(seed)
  const begin: Begin = (i, stream = 0) => {
    draws.begin(epoch, batch.numbers[i] as number, 2 * index + stream)
    return draws
  }
  switch (step.kind) {
    case 'noise':
    case 'featureDropout':
      return { ...batch, x: features(step, batch.x, begin) }
    case 'mixUp':
      return mixUpBatch(step, batch, begin)
    default:
      return { ...batch, x: imageStep(step, batch.x, begin) }
  }
}

function features(
  step: AugmentStep & { readonly kind: 'noise' | 'featureDropout' },
  { shape, values }: RawArray,
  begin: Begin,
): RawArray {
  requireFloats(step.kind, values)
  const size = sizeOf(shape.slice(1))
  const changed = new Float32Array(values.length)
  for (let i = 0; i < (shape[0] as number); i++) {
    const draws = begin(i)
    for (let at = i * size; at < (i + 1) * size; at++) {
      const value = values[at] as number
      if (step.kind === 'noise') changed[at] = value + step.std * draws.normal()
      else changed[at] = draws.uniform() < step.p ? step.fill : value
    }
  }
  return { shape, values: changed }
}

function one(step: AugmentStep): Augmentation {
  return augmentation([step])
}

function requireShare(what: string, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`${what}: a probability is from 0 to 1, not ${p}.`)
  return p
}

function requireWhole(what: string, least: number, value: number): number {
  if (!Number.isInteger(value)) throw new RangeError(`${what} must be a whole number, not ${value}.`)
  return requireAtLeast(what, least, value)
}

function requireAtLeast(what: string, least: number, value: number): number {
  if (!(value >= least)) throw new RangeError(`${what} must be at least ${least}, not ${value}.`)
  return value
}

/** Moves each image by up to `max` whole pixels in either direction, uniformly. */
export function randomShift({ max, fill = 0 }: { readonly max: number; readonly fill?: number }): Augmentation {
  return one({ kind: 'shift', max: requireWhole('randomShift: max', 0, max), fill })
}

/** Turns each image about its centre by up to `degrees`, uniformly, with bilinear interpolation. */
export function randomRotate({
  degrees,
  fill = 0,
}: {
  readonly degrees: number
  readonly fill?: number
}): Augmentation {
  return one({ kind: 'rotate', degrees: requireAtLeast('randomRotate: degrees', 0, degrees), fill })
}

/** Mirrors an image with probability `p` (default 0.5): left and right, or top and bottom. */
export function randomFlip(
  options: { readonly p?: number; readonly direction?: 'horizontal' | 'vertical' } = {},
): Augmentation {
  const { p = 0.5, direction = 'horizontal' } = options
  return one({ kind: 'flip', direction, p: requireShare('randomFlip', p) })
}

/** Cuts out [height, width] (or a square) at a random place, after `padding` pixels of `fill` are put around. */
export function randomCrop(options: {
  readonly size: number | readonly [number, number]
  readonly padding?: number
  readonly fill?: number
}): Augmentation {
  const { size, padding = 0, fill = 0 } = options
  const both: readonly [number, number] = typeof size === 'number' ? [size, size] : size
  for (const side of both) requireWhole('randomCrop: size', 1, side)
  return one({ kind: 'crop', size: both, padding: requireWhole('randomCrop: padding', 0, padding), fill })
}

/**
 * Covers a square of `size` pixels, whose centre is anywhere in the image, with `fill`, with probability `p` (default 1)
 * (DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017).
 */
export function cutOut(options: { readonly size: number; readonly p?: number; readonly fill?: number }): Augmentation {
  const { size, p = 1, fill = 0 } = options
  return one({ kind: 'cutOut', size: requireWhole('cutOut: size', 1, size), p: requireShare('cutOut', p), fill })
}

/** Adds to all of an image the same number, uniform in [−max, max). */
export function randomBrightness({ max }: { readonly max: number }): Augmentation {
  return one({ kind: 'brightness', max: requireAtLeast('randomBrightness: max', 0, max) })
}

/** Multiplies an image's distance from its mean by a number uniform in [1 − max, 1 + max). */
export function randomContrast({ max }: { readonly max: number }): Augmentation {
  return one({ kind: 'contrast', max: requireAtLeast('randomContrast: max', 0, max) })
}

/**
 * Mixes each example with another of its batch, λ·a + (1 − λ)·b with λ from Beta(α, α), and its target likewise: classes i32
 * [N] become shares f32 [N, classes], which `crossEntropy` takes; f32 targets are mixed as they are (Zhang et al., "mixup:
 * Beyond empirical risk minimization", ICLR 2018). λ depends on the example alone; who the other is, on the batch.
 */
export function mixUp(options: { readonly alpha?: number; readonly classes?: number } = {}): Augmentation {
  const { alpha = 0.2, classes = 0 } = options
  if (!(alpha > 0)) throw new RangeError(`mixUp: alpha must be above 0, not ${alpha}.`)
  return one({ kind: 'mixUp', alpha, classes })
}

/** Adds normal noise of this standard deviation to every number of x: for features that are standardised. */
export function gaussianNoise({ std }: { readonly std: number }): Augmentation {
  return one({ kind: 'noise', std: requireAtLeast('gaussianNoise: std', 0, std) })
}

/**
 * Replaces each number of x with `fill` (default 0: the mean, where standardised) with probability `p`, as if it were
 * not known. The others are not scaled, as dropout in a network does.
 */
export function featureDropout({ p, fill = 0 }: { readonly p: number; readonly fill?: number }): Augmentation {
  return one({ kind: 'featureDropout', p: requireShare('featureDropout', p), fill })
}
