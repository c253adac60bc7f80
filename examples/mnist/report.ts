/** What a network makes of the test digits: how many are right, what is confused with what, and the worst mistakes. */
import { compile, type data, type nn, noGrad, type Tensor } from 'descent'
import { digitLines, gallery } from './picture.ts'

export interface Prediction {
  readonly number: number
  readonly truth: number
  readonly guess: number
  /** The probability that the network gives its guess. */
  readonly certainty: number
}

/** The network's guess for each of a dataset's first `count` examples. */
export function predictions(net: nn.Module, dataset: data.Dataset, count = dataset.length): Prediction[] {
  const classify = compile((x: Tensor) => noGrad(() => net.forward(x).softmax(1)))
  const found: Prediction[] = []
  for (let from = 0; from < count; from += 250) {
    const numbers = Int32Array.from({ length: Math.min(250, count - from) }, (_, i) => from + i)
    const { x, y } = dataset.batch(numbers)
    const [probabilities, truths] = [classify(x).data(), y.data()]
    for (const [i, number] of numbers.entries()) {
      const row = probabilities.subarray(i * 10, i * 10 + 10) as Float32Array
      const certainty = Math.max(...row)
      found.push({ number, truth: truths[i] as number, guess: row.indexOf(certainty), certainty })
    }
  }
  return found
}

export function accuracyOf(found: readonly Prediction[]): number {
  return found.filter(({ truth, guess }) => truth === guess).length / found.length
}

/** Rows are what was written, columns what was read; a dot stands for none. */
export function confusionMatrix(found: readonly Prediction[]): string {
  const counts = Array.from({ length: 10 }, () => new Array<number>(10).fill(0))
  for (const { truth, guess } of found) {
    const row = counts[truth] as number[]
    row[guess] = (row[guess] ?? 0) + 1
  }
  const cells = (values: readonly (number | string)[]) => values.map((value) => String(value).padStart(6)).join('')
  const lines = counts.map((row, digit) => {
    const right =
      (row[digit] ?? 0) /
      Math.max(
        1,
        row.reduce((a, b) => a + b, 0),
      )
    return `${String(digit).padStart(7)} │${cells(row.map((n) => (n === 0 ? '·' : n)))}   ${(right * 100).toFixed(1)} %`
  })
  return [`read as │${cells([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])}   right`, `────────┼${'─'.repeat(60)}`, ...lines].join(
    '\n',
  )
}

/** The wrong guesses that the network was most certain of, as pictures. */
export function worstMistakes(
  found: readonly Prediction[],
  bytes: Uint8Array,
  count: number,
  colour: boolean,
  columns: number,
): string {
  const wrong = found.filter(({ truth, guess }) => truth !== guess).sort((a, b) => b.certainty - a.certainty)
  const pictures = wrong.slice(0, count).map(({ number, truth, guess, certainty }) => ({
    lines: digitLines(bytes.subarray(number * 784, (number + 1) * 784), colour),
    caption: `${truth} read as ${guess} (${(certainty * 100).toFixed(1)} %)`,
  }))
  return gallery(pictures, columns)
}
