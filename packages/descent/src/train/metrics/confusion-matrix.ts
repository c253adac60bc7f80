/** Which classes are taken for which. */
import type { Tensor } from '../../tensor.ts'
import { type AccumulatingMetric, type ClassOptions, eachPair, requireSome, scoredClasses } from './accumulating.ts'

export interface ConfusionMatrixOptions extends ClassOptions {
  /** Names of the classes, for print; default their numbers. */
  readonly names?: readonly string[]
}

/**
 * Counts examples by true class (rows) and most likely class (columns). Its number is the accuracy, the share on the
 * diagonal. Inputs and errors as Accuracy. Source: sklearn.metrics.confusion_matrix.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const confusion = new metrics.ConfusionMatrix({ names: ['cat', 'dog'] })
 * confusion.update(tensor([[2, 1], [1, 2], [2, 0]]), tensor([0, 1, 1], { dtype: 'i32' }))
 * console.log(confusion.matrix()) // → [ [ 1, 0 ], [ 1, 1 ] ]
 * console.log(confusion.toString())
 * // → true \ said │ cat dog │ found
 * //            cat │   1   · │ 100.0 %
 * //            dog │   1   1 │ 50.0 %
 * ```
 */
export class ConfusionMatrix implements AccumulatingMetric {
  readonly #options: ConfusionMatrixOptions
  #rows: number[][] = []

  constructor(options: ConfusionMatrixOptions = {}) {
    this.#options = options
  }

  reset(): void {
    this.#rows = []
  }

  update(output: Tensor, target: Tensor): void {
    const scored = scoredClasses('ConfusionMatrix', output, target)
    const pairs: number[] = []
    eachPair('ConfusionMatrix', scored, this.#options, (guess, truth) => pairs.push(guess, truth))
    this.#grow(scored.classes)
    for (let i = 0; i < pairs.length; i += 2) {
      const row = this.#rows[pairs[i + 1] as number] as number[]
      const guess = pairs[i] as number
      row[guess] = (row[guess] as number) + 1
    }
  }

  #grow(classes: number): void {
    for (const row of this.#rows) while (row.length < classes) row.push(0)
    while (this.#rows.length < classes) this.#rows.push(new Array<number>(classes).fill(0))
  }

  /** A copy of the counts: `matrix()[truth][guess]`. */
  matrix(): number[][] {
    return this.#rows.map((row) => [...row])
  }

  compute(): number {
    const count = this.#rows.flat().reduce((a, b) => a + b, 0)
    requireSome('ConfusionMatrix', count)
    return this.#rows.reduce((sum, row, c) => sum + (row[c] as number), 0) / count
  }

  /** A table with the classes' names; its last column is the share of a class that is found. */
  toString(): string {
    const names = this.#rows.map((_, c) => this.#options.names?.[c] ?? String(c))
    const corner = 'true \\ said'
    const width = Math.max(corner.length, ...names.map((name) => name.length))
    const widths = names.map((name, c) => Math.max(name.length, ...this.#rows.map((row) => String(row[c]).length)))
    const line = (head: string, cells: readonly string[], end: string) =>
      `${head.padStart(width)} │ ${cells.map((cell, c) => cell.padStart(widths[c] as number)).join(' ')} │ ${end}`
    const found = (row: readonly number[], c: number) => {
      const meant = row.reduce((a, b) => a + b, 0)
      return meant === 0 ? '–' : `${((100 * (row[c] as number)) / meant).toFixed(1)} %`
    }
    return [
      line(corner, names, 'found'),
      ...this.#rows.map((row, c) =>
        line(
          names[c] as string,
          row.map((n) => (n === 0 ? '·' : String(n))),
          found(row, c),
        ),
      ),
    ].join('\n')
  }
}
