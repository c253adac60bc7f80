import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { isAsWritten, run, tutorials } from './programs.ts'

const all = tutorials()

const book = readFileSync(new URL('data/alice.txt', import.meta.url), 'utf8').toLowerCase()

/** The share of words in the first sample that stand in the book. */
function wordsOfTheBook(output: string): number {
  const sample = /temperature 0\.5:([\s\S]*)temperature 0\.8:/.exec(output)?.[1] ?? ''
  const words = sample.toLowerCase().match(/\b[a-z]{4,}\b/g) ?? []
  return words.filter((word) => new RegExp(`\\b${word}\\b`).test(book)).length / words.length
}

const numberAfter = (words: RegExp) => (output: string) => Number(words.exec(output)?.[1])

/** What must hold wherever it runs: a number in the output, and its bounds. */
const claims: Readonly<Record<number, readonly (readonly [(output: string) => number, low: number, high: number])[]>> =
  {
    3: [
      [numberAfter(/accuracy on the test set: ([\d.]+) %/), 97, 99],
      [numberAfter(/1,000 digits +[\d.]+ +[\d.]+ +([\d.]+) %/), 85, 92],
    ],
    4: [
      [numberAfter(/logistic regression .* ([\d.]+) % /), 88, 95],
      [numberAfter(/\nnetwork .* ([\d.]+) % /), 85, 95],
    ],
    5: [
      [numberAfter(/step 2400 .* validation ([\d.]+)/), 1.3, 1.65],
      [wordsOfTheBook, 0.65, 1],
    ],
  }

test('there are five tutorials, in order', () => {
  assert.deepEqual(
    all.map(({ number }) => number),
    [1, 2, 3, 4, 5],
  )
})

describe('a tutorial', () => {
  for (const tutorial of all) {
    test(`${tutorial.number}: the program is that of the page (else: node docs/tutorials/programs.ts)`, () => {
      assert.equal(readFileSync(tutorial.program, 'utf8'), tutorial.code)
    })

    test(`${tutorial.number}: prints what the page says`, () => {
      const { printed, seconds } = run(tutorial)
      assert.equal(printed.length, tutorial.blocks.length)
      for (const [i, block] of tutorial.blocks.entries()) {
        const found = printed[i] as string
        assert.ok(isAsWritten(found, block), `the page:\n${block.printed}\nthe program:\n${found}\nof:\n${block.code}`)
      }
      const output = printed.join('')
      for (const [measure, low, high] of claims[tutorial.number] ?? []) {
        const value = measure(output)
        assert.ok(value >= low && value <= high, `${value} is not from ${low} to ${high}:\n${output}`)
      }
      // Twice what the pages promise, for other tests run beside it.
      assert.ok(seconds < 120, `${seconds} s`)
    })
  }
})
