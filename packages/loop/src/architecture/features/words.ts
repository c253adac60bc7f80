/**
 * Texts as bags of words: words and sequences of words, hashed into buckets (Weinberger et al., "Feature hashing for large
 * scale multitask learning", 2009), weighted by (1 + ln tf) · idf with idf = ln((1 + N) / (1 + df)) + 1, and scaled so that
 * every text has the length 1.
 */
import type { data } from 'descent'
import { UserError } from '../../errors.ts'
import type { Content } from '../../store/content.ts'
import type { Layout } from '../input.ts'
import type { Preprocess } from '../recipe.ts'
import { requireKind } from './kind.ts'
import type { Memory } from './memory.ts'

export interface WordState {
  readonly type: 'words'
  readonly buckets: number
  readonly ngrams: number
  readonly weighting: 'tfidf' | 'counts'
  /** How many training texts there were, and in how many each bucket occurred. */
  readonly texts: number
  readonly frequencies: readonly number[]
}

/** Words beyond this many of a text do not count: a mail with a file inside is read up to there. */
const MOST_WORDS = 20_000
/** Longer words are cut. */
const LONGEST_WORD = 32

type TextContent = Extract<Content, { kind: 'text' }>

export async function fitWords(
  { buckets, ngrams, weighting }: Extract<Preprocess, { type: 'words' }>,
  texts: AsyncIterable<TextContent>,
): Promise<WordState> {
  const frequencies = new Uint32Array(buckets)
  let count = 0
  for await (const { text } of texts) {
    count++
    for (const bucket of bag(text, buckets, ngrams).keys()) frequencies[bucket] = (frequencies[bucket] as number) + 1
  }
  if (count === 0) throw new UserError('The training split has no texts: label some, then make a new snapshot.')
  return { type: 'words', buckets, ngrams, weighting, texts: count, frequencies: Array.from(frequencies) }
}

/** How often each bucket occurs in a text: its words in lower case, its runs of signs, and sequences of these. */
export function bag(text: string, buckets: number, ngrams: number): Map<number, number> {
  const counts = new Map<number, number>()
  const recent: number[] = []
  let words = 0
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]+/gu)) {
    if (++words > MOST_WORDS) break
    recent.unshift(hashText(word))
    if (recent.length > ngrams) recent.pop()
    let sequence = 0
    for (const [length, hash] of recent.entries()) {
      sequence = mix(Math.imul(sequence, 0x9e3779b1) + hash + length)
      const bucket = sequence % buckets
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
    }
  }
  return counts
}

/** FNV-1a over the characters. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < Math.min(text.length, LONGEST_WORD); i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

/** The finaliser of MurmurHash3, so that all bits count. Not negative. */
function mix(hash: number): number {
  let z = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return (z ^ (z >>> 16)) >>> 0
}

/** The buckets that a text fills, and its weights in them. */
interface Sparse {
  readonly buckets: Uint32Array
  readonly weights: Float32Array
}

export class WordFeatures {
  readonly state: WordState
  readonly layout: Extract<Layout, { type: 'words' }>
  readonly notes: readonly string[] = []
  readonly #rarity: Float64Array

  constructor(state: WordState) {
    this.state = state
    this.layout = { type: 'words', buckets: state.buckets }
    this.#rarity = Float64Array.from(state.frequencies, (n) => Math.log((1 + state.texts) / (1 + n)) + 1)
  }

  sparse(content: Content): Sparse {
    const { buckets, ngrams, weighting } = this.state
    const counts = [...bag(requireKind(content, 'text').text, buckets, ngrams)].sort(([a], [b]) => a - b)
    const weights = Float32Array.from(counts, ([bucket, n]) =>
      weighting === 'counts' ? n : (1 + Math.log(n)) * (this.#rarity[bucket] as number),
    )
    const length = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0)) || 1
    return { buckets: Uint32Array.from(counts, ([bucket]) => bucket), weights: weights.map((w) => w / length) }
  }

  /** f32 [N, buckets] */
  async encode(contents: readonly Content[]): Promise<data.RawArray> {
    return dense(
      contents.map((content) => this.sparse(content)),
      this.state.buckets,
    )
  }
}

/** Only the buckets that are filled are kept; a batch is written out when it is read. */
export class SparseMemory implements Memory {
  readonly #features: WordFeatures
  readonly #texts: Sparse[] = []

  constructor(features: WordFeatures) {
    this.#features = features
  }

  async add(contents: readonly Content[]): Promise<void> {
    for (const content of contents) this.#texts.push(this.#features.sparse(content))
  }

  read(places: Int32Array): data.RawArray {
    return dense(
      Array.from(places, (place) => this.#texts[place] as Sparse),
      this.#features.state.buckets,
    )
  }
}

function dense(texts: readonly Sparse[], width: number): data.RawArray {
  const values = new Float32Array(texts.length * width)
  for (const [row, { buckets, weights }] of texts.entries())
    for (let i = 0; i < buckets.length; i++) values[row * width + (buckets[i] as number)] = weights[i] as number
  return { shape: [texts.length, width], values }
}
