/** Looks at what an import brought, and at earlier examples beside it: see `findings.ts` for what is looked for. */
import type { Work } from '../../progress.ts'
import type { Cell, Content, ImageContent } from '../../store/content.ts'
import { loadSharp } from '../../store/sharp.ts'
import type { Store } from '../../store/store.ts'
import type { Column } from '../layout.ts'
import { examineColumn } from './column.ts'
import type { ColumnFindings, Findings, NearDuplicates, Outliers, Placed, SizeFindings } from './findings.ts'
import { type ImageSketch, nearImages, shrink, side, sketchImage } from './near-images.ts'
import { type NearColumn, nearRows } from './near-rows.ts'
import { nearTexts, sketchText, type TextSketch } from './near-texts.ts'
import { predictors } from './predictors.ts'
import { type Looked, lookedAt, mostLooked } from './sample-examples.ts'
import { outlierPositions, spreadOf } from './spread.ts'

export interface Examined {
  readonly store: Store
  readonly importId: number
  /** The numbers of the first and the last example that the import brought. */
  readonly from: number
  readonly to: number
  readonly kind: 'row' | 'text' | 'image'
  /** Of rows, in the order of the file. */
  readonly columns: readonly Column[]
}

const mostShown = 10

/** What is kept of an example once its content was looked at. */
type Head = Omit<Looked, 'content'>

/** @throws nothing for what is found; only where the store cannot be read */
export async function examine(examined: Examined, { onProgress }: Work = {}): Promise<Findings> {
  const { store, kind } = examined
  const looker = kind === 'row' ? new Rows(examined.columns) : kind === 'text' ? new Texts() : new Images()
  const heads: Head[] = []
  for await (const { content, ...head } of lookedAt(store, examined, mostLooked)) {
    heads.push(head)
    await looker.look(content)
    if (heads.length % 100 === 0)
      onProgress?.({ what: 'looking at what came', done: heads.length, total: null, unit: 'examples' })
  }
  const fresh = heads
    .flatMap(({ isNew }, i) => (isNew ? [i] : []))
    .sort((a, b) => (heads[a] as Head).place - (heads[b] as Head).place)
  const labels = fresh.flatMap((i) => heads[i]?.label ?? [])
  const isNumber = labels.every((label) => typeof label === 'number')
  const found = looker.findings(heads, fresh)
  return {
    looked: fresh.length,
    compared: heads.length - fresh.length,
    labelled: labels.length,
    labelSpread: isNumber ? spreadOf(Float64Array.from(labels as number[])) : null,
    columns: [],
    sizes: [],
    predictors: [],
    ...found,
    nearDuplicates: nearDuplicates(heads, looker.near(found)),
  }
}

function nearDuplicates(heads: readonly Head[], like: Int32Array): NearDuplicates {
  const first: NearDuplicates['first'][number][] = []
  let [count, ofFrozen, acrossSplits] = [0, 0, 0]
  for (const [i, j] of like.entries()) {
    const [one, other] = [heads[i], heads[j]]
    if (!one?.isNew || !other) continue
    count++
    if (other.frozen) ofFrozen++
    if (one.split !== null && other.split !== null && one.split !== other.split) acrossSplits++
    if (first.length < mostShown) first.push({ one: placed(one), like: placed(other) })
  }
  return { count, ofFrozen, acrossSplits, first }
}

function placed({ id, place, name, isNew }: Head): Placed {
  return { id, place, name, isNew }
}

function outliersOf(values: Float64Array, heads: readonly Head[], places: readonly number[]): Outliers {
  const spread = spreadOf(values)
  const far = spread ? outlierPositions(values, spread) : []
  return {
    count: far.length,
    first: far.slice(0, 3).map((i) => {
      const head = heads[places[i] as number] as Head
      return { place: head.place, name: head.name, value: values[i] as number }
    }),
  }
}

class Rows {
  readonly #columns: readonly Column[]
  readonly #values: Cell[][]

  constructor(columns: readonly Column[]) {
    this.#columns = columns
    this.#values = columns.map(() => [])
  }

