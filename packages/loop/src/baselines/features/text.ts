/**
 * Texts as sparse rows: words, pairs of words and, if asked for, runs of characters, hashed to columns (Weinberger et
 * al., ICML 2009, without signs, so that all values are counts), weighted by tf-idf and scaled to length 1. Nothing is
 * learned but how many texts each column occurs in; terms of a single text say nothing of others, and are left out.
 */
import { UserError } from '../../errors.ts'
import type { Work } from '../../progress.ts'
import { Pace } from '../pace.ts'
import type { SparseRows } from '../rows.ts'

export interface TextOptions {
  /** Terms are hashed to 2 to this power: 18 unless said otherwise. More of them let fewer terms collide. */
  readonly bits?: number | undefined
  /** The longest run of words that is a term: 2 unless said otherwise. */
  readonly words?: number | undefined
  /** Runs of so many characters within words are terms, too, as [shortest, longest]. */
  readonly characters?: readonly [number, number] | undefined
}

/** What is needed to make rows of texts, in the same way again. */
export interface TextFeatures {
  readonly bits: number
  readonly words: number
  readonly characters: readonly [number, number] | null
  /** [columns], ascending: the hashes that have a column. */
  readonly hashes: Int32Array
  /** [columns]: ln((1 + texts) / (1 + texts with the term)) + 1 (Salton and Buckley 1988, smoothed) */
  readonly weights: Float32Array
}

/** Of fewer texts than this, a term of one of them is kept. */
const FEW_TEXTS = 50
/** Of more terms the most frequent have a column. */
const MOST_COLUMNS = 60_000

/** Learns in how many texts each term occurs. Throws UserError on options that cannot be. */
export async function fitTextFeatures(
  texts: readonly string[],
  options: TextOptions & Work = {},
): Promise<TextFeatures> {
  const { bits = 18, words = 2, characters = null } = options
  if (!Number.isInteger(bits) || bits < 1 || bits > 24)
    throw new UserError(`Text features: bits is ${bits}. It must be a whole number from 1 to 24.`)
  if (!Number.isInteger(words) || words < 0 || (words === 0 && !characters))
    throw new UserError(`Text features: words is ${words}. It must be a whole number, and without characters above 0.`)
  const pace = new Pace(options, 'counting words')
  const occurs = new Int32Array(2 ** bits)
  for (const [i, text] of texts.entries()) {
    for (const column of counted(text, bits, words, characters).keys()) occurs[column] = (occurs[column] as number) + 1
    if (pace.due()) await pace.rest(i / texts.length)
  }
  const least = texts.length < FEW_TEXTS ? 1 : 2
  const hashes = Int32Array.from(occurs.keys()).filter((hash) => (occurs[hash] as number) >= least)
  // A table of no columns is none.
  const kept = hashes.length > 0 ? mostFrequent(hashes, occurs) : Int32Array.of(0)
  const rarity = (hash: number) => Math.log((1 + texts.length) / (1 + (occurs[hash] as number))) + 1
  return { bits, words, characters, hashes: kept, weights: Float32Array.from(kept, rarity) }
}

/** A sparse row a text: (1 + ln count) · weight of each of its terms, divided by the row's length. */
export async function textRows(
  features: TextFeatures,
  texts: readonly string[],
  options: Work = {},
): Promise<SparseRows> {
  const { bits, words, characters, weights } = features
  const columns = columnsOf(features)
  const pace = new Pace(options, 'counting words')
  const starts = new Int32Array(texts.length + 1)
  const indices: number[] = []
  const values: number[] = []
  for (const [i, text] of texts.entries()) {
    const terms = [...counted(text, bits, words, characters)].flatMap(([hash, count]) => {
      const column = columns[hash] as number
      return column < 0 ? [] : [[column, count] as const]
    })
    terms.sort((a, b) => a[0] - b[0])
    const row = terms.map(([column, count]) => (1 + Math.log(count)) * (weights[column] as number))
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))
    for (const [at, [column]] of terms.entries()) {
      indices.push(column)
      values.push((row[at] as number) / length)
    }
    starts[i + 1] = indices.length
    if (pace.due()) await pace.rest(i / texts.length)
  }
  return {
    rows: texts.length,
    columns: weights.length,
    starts,
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
  }
}

