/**
 * Texts as sparse rows: words, pairs of words and, if asked for, runs of characters, hashed to columns (Weinberger et
 * al., ICML 2009, without signs, so that all values are counts), weighted by tf-idf and scaled to length 1. Nothing is
 * learned but how many texts each column occurs in.
 */
import { UserError } from '../../errors.ts'
import type { Work } from '../../progress.ts'
import { Pace } from '../pace.ts'
import type { SparseRows } from '../rows.ts'

export interface TextOptions {
  /** Columns are 2 to this power: 18 unless said otherwise. More of them let fewer terms collide. */
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
  /** [2^bits]: ln((1 + texts) / (1 + texts with the term)) + 1 (Salton and Buckley 1988, smoothed) */
  readonly weights: Float32Array
}

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
  const weights = Float32Array.from(occurs, (count) => Math.log((1 + texts.length) / (1 + count)) + 1)
  return { bits, words, characters, weights }
}

/** A sparse row a text: (1 + ln count) · weight of each of its terms, divided by the row's length. */
export async function textRows(
  features: TextFeatures,
  texts: readonly string[],
  options: Work = {},
): Promise<SparseRows> {
  const { bits, words, characters, weights } = features
  const pace = new Pace(options, 'counting words')
  const starts = new Int32Array(texts.length + 1)
  const indices: number[] = []
  const values: number[] = []
  for (const [i, text] of texts.entries()) {
    const terms = [...counted(text, bits, words, characters)].sort((a, b) => a[0] - b[0])
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
    columns: 2 ** bits,
    starts,
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
  }
}

/** The words of a text: runs of letters and digits, in lower case. A number is a word, and so are signs of money. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}[\p{L}\p{M}\p{N}'’]*|\p{N}+|[!$€£%]+/gu) ?? []
}

/** How often each column's terms occur in a text. */
function counted(
  text: string,
  bits: number,
  longest: number,
  characters: readonly [number, number] | null,
): Map<number, number> {
  const counts = new Map<number, number>()
  const shift = 32 - bits
  const add = (hash: number) => {
    const column = spread(hash) >>> shift
    counts.set(column, (counts.get(column) ?? 0) + 1)
  }
  const words = wordsOf(text)
  for (let i = 0; i < words.length; i++) {
    let hash = BASIS
    for (let n = 0; n < longest && i + n < words.length; n++) {
      hash = hashed(words[i + n] as string, hash)
      add(hash)
      hash = hashed(' ', hash)
    }
    if (!characters) continue
    // The marks tell a run at a word's beginning or end from one within.
    const marked = `<${words[i]}>`
    for (let length = characters[0]; length <= characters[1]; length++) {
      for (let at = 0; at + length <= marked.length; at++) add(hashed(marked.slice(at, at + length), ~BASIS))
    }
  }
  return counts
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
