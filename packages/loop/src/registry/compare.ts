/** Two models on the same examples: how much better or worse one is, in all and in slices. */
import { meanOf, pairedBootstrap } from '../evaluation/bootstrap.ts'
import { type Column, sliceColumn } from '../evaluation/columns.ts'
import type { LabelValue } from '../labeling/events.ts'
import type { Comparison } from './gate-report.ts'
import type { Answer } from './served-model.ts'

/** 1 for right and 0 for wrong, or the absolute error, of each answer. */
export function scoresOf(answers: readonly Answer[], labels: readonly LabelValue[]): Float64Array {
  return Float64Array.from(answers, (answer, i) =>
    'label' in answer ? Number(answer.label === String(labels[i])) : Math.abs(answer.value - Number(labels[i])),
  )
}

interface CompareOptions {
  readonly task: 'class' | 'number'
  readonly seed: number
}

/** By the paired bootstrap. Scores are [N], of the same examples. */
export function compare(champion: Float64Array, challenger: Float64Array, { task, seed }: CompareOptions): Comparison {
  const { a, b, difference, pValue } = pairedBootstrap(champion.length, meanOf(champion), meanOf(challenger), {
    seed,
    higherIsBetter: task === 'class',
  })
  const { estimate } = difference
  // Where all resamples agree there is no interval to speak of.
  const bound = (value: number) => (Number.isFinite(value) ? value : estimate)
  return {
    figure: task === 'class' ? 'accuracy' : 'mean absolute error',
    examples: champion.length,
    champion: a.estimate,
    challenger: b.estimate,
    difference: { estimate, low: bound(difference.low), high: bound(difference.high) },
    pValue,
  }
}

/** How much worse the challenger is: in accuracy, or as a share of the champion's error. Below 0: it is better. */
export function worseBy({ figure, champion, difference: { estimate } }: Comparison): number {
  if (figure === 'accuracy') return -estimate
  return champion > 0 ? estimate / champion : estimate > 0 ? Number.POSITIVE_INFINITY : 0
}

/** Whether it is worse by more than chance explains: the whole interval says so. */
export function surelyWorse({ figure, difference: { low, high } }: Comparison): boolean {
  return figure === 'accuracy' ? high < 0 : low > 0
}

export interface SliceComparison {
  readonly column: string
  readonly slice: string
  readonly comparison: Comparison
}

/** Smaller slices are not judged. */
export const smallestSlice = 10

/** Every slice of the columns that has enough examples, the one in which the challenger is worst first. */
export function compareSlices(
  champion: Float64Array,
  challenger: Float64Array,
  columns: readonly Column[],
  options: CompareOptions,
): SliceComparison[] {
  return columns
    .flatMap((column) => sliceColumn(column))
    .filter(({ rows }) => rows.length >= smallestSlice && rows.length < champion.length)
    .map(({ column, name, rows }) => {
      const own = (scores: Float64Array) => Float64Array.from(rows, (row) => scores[row] as number)
      return { column, slice: name, comparison: compare(own(champion), own(challenger), options) }
    })
    .sort((a, b) => worseBy(b.comparison) - worseBy(a.comparison))
}