  look(content: Content): void {
    if (content.kind !== 'row') throw new Error(`a project of rows holds a ${content.kind}`)
    for (const [c, { name }] of this.#columns.entries()) this.#values[c]?.push(content.values[name] ?? null)
  }

  /** Columns that only number or name the rows do not make them different. */
  near({ columns: found = [] }: Partial<Findings>): Int32Array {
    const told = this.#values.filter((_, c) => !found[c]?.identifies)
    const columns = told.map((values): NearColumn => {
      const codes = new Map<string, number>()
      const isNumber = values.every((value) => value === null || typeof value === 'number')
      const numbers = Float64Array.from(values, (value) => {
        if (value === null) return Number.NaN
        if (isNumber) return value as number
        const text = String(value).normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim()
        const code = codes.get(text) ?? codes.size
        codes.set(text, code)
        return code
      })
      // Whole numbers are often codes or counts, of which neighbours are not alike.
      const isRounded = isNumber && values.some((value) => value !== null && !Number.isInteger(value))
      const spread = isRounded ? spreadOf(numbers.filter((number) => !Number.isNaN(number))) : null
      // The interquartile range of a normal distribution is 1.349 standard deviations.
      return { values: numbers, spread: spread ? (spread.upper - spread.lower) / 1.349 : 0 }
    })
    return nearRows(columns, this.#values[0]?.length ?? 0)
  }

  findings(heads: readonly Head[], fresh: readonly number[]): Partial<Findings> {
    const values = this.#values.map((all) => fresh.map((i) => all[i] ?? null))
    const columns = this.#columns.map(({ name, type }, c): ColumnFindings => {
      const { numbers, at, ...found } = examineColumn(type, values[c] as Cell[])
      const places = at.map((i) => fresh[i] as number)
      return { name, type, ...found, outliers: outliersOf(numbers, heads, places) }
    })
    const labels = fresh.map((i) => heads[i]?.label ?? null)
    const asPredictors = this.#columns.map(({ name }, c) => ({
      name,
      values: (values[c] as Cell[]).map((value) => (typeof value === 'boolean' ? String(value) : value)),
    }))
    return { columns, predictors: predictors(asPredictors, labels) }
  }
}

class Texts {
  readonly #sketches: TextSketch[] = []
  readonly #lengths: number[] = []

  look(content: Content): void {
    if (content.kind !== 'text') throw new Error(`a project of texts holds a ${content.kind}`)
    this.#sketches.push(sketchText(content.text))
    this.#lengths.push(content.text.length)
  }

  near(): Int32Array {
    return nearTexts(this.#sketches)
  }

  findings(heads: readonly Head[], fresh: readonly number[]): Partial<Findings> {
    const lengths = Float64Array.from(fresh, (i) => this.#lengths[i] as number)
    const spread = spreadOf(lengths)
    if (!spread) return {}
    // Lengths are spread by factors: what is far out is told by their logarithms.
    const outliers = outliersOf(lengths.map(Math.log), heads, fresh)
    const first = outliers.first.map((one) => ({ ...one, value: Math.round(Math.exp(one.value)) }))
    return { sizes: [{ what: 'characters', spread, outliers: { count: outliers.count, first } }] }
  }
}

class Images {
  readonly #sketches: ImageSketch[] = []
  readonly #widths: number[] = []
  readonly #heights: number[] = []

  async look(content: Content): Promise<void> {
    if (content.kind !== 'image') throw new Error(`a project of images holds a ${content.kind}`)
    const { grey, width, height } = await greyOf(content)
    this.#sketches.push(sketchImage(grey))
    this.#widths.push(width)
    this.#heights.push(height)
  }

  near(): Int32Array {
    return nearImages(this.#sketches)
  }

  findings(heads: readonly Head[], fresh: readonly number[]): Partial<Findings> {
    const sizes: SizeFindings[] = []
    for (const [what, all] of [
      ['width', this.#widths],
      ['height', this.#heights],
    ] as const) {
      const values = Float64Array.from(fresh, (i) => all[i] as number)
      const spread = spreadOf(values)
      if (spread) sizes.push({ what, spread, outliers: outliersOf(values, heads, fresh) })
    }
    const blank = fresh.filter((i) => this.#sketches[i]?.small === null)
    const first = blank
      .slice(0, 3)
      .map((i) => ({ place: (heads[i] as Head).place, name: (heads[i] as Head).name, value: 0 }))
    const none = { least: 0, lower: 0, median: 0, upper: 0, greatest: 0 }
    if (blank.length > 0) sizes.push({ what: 'blank', spread: none, outliers: { count: blank.length, first } })
    return { sizes }
  }
}

/** Grey values at 32 × 32 pixels, and the size that the picture has. */
async function greyOf({ media, bytes, width = 0, height = 0, channels = 1 }: ImageContent) {
  if (media === 'image/raw') return { grey: shrink(bytes, width, height, channels), width, height }
  const sharp = await loadSharp()
  const picture = sharp(bytes)
  const size = await picture.metadata()
  const grey = await picture
    .rotate()
    .flatten({ background: '#fff' })
    .greyscale()
    .resize(side, side, { fit: 'fill' })
    .raw()
    .toBuffer()
  return { grey, width: size.width, height: size.height }
}
