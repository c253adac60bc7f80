/** From what a network gives to answers: the temperature, the likeliest class, how uncertain it is. */
import { logitsOf, withTemperature } from '../evaluation/temperature.ts'
import type { Rows } from '../training/model.ts'
import type { Answer, OutputSignature } from './served-model.ts'

/** @param rows probabilities in the order of the classes, or one number, of each content */
export function answersOf({ count, width, values }: Rows, output: OutputSignature, temperature: number): Answer[] {
  if (output.task === 'number')
    return Array.from({ length: count }, (_, i) => ({ value: values[i] as number, uncertainty: null }))
  const scaled = temperature === 1 ? values : withTemperature(logitsOf(values), width, temperature)
  return Array.from({ length: count }, (_, i) => {
    const probabilities = Array.from(scaled.subarray(i * width, (i + 1) * width))
    let best = 0
    for (let k = 1; k < width; k++) if ((probabilities[k] as number) > (probabilities[best] as number)) best = k
    return { label: output.classes[best] as string, probabilities, uncertainty: normalizedEntropy(probabilities) }
  })
}

/** −Σ p ln p / ln K: 0 where one class is certain, 1 where all are equally likely; 0 for one class. */
export function normalizedEntropy(probabilities: readonly number[]): number {
  if (probabilities.length < 2) return 0
  let sum = 0
  for (const p of probabilities) if (p > 0) sum -= p * Math.log(p)
  return Math.min(1, Math.max(0, sum / Math.log(probabilities.length)))
}
