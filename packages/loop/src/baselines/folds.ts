/** Parts of the rows to try settings on: stratified by class where targets are classes. */
import { drawsOf, sampleOf } from './draws.ts'
import { type Targets, targetCount } from './rows.ts'

export interface Fold {
  readonly training: Int32Array
  readonly heldOut: Int32Array
}

/**
 * `count` folds: every row is held out in exactly one of them. Rows of a class are dealt out in turn, so that each fold
 * has its share of every class.
 */
export function folds(y: Targets, count: number, seed: number): Fold[] {
  const rows = targetCount(y)
  const shuffled = sampleOf(drawsOf(seed, 0x666f), rows)
  if (y.kind === 'classes') shuffled.sort((a, b) => (y.labels[a] as number) - (y.labels[b] as number))
  const foldOf = new Int32Array(rows)
  shuffled.forEach((row, i) => {
    foldOf[row] = i % count
  })
  const every = Int32Array.from({ length: rows }, (_, i) => i)
  return Array.from({ length: count }, (_, fold) => ({
    training: every.filter((row) => foldOf[row] !== fold),
    heldOut: every.filter((row) => foldOf[row] === fold),
  }))
}
