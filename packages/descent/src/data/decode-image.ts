/**
 * From the bytes of a PNG or JPEG file to pixels of a given size: by the package `sharp` in Node, by the browser's own
 * decoder in a browser. Pictures are turned upright as their EXIF data says.
 */
import { peer } from './peer.ts'

export type Fit = 'fill' | 'cover' | 'contain'

export interface ImageShape {
  readonly channels: 1 | 3 | 4
  readonly height: number
  readonly width: number
  /** How a picture of other proportions is made to fit: stretched, cut, or with black borders. */
  readonly fit: Fit
}

/** Bytes [C, H, W]. Throws where the picture cannot be decoded. */
export async function decodeImage(source: string | Blob, shape: ImageShape): Promise<Uint8Array> {
  const node = typeof process !== 'undefined' && process.versions?.node !== undefined
  return node ? decodeBySharp(source, shape) : decodeByBrowser(source, shape)
}

async function decodeBySharp(source: string | Blob, shape: ImageShape): Promise<Uint8Array> {
  const { default: sharp } = await peer('sharp', 'Decoding images in Node', () => import('sharp'))
  const input = source instanceof Blob ? new Uint8Array(await source.arrayBuffer()) : source
  const { height, width, fit } = shape
  const { data, info } = await sharp(input)
    .autoOrient()
    .resize({ width, height, fit, background: { r: 0, g: 0, b: 0, alpha: 1 } })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return planes(data, info.channels, shape)
}

async function decodeByBrowser(source: string | Blob, shape: ImageShape): Promise<Uint8Array> {
  const { height, width, fit } = shape
  const blob = source instanceof Blob ? source : await fetched(source)
  const bitmap = await createImageBitmap(blob, { premultiplyAlpha: 'none' })
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context) throw new Error('this browser has no 2D canvas')
  context.imageSmoothingQuality = 'high'
  if (shape.channels !== 4) context.fillRect(0, 0, width, height)
  const [across, down] = [width / bitmap.width, height / bitmap.height]
  const scale = fit === 'cover' ? Math.max(across, down) : Math.min(across, down)
  const [w, h] = fit === 'fill' ? [width, height] : [bitmap.width * scale, bitmap.height * scale]
  context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h)
  bitmap.close()
  return planes(context.getImageData(0, 0, width, height).data, 4, shape)
}

async function fetched(url: string): Promise<Blob> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`the server answered ${response.status}`)
  return response.blob()
}

/** Pixels one after the other → planes. Grey is the luma of ITU-R 601, as in Pillow and so torchvision. */
function planes(
  pixels: Uint8Array | Uint8ClampedArray,
  given: number,
  { channels, height, width }: ImageShape,
): Uint8Array {
  const size = height * width
  const out = new Uint8Array(channels * size)
  for (let i = 0; i < size; i++) {
    const at = i * given
    const red = pixels[at] as number
    const [green, blue] = given < 3 ? [red, red] : [pixels[at + 1] as number, pixels[at + 2] as number]
    if (channels === 1) out[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    else {
      out[i] = red
      out[size + i] = green
      out[2 * size + i] = blue
      if (channels === 4) out[3 * size + i] = given % 2 === 0 ? (pixels[at + given - 1] as number) : 255
    }
  }
  return out
}
