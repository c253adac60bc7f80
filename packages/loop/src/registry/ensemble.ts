/**
 * Answers of an ensemble: the network with dropout on, several times (Gal and Ghahramani, "Dropout as a Bayesian approximation",
 * 2016). Where the members differ, the network is uncertain about its own weights, which a single pass does not show.
 */
import { logitsOf, withTemperature } from '../evaluation/temperature.ts'
import type { Rows } from '../training/model.ts'
import { answersOf } from './answers.ts'
import type { Answer, OutputSignature } from './served-model.ts'

/**
 * Of classes the mean of the members' probabilities, each of its logits divided by the temperature, with the entropy of the mean;
 * of numbers the mean, and as uncertainty the standard deviation over the members.
 *
 * @param members what each member gives for the same contents
 */
export function ensembleAnswers(members: readonly Rows[], output: OutputSignature, temperature: number): Answer[] {
  const { count, width } = members[0] as Rows
  const all = members.map(({ values }) =>
    output.task === 'class' && temperature !== 1 ? withTemperature(logitsOf(values), width, temperature) : values,
  )
  const mean = new Float32Array(count * width)
  for (const values of all)
    for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + (values[i] as number) / all.length
  if (output.task === 'class') return answersOf({ count, width, values: mean }, output, 1)
  return Array.from(mean, (value, i) => {
    const squares = all.reduce((sum, values) => sum + ((values[i] as number) - value) ** 2, 0)
    return { value, uncertainty: Math.sqrt(squares / Math.max(1, all.length - 1)) }
  })
}
