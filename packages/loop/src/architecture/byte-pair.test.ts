import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BytePairs, trainBytePairs } from './byte-pair.ts'

const anyText = fc.string({ unit: 'grapheme', maxLength: 60 })

test('what is encoded decodes to the same text, whatever was learned', () => {
  fc.assert(
    fc.property(
      fc.array(anyText, { maxLength: 5 }),
      fc.integer({ min: 256, max: 300 }),
      anyText,
      (texts, size, text) => {
        const pairs = new BytePairs(trainBytePairs(texts, size))
        assert.ok(pairs.size <= size)
        for (const each of [...texts, text]) assert.equal(pairs.decode(pairs.encode(each)), each)
      },
    ),
  )
})

/** Every merge by counting anew: slow, and plain. */
function merges(words: readonly (readonly [string, number])[], count: number): (readonly [number, number])[] {
  let tokens = words.map(([word, times]) => ({ word: [...Buffer.from(word)] as number[], times }))
  const found: (readonly [number, number])[] = []
  while (found.length < count) {
    const pairs = new Map<string, number>()
    for (const { word, times } of tokens)
      for (let i = 0; i + 1 < word.length; i++) {
        const key = `${word[i]},${word[i + 1]}`
        pairs.set(key, (pairs.get(key) ?? 0) + times)
      }
    const sorted = [...pairs].map(([key, n]) => [...key.split(',').map(Number), n] as [number, number, number])
    sorted.sort((x, y) => y[2] - x[2] || x[0] - y[0] || x[1] - y[1])
    const [best] = sorted
    if (!best || best[2] < 2) break
    const [a, b] = best
    const made = 256 + found.length
    tokens = tokens.map(({ word, times }) => {
      const out: number[] = []
      for (let i = 0; i < word.length; i++)
        if (word[i] === a && word[i + 1] === b) {
          out.push(made)
          i++
        } else out.push(word[i] as number)
      return { word: out, times }
    })
    found.push([a, b])
  }
  return found
}

test('the most frequent pair is merged first, as when all pairs are counted anew for each merge', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), (words) => {
      const counts = new Map<string, number>()
      // One word a text, so that none has a space before it.
      for (const one of words) counts.set(one, (counts.get(one) ?? 0) + 1)
      assert.deepEqual(trainBytePairs(words, 256 + 12).merges, merges([...counts], 12))
    }),
  )
})
