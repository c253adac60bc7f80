/**
 * Byte-pair encoding (Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units", 2016) over
 * UTF-8 bytes (as GPT-2): every text has tokens, and `decode(encode(text))` is the text. Tokens 0…255 are the bytes; each
 * merge makes a new token of two that stand side by side. Merges do not cross the borders of words: a word takes the space
 * before it along.
 */

/** Plain JSON. */
export interface BytePairState {
  /** Merge i makes token 256 + i of these two. */
  readonly merges: readonly (readonly [number, number])[]
}

/** A word with the space before it, a run of signs, or space: together they are the whole text. */
const pieces = / ?[\p{L}\p{M}]+| ?\p{N}{1,3}| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s+/gu

const utf8 = new TextEncoder()

/**
 * Learns merges from texts until there are `size` tokens, or no pair occurs twice. The most frequent pair is merged first;
 * of equally frequent ones the one whose tokens have the lower numbers, so that the same texts give the same tokens.
 */
export function trainBytePairs(texts: Iterable<string>, size: number): BytePairState {
  const words = new Words(texts)
  const merges: [number, number][] = []
  while (merges.length + 256 < size) {
    const pair = words.mostFrequent()
    if (pair === null) break
    words.merge(pair, 256 + merges.length)
    merges.push([Math.floor(pair / STRIDE), pair % STRIDE])
  }
  return { merges }
}

/** A pair of tokens as one number: first · STRIDE + second. */
const STRIDE = 2 ** 24

/** All different words of the texts with how often they occur, their tokens so far, and how often each pair occurs. */
class Words {
  readonly #tokens: number[][] = []
  readonly #times: number[] = []
  readonly #pairs = new Map<number, { count: number; readonly words: Set<number> }>()
  /** Pairs by frequency: entries may be out of date, and are then put back with what holds. */
  readonly #heap = new Heap()

  constructor(texts: Iterable<string>) {
    const counts = new Map<string, number>()
    for (const text of texts) for (const [word] of text.matchAll(pieces)) counts.set(word, (counts.get(word) ?? 0) + 1)
    for (const [word, times] of counts) {
      this.#tokens.push(Array.from(utf8.encode(word)))
      this.#times.push(times)
    }
    for (const w of this.#tokens.keys()) this.#count(w, 1, new Set())
    for (const [pair, { count }] of this.#pairs) this.#heap.push(count, pair)
  }

  mostFrequent(): number | null {
    for (;;) {
      const top = this.#heap.pop()
      if (!top || top.count < 2) return null
      const now = this.#pairs.get(top.pair)?.count ?? 0
      if (now === top.count) return top.pair
      if (now >= 2) this.#heap.push(now, top.pair)
    }
  }

  merge(pair: number, token: number): void {
    const entry = this.#pairs.get(pair)
    if (!entry) return
    const changed = new Set<number>()
    for (const w of [...entry.words]) {
      this.#count(w, -1, changed)
      this.#tokens[w] = merged(this.#tokens[w] as number[], Math.floor(pair / STRIDE), pair % STRIDE, token)
      this.#count(w, 1, changed)
    }
    this.#pairs.delete(pair)
    changed.delete(pair)
    for (const other of changed) this.#heap.push(this.#pairs.get(other)?.count ?? 0, other)
  }

  /** Adds a word's pairs, or takes them away. */
  #count(w: number, sign: 1 | -1, changed: Set<number>): void {
    const tokens = this.#tokens[w] as number[]
    const times = (this.#times[w] as number) * sign
    for (let i = 0; i + 1 < tokens.length; i++) {
      const pair = (tokens[i] as number) * STRIDE + (tokens[i + 1] as number)
      let entry = this.#pairs.get(pair)
      if (!entry) {
        entry = { count: 0, words: new Set() }
        this.#pairs.set(pair, entry)
      }
      entry.count += times
      if (sign === 1) {
        entry.words.add(w)
        changed.add(pair)
      } else entry.words.delete(w)
    }
  }
}

function merged(tokens: readonly number[], first: number, second: number, token: number): number[] {
  const out: number[] = []
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] === first && tokens[i + 1] === second) {
      out.push(token)
      i++
    } else out.push(tokens[i] as number)
  }
  return out
}

/** A binary heap: the most frequent pair first, of equal ones the one of the lowest number. */
class Heap {
  readonly #items: { readonly count: number; readonly pair: number }[] = []

  push(count: number, pair: number): void {
    const items = this.#items
    let at = items.push({ count, pair }) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) break
      this.#swap(at, parent)
      at = parent
    }
  }

  pop(): { readonly count: number; readonly pair: number } | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (items.length === 0 || !last) return top
    items[0] = last
    for (let at = 0; ; ) {
      let first = at
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < items.length && this.#before(child, first)) first = child
      if (first === at) return top
      this.#swap(at, first)
      at = first
    }
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#items[a], this.#items[b]] as [
      { count: number; pair: number },
      { count: number; pair: number },
    ]
    return x.count > y.count || (x.count === y.count && x.pair < y.pair)
  }

  #swap(a: number, b: number): void {
    const items = this.#items as { count: number; pair: number }[]
    const kept = items[a] as { count: number; pair: number }
    items[a] = items[b] as { count: number; pair: number }
    items[b] = kept
  }
}

/** Words whose tokens are kept, so that they need not be made again. */
const REMEMBERED = 100_000

/** Encodes texts with merges that were learned. */
export class BytePairs {
  readonly state: BytePairState
  /** How many tokens there are. */
  readonly size: number
  readonly #rank: ReadonlyMap<number, number>
  readonly #bytes: readonly Uint8Array[]
  readonly #known = new Map<string, readonly number[]>()

  constructor(state: BytePairState) {
    this.state = state
    this.size = 256 + state.merges.length
    this.#rank = new Map(state.merges.map(([a, b], i) => [a * STRIDE + b, i]))
    const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))
    for (const [a, b] of state.merges)
      bytes.push(Uint8Array.of(...(bytes[a] as Uint8Array), ...(bytes[b] as Uint8Array)))
    this.#bytes = bytes
  }

  /** The tokens of a text: in each word the merge that was learned first is made first. */
  encode(text: string): number[] {
    const tokens: number[] = []
    for (const [word] of text.matchAll(pieces)) for (const token of this.#word(word)) tokens.push(token)
    return tokens
  }

  /** The text of tokens. What is not whole UTF-8 becomes �. */
  decode(tokens: Iterable<number>): string {
    const parts = Array.from(tokens, (token) => {
      const bytes = this.#bytes[token]
      if (!bytes) throw new RangeError(`There is no token ${token}: they are 0 to ${this.size - 1}.`)
      return bytes
    })
    return Buffer.concat(parts).toString()
  }

  #word(word: string): readonly number[] {
    const known = this.#known.get(word)
    if (known) return known
    let tokens = Array.from(utf8.encode(word))
    for (;;) {
      let best = Number.POSITIVE_INFINITY
      for (let i = 0; i + 1 < tokens.length; i++) {
        const rank = this.#rank.get((tokens[i] as number) * STRIDE + (tokens[i + 1] as number))
        if (rank !== undefined && rank < best) best = rank
      }
      if (best === Number.POSITIVE_INFINITY) break
      const [a, b] = this.state.merges[best] as readonly [number, number]
      tokens = merged(tokens, a, b, 256 + best)
    }
    if (this.#known.size < REMEMBERED) this.#known.set(word, tokens)
    return tokens
  }
}
