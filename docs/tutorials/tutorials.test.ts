import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { isAsWritten, run, tutorials } from './programs.ts'

const all = tutorials()

/** What must hold wherever it runs: a number behind these words, and a bound. */
const claims: Readonly<Record<number, readonly (readonly [RegExp, (value: number) => boolean])[]>> = {
  3: [
    [/accuracy on the test set: ([\d.]+) %/, (accuracy) => accuracy > 97],
    [/1,000 digits +[\d.]+ +[\d.]+ +([\d.]+) %/, (accuracy) => accuracy > 85 && accuracy < 92],
  ],
  4: [
    [/logistic regression .* ([\d.]+) % /, (accuracy) => accuracy > 88],
    [/\nnetwork .* ([\d.]+) % /, (accuracy) => accuracy > 85],
  ],
  5: [[/step 2400 .* validation ([\d.]+)/, (loss) => loss < 1.7]],
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
      for (const [words, holds] of claims[tutorial.number] ?? []) {
        const value = Number(words.exec(output)?.[1])
        assert.ok(holds(value), `${words}: ${value}`)
      }
      // Twice what the pages promise, for other tests run beside it.
      assert.ok(seconds < 120, `${seconds} s`)
    })
  }
})

test('the small language model writes words of the book', () => {
  const book = readFileSync(new URL('data/alice.txt', import.meta.url), 'utf8')
  const page = all.find(({ number }) => number === 5)?.blocks.find(({ varies }) => varies === 'text')?.printed ?? ''
  const [careful = ''] = page.split('temperature 0.8')
  const words = careful.match(/[a-z]{4,}/g) ?? []
  const known = words.filter((word) => new RegExp(`\\b${word}\\b`, 'i').test(book))
  assert.ok(words.length > 15 && known.length / words.length > 0.7, `${known.length} of ${words.length}`)
})
