/**
 * Features that need no model: coarse pixels, hashed words, standardised columns. By them the examples can be told apart
 * before anything is trained, so that the first batch covers the data.
 */
import { type Features, fitFeatures } from '../architecture/features.ts'
import type { Preprocess } from '../architecture/recipe.ts'
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'

/** Images are brought to at most so many pixels a side, and to grey. */
const SIDE = 16
const BUCKETS = 512

const preprocess: Readonly<Record<Project['config']['kind'], Preprocess>> = {
  image: { type: 'pixels', normalize: true },
  text: { type: 'words', buckets: BUCKETS, ngrams: 1, weighting: 'tfidf' },
  tabular: { type: 'table', numbers: 'standardize', rareBelow: 2, maxLevels: 50 },
}

/**
 * One row of numbers an example [N, F], of one scale: columns of numbers have variance 1, two different levels of a category
 * are 1 apart, texts have length 1.
 * @throws {UserError} where there is nothing to tell them apart by, such as rows of free text alone
 */
export async function rawFeatures({ config, store }: Project, contents: readonly Content[]): Promise<Float32Array> {
  const fields = await store.db.selectFrom('field').select(['name', 'type']).orderBy('position').execute()
  const columns = fields.flatMap(({ name, type }) => {
    const said = config.columns?.[name] ?? type
    return said === 'ignore' ? [] : [{ name, type: said }]
  })
  const side = (pixels: number | undefined) => Math.min(SIDE, pixels ?? SIDE)
  const image = { width: side(config.image?.width), height: side(config.image?.height), channels: 1 } as const
  const features = await fitFeatures(preprocess[config.kind], each(contents), { columns, config: { ...config, image } })
  return asRows(features, contents)
}

async function asRows(features: Features, contents: readonly Content[]): Promise<Float32Array> {
  const { layout } = features
  const { values } = await features.encode(contents)
  const numbers = Float32Array.from(values)
  return layout.type === 'table' ? oneHot(numbers, layout.numbers, layout.categories) : numbers
}

/** Numbers of levels become indicators, of length √½. */
function oneHot(values: Float32Array, numbers: number, categories: readonly number[]): Float32Array {
  const from = numbers + categories.length
  const width = categories.reduce((sum, levels) => sum + levels, numbers)
  const rows = values.length / from
  const out = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    out.set(values.subarray(row * from, row * from + numbers), row * width)
    let at = row * width + numbers
    for (const [i, levels] of categories.entries()) {
      out[at + (values[row * from + numbers + i] as number)] = Math.SQRT1_2
      at += levels
    }
  }
  return out
}

async function* each(contents: readonly Content[]): AsyncGenerator<Content> {
  yield* contents
}
