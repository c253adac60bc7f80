/**
 * From a project's contents to rows that traditional models take: cells of tables as they are, histograms of gradients for
 * images, hashed words for texts. What is learned of the training contents (levels, how rare words are) is plain data, kept
 * with the model, and applied to every later content in the same way.
 */

import { requireKind } from '../architecture/features/kind.ts'
import { imageSize, PixelFeatures } from '../architecture/features/pixels.ts'
import { fitTable, levelOf, numberOf, type TableState } from '../architecture/features/table.ts'
import { UserError } from '../errors.ts'
import type { Work } from '../progress.ts'
import type { Config, Kind } from '../project/config.ts'
import type { Content } from '../store/content.ts'
import type { SnapshotColumn } from '../versioning/manifest.ts'
import { type Column, encodeColumns } from './encode-columns.ts'
import { imageColumns, imageRows } from './features/images.ts'
import { fitTextFeatures, type TextFeatures, textRows } from './features/text.ts'
import { bytesOf } from './model.ts'
import type { Rows } from './rows.ts'

export type RowFeatures =
  | { readonly type: 'table'; readonly table: TableState }
  | { readonly type: 'image'; readonly width: number; readonly height: number; readonly channels: 1 | 3 }
  | { readonly type: 'text'; readonly text: TextFeatures }

export interface ContentKnowledge {
  readonly columns: readonly SnapshotColumn[]
  readonly config: Pick<Config, 'target' | 'columns' | 'image'>
}

/** A category of more levels would make a column for each. */
const MOST_LEVELS = 100

/** Learns from the training contents, of which only texts are held in memory. Throws UserError where there are none. */
export async function fitRowFeatures(
  kind: Kind,
  contents: AsyncIterable<Content>,
  { columns, config }: ContentKnowledge,
  work: Work = {},
): Promise<RowFeatures> {
  switch (kind) {
    case 'tabular': {
      const used = columns.filter(({ name }) => name !== config.target && config.columns?.[name] !== 'ignore')
      const how = { type: 'table', numbers: 'none', rareBelow: 2, maxLevels: MOST_LEVELS } as const
      return { type: 'table', table: await fitTable(how, only(contents, 'row'), used) }
    }
    case 'image':
      for await (const first of only(contents, 'image'))
        return { type: 'image', ...(await imageSize(first, config.image)) }
      throw new UserError('The training split has no images: label some, then make a new snapshot.')
    case 'text': {
      const texts: string[] = []
      for await (const { text } of only(contents, 'text')) texts.push(text)
      return { type: 'text', text: await fitTextFeatures(texts, work) }
    }
    default:
      return kind satisfies never
  }
}

/** A row a content. */
export async function rowsOf(features: RowFeatures, contents: readonly Content[], work: Work = {}): Promise<Rows> {
  switch (features.type) {
    case 'table':
      return encodeColumns(columnsOf(features.table, contents)).table
    case 'image': {
      const { width, height, channels } = features
      const pixels = new PixelFeatures({ type: 'pixels', width, height, channels, mean: 0, deviation: 1 })
      const size = width * height * channels
      const bytes = new Uint8Array(contents.length * size)
      for (const [i, content] of contents.entries())
        interleave(await pixels.bytes(content), channels, bytes.subarray(i * size, (i + 1) * size))
      return imageRows({ count: contents.length, height, width, channels, bytes }, work)
    }
    case 'text':
      return textRows(features.text, textsOf(contents), work)
    default:
      return features satisfies never
  }
}

/** What each column belongs to: a column of the table, a place in the image; null for words, which stand for themselves. */
export function columnGroups(features: RowFeatures): string[] | null {
  switch (features.type) {
    case 'table': {
      const { numbers, categories } = features.table
      const levels = categories.flatMap(({ name, levels }) => levels.map(() => name))
      return [...numbers.map(({ name }) => name), ...levels]
    }
    case 'image': {
      const names = imageColumns(features)
      return names.map((name) =>
        name.replace(/^edge .* (at \(.*\)) in block.*/, 'edges $1').replace(/^mean/, 'brightness'),
      )
    }
    case 'text':
      return null
    default:
      return features satisfies never
  }
}

/** What was made by hand, in a few words. */
export function describeFeatures(features: RowFeatures, columns: number): string {
  switch (features.type) {
    case 'table':
      return `${columns} columns, categories as one column a level`
    case 'image':
      return `histograms of gradients and brightness, ${columns.toLocaleString('en')} columns`
    case 'text':
      return `weights of words and pairs of words, ${columns.toLocaleString('en')} columns`
    default:
      return features satisfies never
  }
}

/** The bytes of what was learned of the training contents. */
export function featureBytes(features: RowFeatures): number {
  return features.type === 'text' ? bytesOf(features.text) : JSON.stringify(features).length
}

function columnsOf({ numbers, categories }: TableState, contents: readonly Content[]): Column[] {
  const cells = contents.map((content) => requireKind(content, 'row').values)
  return [
    ...numbers.map(
      ({ name, type }): Column => ({
        kind: 'numbers',
        name,
        values: cells.map((row) => numberOf(row[name], type, name) ?? Number.NaN),
      }),
    ),
    ...categories.map(({ name, levels }): Column => {
      const places = new Map(levels.map((level, i) => [level, i]))
      const code = (level: string | null) => (level === null ? MISSING : (places.get(level) ?? UNKNOWN))
      return { kind: 'categories', name, categories: levels, codes: cells.map((row) => code(levelOf(row[name]))) }
    }),
  ]
}

/** In columns of categories: no value at all, and a value that training did not have. */
const MISSING = -1
const UNKNOWN = Number.POSITIVE_INFINITY

function interleave(planes: Uint8Array, channels: number, into: Uint8Array): void {
  const size = planes.length / channels
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < size; i++) into[i * channels + c] = planes[c * size + i] as number
}

export function textsOf(contents: readonly Content[]): string[] {
  return contents.map((content) => requireKind(content, 'text').text)
}

async function* only<K extends Content['kind']>(contents: AsyncIterable<Content>, kind: K) {
  for await (const content of contents) yield requireKind(content, kind)
}
