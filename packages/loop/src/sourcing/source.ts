/**
 * From paths, as a person wrote them, to sources: a table file each, a pair of IDX files, or images or texts (of a folder,
 * or given one by one) that belong together. Nothing is read but names and the first bytes of files without a telling one.
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join, relative, resolve, sep } from 'node:path'
import { UserError } from '../errors.ts'
import type { Kind } from '../project/config.ts'
import { idxDimensions } from './idx-files.ts'

export const formats = ['csv', 'tsv', 'json', 'jsonl', 'parquet', 'idx', 'images', 'text'] as const
export type Format = (typeof formats)[number]
export type TableFormat = 'csv' | 'tsv' | 'json' | 'jsonl' | 'parquet'

export interface SourceFile {
  /** Where it is, from the root. */
  readonly path: string
  /** Its path within the import. */
  readonly name: string
  /** The class that its folder names. */
  readonly label: string | null
}

/** What one row of the table `import` stands for. */
export interface Source {
  /** As the person wrote it. */
  readonly path: string
  readonly format: Format
  /** One of a table; images, then labels, of IDX; any number of images or texts. */
  readonly files: readonly SourceFile[]
}

const formatOf: Readonly<Record<string, Format>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  parquet: 'parquet',
  png: 'images',
  jpg: 'images',
  jpeg: 'images',
  txt: 'text',
  md: 'text',
  eml: 'text',
}

const tables: readonly Format[] = ['csv', 'tsv', 'json', 'jsonl', 'parquet']

/** The formats that a project of each kind takes. */
const taken: Readonly<Record<Kind, readonly Format[]>> = {
  tabular: tables,
  image: ['idx', 'images'],
  text: ['text', ...tables],
}

/**
 * The sources that the paths stand for, in order.
 * @throws {UserError} where a path does not exist, or has nothing that a project of this kind takes
 */
export async function findSources(
  kind: Kind,
  paths: readonly string[],
  format: Format | undefined,
): Promise<readonly Source[]> {
  if (paths.length === 0) throw new UserError('There is nothing to import: name files or folders.')
  if (format !== undefined && !taken[kind].includes(format)) throw refused(kind, format, `--format ${format}`)
  const sources: Source[] = []
  const single: Listed[] = []
  for (const path of paths) {
    const absolute = resolve(path)
    const found = await stat(absolute).catch(() => null)
    if (!found) throw new UserError(`${path} does not exist (looked for ${absolute}).`)
    if (found.isDirectory()) sources.push(...(await ofFolder(kind, path, absolute, format)))
    else if (found.isFile())
      single.push({ path: absolute, name: basename(path), label: null, format: null, written: path })
    else throw new UserError(`${path} is neither a file nor a folder.`)
  }
  const typed = await Promise.all(
    single.map(async (file) => ({ ...file, format: format ?? (await recognise(kind, file)) })),
  )
  for (const { written, format: found } of typed) {
    if (found === null)
      throw new UserError(
        `${written} is of no format that is known by its name: say which with --format (${taken[kind].join(', ')}).`,
      )
    if (!taken[kind].includes(found)) throw refused(kind, found, written)
  }
  sources.push(...grouped(typed, typed[0]?.written ?? ''))
  return sources
}

interface Listed extends SourceFile {
  readonly format: Format | null
  /** As the person wrote it; of a file in a folder, the folder as the person wrote it and its path within. */
  readonly written: string
}

function refused(kind: Kind, format: Format, what: string): UserError {
  const names = taken[kind].join(', ')
  return new UserError(
    `${what}: a project of kind ${kind} takes ${names}, not ${format}. Make a project of another kind for it (\`descent init\`).`,
  )
}

async function ofFolder(kind: Kind, written: string, folder: string, format: Format | undefined): Promise<Source[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && !hidden(relative(folder, join(entry.parentPath, entry.name))))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const name = relative(folder, path).split(sep).join('/')
      return {
        path,
        name,
        written: join(written, name),
        label: name.includes('/') ? (name.split('/')[0] as string) : null,
      }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const typed = await Promise.all(
    files.map(async (file): Promise<Listed> => ({ ...file, format: await recognise(kind, file) })),
  )
  if (format === 'images' || format === 'text') {
    const wanted = typed.filter((file) => file.format === format)
    if (wanted.length > 0) return grouped(wanted, written)
  }
  // Of a project's own kind first: in a folder of texts a table beside them is a list of the same.
  for (const group of preference[kind]) {
    const wanted = typed.filter((file) => file.format !== null && group.includes(file.format))
    if (wanted.length > 0 && (format === undefined || group.includes(format)))
      return grouped(
        wanted.filter((file) => format === undefined || file.format === format),
        written,
      )
  }
  const what = files.length === 0 ? 'is empty' : `holds ${files.length} files, but none that can be used`
  throw new UserError(`The folder ${written} ${what}: a project of kind ${kind} takes ${taken[kind].join(', ')}.`)
}

const preference: Readonly<Record<Kind, readonly (readonly Format[])[]>> = {
  tabular: [tables],
  image: [['images'], ['idx']],
  text: [['text'], tables],
}

function hidden(name: string): boolean {
  return name.split(sep).some((part) => part.startsWith('.'))
}

/** By its name; IDX by its first bytes; a file without an extension is a text in a project of texts. */
async function recognise(kind: Kind, file: SourceFile): Promise<Format | null> {
  const name = basename(file.path).toLowerCase().replace(/\.gz$/, '')
  const extension = extname(name).slice(1)
  const known = Object.hasOwn(formatOf, extension) ? formatOf[extension] : undefined
  if (known) return known
  if (kind === 'image' && (await idxDimensions(file.path)) !== null) return 'idx'
  if (kind === 'text' && (extension === '' || /^[0-9a-f]{16,}$/.test(extension))) return 'text'
  return null
}

/** Table files are sources of their own; IDX files are paired; images, and texts, belong together. */
function grouped(files: readonly Listed[], path: string): Source[] {
  const sources: Source[] = []
  for (const format of formats) {
    const some = files.filter((file) => file.format === format)
    if (some.length === 0) continue
    if (format === 'idx') sources.push(...pairs(some, path))
    else if (format === 'images' || format === 'text') sources.push({ path, format, files: some })
    else for (const file of some) sources.push({ path: file.written, format, files: [file] })
  }
  return sources
}

/** Images and labels of the same set: two files that were given, or `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`. */
function pairs(files: readonly Listed[], path: string): Source[] {
  const isLabels = (file: Listed) => /label/i.test(basename(file.path)) || /idx1/i.test(basename(file.path))
  const images = files.filter((file) => !isLabels(file))
  const labels = files.filter(isLabels)
  if (images.length === 0)
    throw new UserError(`${path}: there are labels (${labels[0]?.name}) but no images beside them.`)
  const stem = (file: Listed) =>
    basename(file.path)
      .toLowerCase()
      .replace(/\.gz$/, '')
      .replace(/(images?|labels?)[-._]?idx\d|images?|labels?|idx\d/g, '')
  return images.map((file) => {
    const own = images.length === 1 && labels.length === 1 ? labels[0] : labels.find((l) => stem(l) === stem(file))
    return { path: file.written, format: 'idx', files: own ? [file, own] : [file] }
  })
}
