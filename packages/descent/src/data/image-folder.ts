/**
 * Images in folders, one folder a class: listed at once, decoded when a batch needs them. Files in a browser are given as a list.
 */
import type { Fit } from './decode-image.ts'
import type { ImageFolder } from './image-dataset.ts'
import type { BadExample } from './raw.ts'

/** How pictures become examples. */
export interface ImageOptions {
  /** Height and width in pixels, or one number for both: every picture is made this size. */
  readonly size: number | readonly [number, number]
  /** 1: grey, 3: red, green, blue (default), 4: and opacity. */
  readonly channels?: 1 | 3 | 4
  /** Pixels are (byte / 255 − mean) / std: one number, or one a channel. Default 0 and 1. */
  readonly mean?: number | readonly number[]
  readonly std?: number | readonly number[]
  /** Pictures of other proportions are stretched ('fill', default), cut ('cover') or given borders ('contain'). */
  readonly fit?: Fit
  /** A picture that cannot be decoded is an error that names it (default), left out ('skip': a loader lists it in
   * `skipped` and warns), or left out after a function was told. */
  readonly onBad?: 'error' | 'skip' | ((bad: BadExample) => void)
  /** How many bytes of decoded pictures are kept. Default 256 MB. */
  readonly cacheBytes?: number
}

/** A picture: its name, from which its class is known, and where it is. */
export interface ImageFile {
  /** `class/…/file.png` */
  readonly path: string
  /** A path in Node, a URL in a browser, or a Blob or File. */
  readonly file: string | Blob
}

/**
 * The pictures under a folder, in which each folder is a class: `pets/cat/1.png`, `pets/dog/old/2.jpg`. In a browser, a
 * list of `{ path, file }`. Classes and files are in the order of their names. PNG and JPEG
 * (WebP, GIF and AVIF too); in Node decoded by the package `sharp`.
 *
 * Examples are x f32 [C, H, W] and y i32, the class. They must be waited for: iterate with `for await`.
 *
 * Throws FormatError where there are no folders with pictures; reading throws FormatError, naming it, for a picture that
 * cannot be decoded, unless `onBad` says otherwise, and an Error that says what to install where sharp is missing.
 */
export async function imageFolder(
  folder: string | URL | readonly ImageFile[],
  options: ImageOptions,
): Promise<ImageFolder> {
  const { openImages } = await import('./on-demand.ts')
  return openImages(folder, options)
}