function mostFrequent(hashes: Int32Array, occurs: Int32Array): Int32Array {
  if (hashes.length <= MOST_COLUMNS) return hashes
  const order = hashes.toSorted((a, b) => (occurs[b] as number) - (occurs[a] as number) || a - b)
  return order.slice(0, MOST_COLUMNS).sort()
}

const known = new WeakMap<TextFeatures, Int32Array>()

/** [2^bits]: the column of each hash, −1 for none. */
function columnsOf(features: TextFeatures): Int32Array {
  const columns = known.get(features) ?? new Int32Array(2 ** features.bits).fill(-1)
  if (!known.has(features)) for (const [column, hash] of features.hashes.entries()) columns[hash] = column
  known.set(features, columns)
  return columns
}

/** What the columns stand for: of the terms that share one, that which occurs in most of these texts. */
export function textColumns(
  features: TextFeatures,
  texts: readonly string[],
  asked: readonly number[],
): Map<number, string> {
  const columns = columnsOf(features)
  const counts = new Map(asked.map((column) => [column, new Map<string, number>()]))
  for (const text of texts) {
    const seen = new Set<string>()
    eachTerm(text, features, (hash, term) => {
      const found = counts.get(columns[hash] as number)
      if (!found) return
      const written = term()
      if (!seen.has(written)) found.set(written, (found.get(written) ?? 0) + 1)
      seen.add(written)
    })
  }
  return new Map(
    Array.from(counts, ([column, terms]) => [
      column,
      [...terms].sort((a, b) => b[1] - a[1])[0]?.[0] ?? `column ${column}`,
    ]),
  )
}

/** The words of a text: runs of letters and digits, in lower case. A number is a word, and so are signs of money. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}[\p{L}\p{M}\p{N}'’]*|\p{N}+|[!$€£%]+/gu) ?? []
}

/** How often terms of each hash occur in a text. */
function counted(
  text: string,
  bits: number,
  words: number,
  characters: readonly [number, number] | null,
): Map<number, number> {
  const counts = new Map<number, number>()
  eachTerm(text, { bits, words, characters }, (hash) => counts.set(hash, (counts.get(hash) ?? 0) + 1))
  return counts
}

/** Hears the hash of every term, and how it is written where that is asked for. */
function eachTerm(
  text: string,
  { bits, words: longest, characters }: Pick<TextFeatures, 'bits' | 'words' | 'characters'>,
  hear: (hash: number, term: () => string) => void,
): void {
  const shift = 32 - bits
  const words = wordsOf(text)
  for (let i = 0; i < words.length; i++) {
    let hash = BASIS
    for (let n = 0; n < longest && i + n < words.length; n++) {
      hash = hashed(words[i + n] as string, hash)
      hear(spread(hash) >>> shift, () => words.slice(i, i + n + 1).join(' '))
      hash = hashed(' ', hash)
    }
    if (!characters) continue
    // The marks tell a run at a word's beginning or end from one within.
    const marked = `<${words[i]}>`
    for (let length = characters[0]; length <= characters[1]; length++) {
      for (let at = 0; at + length <= marked.length; at++) {
        const run = marked.slice(at, at + length)
        hear(spread(hashed(run, ~BASIS)) >>> shift, () => run)
      }
    }
  }
}

/** FNV-1a over UTF-16 code units. */
const BASIS = 0x811c9dc5 | 0

function hashed(text: string, from: number): number {
  let hash = from
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

/** FNV's upper bits depend little on the last letters: MurmurHash3's mixer spreads them. */
function spread(word: number): number {
  let z = word ^ (word >>> 16)
  z = Math.imul(z, 0x85ebca6b)
  z ^= z >>> 13
  z = Math.imul(z, 0xc2b2ae35)
  return z ^ (z >>> 16)
}
