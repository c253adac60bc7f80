/**
 * Texts that are nearly the same, by MinHash (Broder, On the resemblance and containment of documents, 1997): the likeness of
 * two texts is the share that the sets of their three-word sequences have in common (Jaccard). One permutation, split into
 * bins (Li, Owen and Zhang, One permutation hashing, 2012), finds candidates by locality-sensitive hashing; the smallest hashes
 * of each set then estimate the likeness, and give it exactly where a text has no more sequences than are kept.
 */
import { mix } from './near-rows.ts'

const binCount = 64
const bands = 16
const perBand = binCount / bands
/** How many of the smallest hashes are kept. */
const kept = 128
/** A text is compared with this many others of a bucket, the latest first. */
const mostCompared = 20
const none = 0xffffffff

/** What is kept of one text: under 1 KB. */
export interface TextSketch {
  /** The smallest hash of each bin; bins without one are filled from those beside them. */
  readonly bins: Uint32Array
  /** The smallest hashes of all, ascending. */
  readonly smallest: Uint32Array
}

export function sketchText(text: string): TextSketch {
  const words = (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text.trim()]).map(hashWord)
  const hashes = new Set<number>()
  const last = Math.max(0, words.length - 3)
  for (let i = 0; i <= last; i++) {
    let hash = 0x2545f491
    for (let w = i; w < Math.min(i + 3, words.length); w++) hash = mix(Math.imul(hash, 31) ^ (words[w] as number))
    hashes.add(hash >>> 0)
  }
  const bins = new Uint32Array(binCount).fill(none)
  for (const hash of hashes) {
    const bin = hash % binCount
    if (hash < (bins[bin] as number)) bins[bin] = hash
  }
  return { bins: filled(bins), smallest: Uint32Array.from(hashes).sort().slice(0, kept) }
}

/** Fills empty bins from a bin that is drawn by a hash of their number (Shrivastava, Optimal densification, 2017). */
function filled(bins: Uint32Array): Uint32Array {
  const all = bins.slice()
  for (let b = 0; b < binCount; b++) {
    for (let draw = 1; all[b] === none && draw < 1000; draw++) {
      const from = bins[(mix(b * 1000 + draw) >>> 0) % binCount] as number
      if (from !== none) all[b] = mix(from + draw) >>> 0
    }
  }
  return all
}

function hashWord(word: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193)
  return hash
}

/** The estimated share of three-word sequences that two texts have in common, from 0 to 1. */
export function textLikeness(a: TextSketch, b: TextSketch): number {
  let [i, j, both, union] = [0, 0, 0, 0]
  const [m, n] = [a.smallest.length, b.smallest.length]
  // A sketch that is not full holds the whole set.
  const most = m < kept && n < kept ? Number.POSITIVE_INFINITY : kept
  while (union < most && (i < m || j < n)) {
    const x = i < m ? (a.smallest[i] as number) : none + 1
    const y = j < n ? (b.smallest[j] as number) : none + 1
    if (x === y) both++
    if (x <= y) i++
    if (y <= x) j++
    union++
  }
  return union === 0 ? 0 : both / union
}

/** For each text an earlier one with at least this likeness, or −1. */
export function nearTexts(sketches: readonly TextSketch[], least = 0.8): Int32Array {
  const like = new Int32Array(sketches.length).fill(-1)
  const buckets = Array.from({ length: bands }, () => new Map<number, number[]>())
  for (const [t, sketch] of sketches.entries()) {
    let best = least
    const compared = new Set<number>()
    for (const [b, bucket] of buckets.entries()) {
      let key = b
      for (let i = b * perBand; i < (b + 1) * perBand; i++) key = mix(Math.imul(key, 31) ^ (sketch.bins[i] as number))
      const members = bucket.get(key)
      if (!members) {
        bucket.set(key, [t])
        continue
      }
      for (const other of members.slice(-mostCompared)) {
        if (compared.has(other)) continue
        compared.add(other)
        const likeness = textLikeness(sketch, sketches[other] as TextSketch)
        if (likeness >= best && (likeness > best || like[t] === -1)) {
          best = likeness
          like[t] = other
        }
      }
      members.push(t)
    }
  }
  return like
}
