/** The steps of augmentation as data, and what they ask of a batch. */
import { DTypeError, ShapeError } from '../errors.ts'
import type { Draws } from './draws.ts'

/** See the functions of `augment.ts`, which make them. */
export type AugmentStep =
  | { readonly kind: 'shift'; readonly max: number; readonly fill: number }
  | { readonly kind: 'rotate'; readonly degrees: number; readonly fill: number }
  | { readonly kind: 'flip'; readonly direction: 'horizontal' | 'vertical'; readonly p: number }
  | { readonly kind: 'crop'; readonly size: readonly [number, number]; readonly padding: number; readonly fill: number }
  | { readonly kind: 'cutOut'; readonly size: number; readonly p: number; readonly fill: number }
  | { readonly kind: 'brightness'; readonly max: number }
  | { readonly kind: 'contrast'; readonly max: number }
  | { readonly kind: 'mixUp'; readonly alpha: number; readonly classes: number }
  | { readonly kind: 'noise'; readonly std: number }
  | { readonly kind: 'featureDropout'; readonly p: number; readonly fill: number }

/** The random numbers of one example of a batch; another `stream` is independent of the first. */
export type Begin = (example: number, stream?: 0 | 1) => Draws

export function requireFloats(what: string, values: Float32Array | Int32Array): asserts values is Float32Array {
  if (!(values instanceof Float32Array)) throw new DTypeError(`${what}: augments f32 batches, not i32.`)
}

export function imageSides(what: string, shape: readonly number[]): readonly [number, number, number, number] {
  const [n, c, h, w] = shape
  if (shape.length !== 4 || n === undefined || c === undefined || h === undefined || w === undefined)
    throw new ShapeError(`${what}: takes images [N, C, H, W], got [${shape.join(', ')}].`)
  return [n, c, h, w]
}
