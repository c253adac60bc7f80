/** An image's pixels, from a file's bytes or raw; and pixels as PNG. */
import { UserError } from '../errors.ts'
import type { ImageContent } from './content.ts'
import { loadSharp } from './sharp.ts'

export interface Pixels {
  readonly width: number
  readonly height: number
  /** 1 (grey) or 3 (red, green, blue). */
  readonly channels: 1 | 3
  /** Row by row, channel by channel within a pixel, 0 to 255. */
  readonly bytes: Uint8Array
}

/** Decodes; transparency is laid on white; a picture without colours has one channel. */
export async function decodePixels(image: ImageContent): Promise<Pixels> {
  const { media, bytes, width = 0, height = 0, channels = 1 } = image
  if (media === 'image/raw') return { width, height, channels: channels === 3 ? 3 : 1, bytes }
  const sharp = await loadSharp()
  try {
    const decoder = sharp(bytes).rotate().flatten({ background: '#fff' })
    const grey = (await sharp(bytes).metadata()).space === 'b-w'
    const { data, info } = await decoder
      .toColourspace(grey ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, channels: info.channels === 1 ? 1 : 3, bytes: data }
  } catch (error) {
    throw new UserError(`A picture cannot be decoded: ${(error as Error).message}.`)
  }
}

/** The picture as a file that a browser shows: as it is where it is one, else as PNG. */
export async function asPicture(
  image: ImageContent,
): Promise<{ media: 'image/png' | 'image/jpeg'; bytes: Uint8Array }> {
  if (image.media !== 'image/raw') return { media: image.media, bytes: image.bytes }
  const { width, height, channels, bytes } = await decodePixels(image)
  const sharp = await loadSharp()
  return { media: 'image/png', bytes: await sharp(bytes, { raw: { width, height, channels } }).png().toBuffer() }
}
