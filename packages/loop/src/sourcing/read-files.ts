/** Reads texts (one file an example), images, and IDX pairs, batch by batch. */
import { readFile } from 'node:fs/promises'
import { data } from 'descent'
import { UserError } from '../errors.ts'
import { loadSharp } from '../store/sharp.ts'
import { type Batch, BatchBuilder } from './batch.ts'
import { decodeText, encodingName } from './encoding.ts'
import { type LabelRule, readLabel } from './label-rule.ts'
import type { SourceFile } from './source.ts'

export interface FilesTask {
  readonly what: 'text' | 'images' | 'idx'
  /** As the person wrote it. */
  readonly name: string
  readonly files: readonly SourceFile[]
  readonly label: LabelRule
}

export function readFiles(task: FilesTask): AsyncGenerator<Batch> {
  switch (task.what) {
    case 'text':
      return readTexts(task)
    case 'images':
      return readImages(task)
    case 'idx':
      return readIdxPair(task)
    default:
      return task.what satisfies never
  }
}

const folder = { name: 'its folder', as: 'class' } as const

async function* readTexts({ files, label }: FilesTask): AsyncGenerator<Batch> {
  const out = new BatchBuilder(0)
  for (const [i, file] of files.entries()) {
    const place = i + 1
    const fail = (reason: string): void => out.reject({ place, name: file.name, reason, original: file.path })
    const bytes = await readFile(file.path).catch((error: Error) => error.message)
    if (typeof bytes === 'string') fail(`it cannot be read: ${bytes}`)
    else if (bytes.length === 0) fail('it is empty')
    else {
      const decoded = decodeText(bytes)
      const given = labelOf(label, file)
      if (typeof decoded === 'string') fail(decoded)
      else if (typeof given === 'string') fail(given)
      else {
        if (decoded.encoding !== 'utf-8') out.note(`decoded from ${encodingName(decoded.encoding)}`)
        out.add('text', Buffer.from(decoded.text), { place, label: given.value, name: file.name })
      }
    }
    if (out.full) yield out.take()
  }
  yield out.take()
}

function labelOf(rule: LabelRule, file: SourceFile): string | { readonly value: string | number | null } {
  return rule.fixed === null ? readLabel(rule, folder, file.label) : { value: rule.fixed }
}

async function* readImages({ files, label }: FilesTask): AsyncGenerator<Batch> {
  const sharp = await loadSharp()
  const out = new BatchBuilder(0)
  for (const [i, file] of files.entries()) {
    const place = i + 1
    const fail = (reason: string): void => out.reject({ place, name: file.name, reason, original: file.path })
    const bytes = await readFile(file.path).catch((error: Error) => error.message)
    const given = labelOf(label, file)
    if (typeof bytes === 'string') fail(`it cannot be read: ${bytes}`)
    else if (bytes.length === 0) fail('it is empty')
    else if (typeof given === 'string') fail(given)
    else {
      try {
        // Only a picture that can be decoded to its last line is one.
        const { format } = await sharp(bytes, { failOn: 'truncated' }).metadata()
        await sharp(bytes, { failOn: 'truncated' }).stats()
        if (format !== 'png' && format !== 'jpeg') fail(`it is ${format ?? 'of an unknown format'}, not PNG or JPEG`)
        else out.add(`image/${format}`, bytes, { place, label: given.value, name: file.name })
      } catch (error) {
        fail(`it cannot be decoded: ${(error as Error).message.trim().replaceAll(/\s+/g, ' ')}`)
      }
    }
    if (out.full) yield out.take()
  }
  yield out.take()
}

async function* readIdxPair({ name, files, label }: FilesTask): AsyncGenerator<Batch> {
  const [imageFile, labelFile] = files
  if (!imageFile) return
  const images = await data.readIdx(imageFile.path)
  const labels = labelFile ? await data.readIdx(labelFile.path) : null
  const [count = 0, height = 0, width = 0, channels = 1] = images.shape
  if (images.shape.length < 3 || images.shape.length > 4 || !(images.values instanceof Uint8Array)) {
    throw new UserError(
      `${imageFile.name} holds [${images.shape}] of ${images.values.constructor.name.replace('Array', '')}, not images: bytes [count, height, width] or [count, height, width, channels]. Nothing was imported.`,
    )
  }
  if (count === 0) throw new UserError(`${imageFile.name} holds no images. Nothing was imported.`)
  if (labels && (labels.shape.length !== 1 || labels.shape[0] !== count)) {
    throw new UserError(
      `${name}: ${imageFile.name} holds ${count} images, and ${labelFile?.name} ${labels.shape.join(' × ')} labels: they do not belong together. Nothing was imported.`,
    )
  }
  if (labels && label.fixed !== null) {
    throw new UserError(
      `${labelFile?.name} holds a label for each image, and --label gives all of them one: leave out the file or the option. Nothing was imported.`,
    )
  }
  const out = new BatchBuilder(0)
  const size = height * width * channels
  const media = `image/raw;width=${width};height=${height};channels=${channels}`
  for (let i = 0; i < count; i++) {
    const given =
      label.fixed !== null || !labels
        ? { value: label.fixed }
        : readLabel(label, { name: labelFile?.name ?? '', as: 'class' }, String(labels.values[i]))
    if (typeof given === 'string') out.reject({ place: i + 1, name: null, reason: given, original: '' })
    else out.add(media, images.values.subarray(i * size, (i + 1) * size), { place: i + 1, label: given.value })
    if (out.full) yield out.take()
  }
  yield out.take()
}
