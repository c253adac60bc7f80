/** Pictures as examples: decoded when a batch needs them, kept decoded as far as they fit. Loaded by `imageFolder`. */
import { FormatError } from '../errors.ts'
import { decodeImage, type ImageShape } from './decode-image.ts'
import type { ImageFile, ImageOptions } from './image-folder.ts'
import type { BadExample, RawExamples } from './raw.ts'
import { SourceDataset } from './source-dataset.ts'

const IMAGE = /\.(png|jpe?g|webp|gif|avif)$/i

/** See `imageFolder`. */
export async function openImages(
  folder: string | URL | readonly ImageFile[],
  options: ImageOptions,
): Promise<ImageFolder> {
  const files = Array.isArray(folder) ? (folder as readonly ImageFile[]) : await listed(folder as string | URL)
  const name = Array.isArray(folder) ? 'The list of images' : String(folder)
  const pictures = files.filter(({ path }) => IMAGE.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1))
  const classOf = ({ path }: ImageFile): string => {
    const [first, ...rest] = path.split('/').filter((part) => part !== '')
    if (rest.length === 0)
      throw new FormatError(
        `${name}: '${path}' is in no folder of a class. Put pictures into one folder for each class.`,
      )
    return first as string
  }
  const classes = [...new Set(pictures.map(classOf))].sort()
  if (classes.length === 0)
    throw new FormatError(`${name} holds no pictures: there must be a folder for each class, with PNG or JPEG files.`)
  const labels = Int32Array.from(pictures, (picture) => classes.indexOf(classOf(picture)))
  return new ImageFolder(pictures, classes, labels, options)
}

/** What `imageFolder` gives. */
export class ImageFolder extends SourceDataset {
  /** The names of the classes: class i is classes[i]. */
  readonly classes: readonly string[]
  readonly files: readonly ImageFile[]
  readonly length: number
  readonly #labels: Int32Array
  readonly #options: ImageOptions
  readonly #shape: ImageShape
  /** What each byte of each channel stands for. */
  readonly #meaning: readonly Float32Array[]
  readonly #cache = new Map<number, Uint8Array>()
  readonly #bad = new Map<number, BadExample>()
  #cached = 0

  constructor(files: readonly ImageFile[], classes: readonly string[], labels: Int32Array, options: ImageOptions) {
    super()
    const { size, channels = 3, mean = 0, std = 1, fit = 'fill' } = options
    const [height, width] = typeof size === 'number' ? [size, size] : size
    if (![height, width].every((side) => Number.isInteger(side) && side > 0))
      throw new RangeError(`imageFolder: size must be whole numbers above 0, not ${size}.`)
    if (![1, 3, 4].includes(channels)) throw new RangeError(`imageFolder: channels must be 1, 3 or 4, not ${channels}.`)
    this.files = files
    this.classes = classes
    this.length = files.length
    this.#labels = labels
    this.#options = options
    this.#shape = { channels, height, width, fit }
    this.#meaning = Array.from({ length: channels }, (_, c) => {
      const [m, s] = [mean, std].map((value) => (typeof value === 'number' ? value : value[c])) as [number, number]
      if (!Number.isFinite(m) || !(s > 0))
        throw new RangeError(`imageFolder: mean and std must be given for ${channels} channels, std above 0.`)
      return Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - m) / s)
    })
  }

  async read(numbers: Int32Array): Promise<RawExamples> {
    const decoded = await Promise.all(Array.from(numbers, (number) => this.#pixels(number)))
    const kept = numbers.filter((_, i) => decoded[i] !== null)
    const skipped = Array.from(
      numbers.filter((_, i) => decoded[i] === null),
      (number) => this.#bad.get(number) as BadExample,
    )
    const { channels, height, width } = this.#shape
    const size = height * width
    const values = new Float32Array(kept.length * channels * size)
    let at = 0
    for (const pixels of decoded) {
      if (!pixels) continue
      for (let c = 0; c < channels; c++) {
        const meaning = this.#meaning[c] as Float32Array
        for (let i = c * size; i < (c + 1) * size; i++) values[at++] = meaning[pixels[i] as number] as number
      }
    }
    const examples: RawExamples = {
      x: { shape: [kept.length, channels, height, width], values },
      y: { shape: [kept.length], values: kept.map((number) => this.#labels[number] as number) },
      numbers: kept,
    }
    return skipped.length > 0 ? { ...examples, skipped } : examples
  }

  /** The class of every example. */
  labels(): Int32Array {
    return this.#labels
  }

  /** What a worker must know to read the same. Throws TypeError where `onBad` is a function. */
  spec(): unknown {
    if (typeof this.#options.onBad === 'function')
      throw new TypeError(
        "imageFolder: a worker cannot be sent the function onBad. Use 'skip' and the loader's `skipped`.",
      )
    return { kind: 'images', files: this.files, classes: this.classes, labels: this.#labels, options: this.#options }
  }

  /** null where the picture is bad and may be left out. */
  async #pixels(number: number): Promise<Uint8Array | null> {
    const picture = this.files[number]
    if (!picture) throw new RangeError(`Example ${number} does not exist: there are ${this.length}.`)
    const known = this.#cache.get(number)
    if (known) return known
    if (this.#bad.has(number)) return null
    const { onBad = 'error', cacheBytes = 2 ** 28 } = this.#options
    let pixels: Uint8Array
    try {
      pixels = await decodeImage(picture.file, this.#shape)
    } catch (error) {
      // A package that is missing is not the picture's fault.
      if ((error as Error).cause !== undefined) throw error
      const bad: BadExample = { name: picture.path, reason: (error as Error).message.trim().replaceAll(/\s+/g, ' ') }
      if (onBad === 'error') throw new FormatError(`${bad.name} cannot be decoded: ${bad.reason}.`)
      if (onBad !== 'skip') onBad(bad)
      this.#bad.set(number, bad)
      return null
    }
    if (this.#cached + pixels.length <= cacheBytes && !this.#cache.has(number)) {
      this.#cached += pixels.length
      this.#cache.set(number, pixels)
    }
    return pixels
  }
}

async function listed(folder: string | URL): Promise<ImageFile[]> {
  const { readdir } = await import('node:fs/promises')
  const { join, relative, resolve, sep } = await import('node:path')
  const { fileURLToPath } = await import('node:url')
  const root = resolve(typeof folder === 'string' ? folder : fileURLToPath(folder))
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => IMAGE.test(file))
    .map((file) => ({ path: relative(root, file).split(sep).join('/'), file }))
}
