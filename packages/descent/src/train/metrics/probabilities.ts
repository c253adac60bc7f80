/** Probabilities of classes, from outputs that are such or logits. */
import type { Tensor } from '../../tensor.ts'
import { classAt, type ScoredClasses, scoredClasses } from './accumulating.ts'

export interface ProbabilityOptions {
  /** Whether outputs are logits, before softmax or sigmoid. Default false: they are probabilities. */
  readonly logits?: boolean
}

/** Probabilities [places, classes], one after another in float64 (or [places] for class 1 alone), with true classes. */
export interface Probabilities {
  readonly values: Float64Array
  readonly truths: Int32Array
  readonly classes: number
  readonly binary: boolean
}

/** Throws RangeError where the values are no probabilities, saying that they look like logits. */
export function probabilities(
  metric: string,
  output: Tensor,
  target: Tensor,
  { logits = false }: ProbabilityOptions,
): Probabilities {
  const scored = scoredClasses(metric, output, target)
  const { binary, classes, count, scores } = scored
  const truths = Int32Array.from({ length: count }, (_, place) => classAt(metric, scored, place, Number.NaN) as number)
  if (!binary) return { values: rows(metric, scored, logits), truths, classes, binary }
  const values = Float64Array.from(scores, (score) => (logits ? 1 / (1 + Math.exp(-score)) : score))
  const wrong = values.find((p) => !(p >= 0 && p <= 1))
  if (wrong !== undefined) throw new RangeError(noProbability(metric, `${wrong} lies outside of 0…1`))
  return { values, truths, classes, binary }
}

function rows(metric: string, { scores, classes, count, at }: ScoredClasses, logits: boolean): Float64Array {
  const values = new Float64Array(count * classes)
  for (let place = 0; place < count; place++) {
    const row = values.subarray(place * classes, (place + 1) * classes)
    for (let c = 0; c < classes; c++) row[c] = scores[at(place, c)] as number
    if (logits) {
      const highest = row.reduce((a, b) => Math.max(a, b), -Infinity)
      for (let c = 0; c < classes; c++) row[c] = Math.exp((row[c] as number) - highest)
    }
    const sum = row.reduce((a, b) => a + b, 0)
    if (logits) for (let c = 0; c < classes; c++) row[c] = (row[c] as number) / sum
    else if (!(Math.abs(sum - 1) <= 1e-3) || row.some((p) => p < 0))
      throw new RangeError(noProbability(metric, `those of example ${place} add up to ${sum}`))
  }
  return values
}

function noProbability(metric: string, why: string): string {
  return `${metric}: the outputs are no probabilities (${why}). For logits say { logits: true }.`
}
