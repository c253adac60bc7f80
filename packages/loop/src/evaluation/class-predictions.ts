/** What a classifier said of examples whose classes are known: the input of everything that judges one. */
import { type Tensor, tensor } from 'descent'

export interface ClassPredictions {
  /** [N, K], rows add up to 1. */
  readonly probabilities: Float32Array
  /** [N], classes from 0. */
  readonly truths: Int32Array
  /** K names. */
  readonly classes: readonly string[]
}

/** Throws RangeError, naming the example, where sizes, classes or probabilities are none. */
export function checkClassPredictions({ probabilities, truths, classes }: ClassPredictions): void {
  const width = classes.length
  if (truths.length === 0) throw new RangeError('There are no predictions to judge.')
  if (probabilities.length !== truths.length * width)
    throw new RangeError(`${probabilities.length} probabilities are not ${truths.length} examples × ${width} classes.`)
  for (const [i, truth] of truths.entries()) {
    if (!(truth >= 0 && truth < width))
      throw new RangeError(`Example ${i} is of class ${truth}; there are ${width} (0 to ${width - 1}).`)
    let sum = 0
    for (let k = 0; k < width; k++) {
      const p = probabilities[i * width + k] as number
      sum += p >= 0 ? p : Number.NaN
    }
    if (!(Math.abs(sum - 1) < 1e-3))
      throw new RangeError(
        `The probabilities of example ${i} are none: ${probabilities.subarray(i * width, (i + 1) * width)}.`,
      )
  }
}

/** Outputs [N, K] and targets [N], as the library's metrics take them. */
export function asTensors({ probabilities, truths, classes }: ClassPredictions): readonly [Tensor, Tensor] {
  return [
    tensor(probabilities.slice(), { shape: [truths.length, classes.length] }),
    tensor(truths.slice(), { shape: [truths.length] }),
  ]
}

/** The likeliest class of each example; of equals the first. */
export function guesses({ probabilities, truths, classes }: ClassPredictions): Int32Array {
  const width = classes.length
  return Int32Array.from(truths, (_, i) => {
    let best = 0
    for (let k = 1; k < width; k++)
      if ((probabilities[i * width + k] as number) > (probabilities[i * width + best] as number)) best = k
    return best
  })
}

/** −ln p of the true class of each example, in nats; p is taken as at least 1e-12, so that one example is not infinite. */
export function logLosses({ probabilities, truths, classes }: ClassPredictions): Float64Array {
  return Float64Array.from(truths, (truth, i) =>
    Math.max(0, -Math.log(Math.max(probabilities[i * classes.length + truth] as number, 1e-12))),
  )
}

/** 1 for each example whose likeliest class is the true one, 0 for each other. */
export function rightOnes(predictions: ClassPredictions): Float64Array {
  const said = guesses(predictions)
  return Float64Array.from(predictions.truths, (truth, i) => Number(said[i] === truth))
}
