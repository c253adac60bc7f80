/** Images: brought to one size and number of channels, then (byte / 255 − mean) / deviation of the training images. */
import type { data } from 'descent'
import { UserError } from '../../errors.ts'
import type { Content, ImageContent } from '../../store/content.ts'
import { loadSharp } from '../../store/sharp.ts'
import type { Layout } from '../input.ts'
import type { Preprocess } from '../recipe.ts'
import { requireKind } from './kind.ts'

export interface PixelState {
  readonly type: 'pixels'
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly mean: number
  readonly deviation: number
}

interface ImageSize {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
}

/** The size that all images are brought to: the config's, or that of the first image. */
export async function imageSize(
  first: ImageContent,
  wanted?: { readonly width: number; readonly height: number; readonly channels?: 1 | 3 },
): Promise<ImageSize> {
  if (wanted?.channels) return { ...wanted, channels: wanted.channels }
  const { width, height, channels } =
    first.media === 'image/raw' ? first : await readable((await loadSharp())(first.bytes).metadata())
  const own = { width: width as number, height: height as number, channels: (channels ?? 1) >= 3 ? 3 : 1 } as const
  return wanted ? { ...own, ...wanted } : own
}

export async function fitPixels(
  { normalize }: Extract<Preprocess, { type: 'pixels' }>,
  images: AsyncIterable<ImageContent>,
  wanted?: { readonly width: number; readonly height: number; readonly channels?: 1 | 3 },
): Promise<PixelState> {
  let size: ImageSize | null = null
  const counts = new Float64Array(256)
  for await (const image of images) {
    size ??= await imageSize(image, wanted)
    if (!normalize) break
    for (const byte of await planes(image, size)) counts[byte] = (counts[byte] as number) + 1
  }
  if (!size) throw new UserError('The training split has no images: label some, then make a new snapshot.')
  if (!normalize) return { type: 'pixels', ...size, mean: 0, deviation: 1 }
  const total = counts.reduce((a, b) => a + b)
  const mean = counts.reduce((sum, n, byte) => sum + n * byte, 0) / total
  const variance = counts.reduce((sum, n, byte) => sum + n * (byte - mean) ** 2, 0) / total
  return { type: 'pixels', ...size, mean: mean / 255, deviation: Math.sqrt(variance) / 255 || 1 }
}

export class PixelFeatures {
  readonly state: PixelState
  readonly layout: Extract<Layout, { type: 'image' }>
  readonly notes: readonly string[] = []
  /** What each byte of a pixel stands for. */
  readonly meaning: Float32Array

  constructor(state: PixelState) {
    this.state = state
    const { channels, height, width, mean, deviation } = state
    this.layout = { type: 'image', channels, height, width }
    this.meaning = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / deviation)
  }

  /** Pixels [channels, height, width]. */
  bytes(content: Content): Promise<Uint8Array> {
    return planes(requireKind(content, 'image'), this.state)
  }

  /** f32 [N, channels, height, width] */
  async encode(contents: readonly Content[]): Promise<data.RawArray> {
    const { channels, height, width } = this.layout
    const size = channels * height * width
    const values = new Float32Array(contents.length * size)
    const all = await Promise.all(contents.map((content) => this.bytes(content)))
    for (const [i, bytes] of all.entries())
      for (let j = 0; j < size; j++) values[i * size + j] = this.meaning[bytes[j] as number] as number
    return { shape: [contents.length, channels, height, width], values }
  }
}

/** An image's pixels, channel by channel. */
async function planes(image: ImageContent, { width, height, channels }: ImageSize): Promise<Uint8Array> {
  const raw = image.media === 'image/raw'
  const given = image.channels ?? 1
  if (raw && image.width === width && image.height === height && given === channels) {
    return channels === 1 ? image.bytes : separate(image.bytes, channels)
  }
  const sharp = await loadSharp()
  const source = raw
    ? sharp(image.bytes, {
        raw: { width: image.width as number, height: image.height as number, channels: given as 1 | 2 | 3 | 4 },
      })
    : sharp(image.bytes).autoOrient()
  const pixels = await readable(
    source
      .flatten({ background: '#000' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .resize(width, height, { fit: 'fill' })
      .raw()
      .toBuffer({ resolveWithObject: true }),
  )
  const found = pixels.info.channels
  if (found === channels) return channels === 1 ? pixels.data : separate(pixels.data, channels)
  const out = new Uint8Array(channels * width * height)
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < channels; c++)
      out[c * width * height + i] = pixels.data[i * found + Math.min(c, found - 1)] as number
  return out
}

function separate(pixels: Uint8Array, channels: number): Uint8Array {
  const size = pixels.length / channels
  const out = new Uint8Array(pixels.length)
  for (let i = 0; i < size; i++)
    for (let c = 0; c < channels; c++) out[c * size + i] = pixels[i * channels + c] as number
  return out
}

async function readable<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    throw new UserError(`An image cannot be read: ${(error as Error).message}.`)
  }
}
