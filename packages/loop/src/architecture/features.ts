/**
 * Features: from contents to what a network takes. Learned from the training split alone, written down as JSON with the
 * run, and applied in the same way to every content that comes later.
 *
 * What holds: `encode` of the same content gives the same numbers, whatever else is in the batch.
 */
import { type data, type Tensor, tensor } from 'descent'
import type { Config } from '../project/config.ts'
import type { Content } from '../store/content.ts'
import { requireKind } from './features/kind.ts'
import { ByteMemory, DenseMemory, type Memory } from './features/memory.ts'
import { fitPixels, PixelFeatures, type PixelState } from './features/pixels.ts'
import { fitTable, type TableColumn, TableFeatures, type TableState } from './features/table.ts'
import { fitTokens, TokenFeatures, type TokenState } from './features/tokens.ts'
import { fitWords, SparseMemory, WordFeatures, type WordState } from './features/words.ts'
import type { Layout } from './input.ts'
import type { Preprocess } from './recipe.ts'

export type FeaturesState = TableState | PixelState | WordState | TokenState

/** How contents of one project become inputs. */
export interface Features {
  readonly layout: Layout
  /** All that was learned. */
  readonly state: FeaturesState
  /** What was left out, and why, for people. */
  readonly notes: readonly string[]
  /** One batch, [N, ...] as the layout says. */
  encode(contents: readonly Content[]): Promise<data.RawArray>
}

/** What a project knows of its contents before they are read. */
export interface ContentKnowledge {
  readonly columns: readonly TableColumn[]
  readonly config: Pick<Config, 'target' | 'columns' | 'image'>
}

/**
 * Learns features from the contents of the training split.
 * @throws {UserError} where there is nothing to learn from
 */
export async function fitFeatures(
  preprocess: Preprocess,
  contents: AsyncIterable<Content>,
  { columns, config }: ContentKnowledge,
): Promise<Features> {
  switch (preprocess.type) {
    case 'table': {
      const used = columns.filter(({ name }) => name !== config.target && config.columns?.[name] !== 'ignore')
      return new TableFeatures(await fitTable(preprocess, only(contents, 'row'), used))
    }
    case 'pixels':
      return new PixelFeatures(await fitPixels(preprocess, only(contents, 'image'), config.image))
    case 'words':
      return new WordFeatures(await fitWords(preprocess, only(contents, 'text')))
    case 'bytePairs':
      return new TokenFeatures(await fitTokens(preprocess, only(contents, 'text')))
    default:
      return preprocess satisfies never
  }
}

/** Features as they were written down. */
export function featuresFrom(state: FeaturesState): Features {
  switch (state.type) {
    case 'table':
      return new TableFeatures(state)
    case 'pixels':
      return new PixelFeatures(state)
    case 'words':
      return new WordFeatures(state)
    case 'bytePairs':
      return new TokenFeatures(state)
    default:
      return state satisfies never
  }
}

/** The contents as one tensor, [N, ...] as the layout says: what a network takes. */
export async function encode(features: Features, contents: readonly Content[]): Promise<Tensor> {
  const { values, shape } = await features.encode(contents)
  return tensor(values, { shape })
}

/** Room for many encoded examples, in as few bytes as their kind allows. */
export function memoryFor(features: Features, count: number): Memory {
  if (features instanceof PixelFeatures) return new ByteMemory(features, count)
  if (features instanceof WordFeatures) return new SparseMemory(features)
  return new DenseMemory(features, count)
}

async function* only<K extends Content['kind']>(
  contents: AsyncIterable<Content>,
  kind: K,
): AsyncGenerator<Extract<Content, { kind: K }>> {
  for await (const content of contents) yield requireKind(content, kind)
}
