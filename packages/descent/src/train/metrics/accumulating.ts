/**
 * Metrics that are no means over examples, or need to be right to the last example: each adds up what it needs from
 * batches of any size, and computes its number from the whole. Sums are float64.
 */
import { IndexError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'

/** A metric that is fed batch by batch. */
export interface AccumulatingMetric {
  /** Forgets all batches. */
  reset(): void
  /** Adds a batch. */
  update(output: Tensor, target: Tensor): void
  /** The metric over all batches since `reset()`. Throws RangeError where there were none. */
  compute(): number
}

export type Values = ReturnType<Tensor['data']>

/** Throws RangeError where there is nothing to compute from. */
export function requireSome(metric: string, count: number): void {
  if (count === 0) throw new RangeError(`${metric}: nothing was measured yet; call update() before compute().`)
}

/** The values of two tensors of one shape. */
export function sameShape(metric: string, output: Tensor, target: Tensor): readonly [Values, Values] {
  if (output.shape.join() !== target.shape.join()) {
    throw new ShapeError(`${metric}: output [${output.shape}] and target [${target.shape}] must have the same shape.`)
  }
  return [output.data(), target.data()]
}

/** Scores of examples: [N, C, ...] of their classes, or one an example for class 1 of the classes 0 and 1. */
export interface ScoredClasses {
  readonly scores: Values
  readonly targets: Values
  /** 2 where there is one score an example. */
  readonly classes: number
  readonly binary: boolean
  /** Examples, or places of examples: N × ... */
  readonly count: number
  /** Where the score of a class of a place stands; of class 1 where there is one score an example. */
  at(place: number, c: number): number
}

/** Reads output and target of a classification. */
export function scoredClasses(metric: string, output: Tensor, target: Tensor): ScoredClasses {
  const [n = 0, classes = 0, ...places] = output.shape
  const binary = output.size === target.size && output.shape[0] === target.shape[0]
  if (!binary && (output.ndim < 2 || target.shape.join() !== [n, ...places].join())) {
    throw new ShapeError(
      `${metric}: output [${output.shape}] and target [${target.shape}] do not fit: scores [N, C, ...] go with classes [N, ...], and one score an example of the classes 0 and 1 with as many targets.`,
    )
  }
  const scores = output.data()
  if (scores.some(Number.isNaN)) throw new RangeError(`${metric}: the output holds NaN.`)
  const size = places.reduce((product, extent) => product * extent, 1)
  return {
    scores,
    targets: target.data(),
    classes: binary ? 2 : classes,
    binary,
    count: target.size,
    at: binary
      ? (place) => place
      : size === 1
        ? (place, c) => place * classes + c
        : (place, c) => (Math.floor(place / size) * classes + c) * size + (place % size),
  }
}

/** Options of metrics that compare the most likely class with the true one. */
export interface ClassOptions {
  /** From which score on an example is of class 1, where there is one score an example. Default 0.5; 0 fits logits. */
  readonly threshold?: number
  /** Examples of this target are left out, as padding. Default −100, as in crossEntropy. */
  readonly ignoreIndex?: number
}

/** The target of a place as a class, or null where it is to be ignored. */
export function classAt(
  metric: string,
  { targets, classes }: ScoredClasses,
  place: number,
  ignoreIndex = -100,
): number | null {
  const truth = targets[place] as number
  if (truth === ignoreIndex) return null
  if (!(Number.isInteger(truth) && truth >= 0 && truth < classes))
    throw new IndexError(`${metric}: target of example ${place}`, truth, classes)
  return truth
}

/** Calls back with the most likely (of equals: the first) and the true class of each example; returns their number. */
export function eachPair(
  metric: string,
  scored: ScoredClasses,
  { threshold = 0.5, ignoreIndex }: ClassOptions,
  pair: (guess: number, truth: number) => void,
): void {
  const { scores, classes, binary, count, at } = scored
  for (let place = 0; place < count; place++) {
    const truth = classAt(metric, scored, place, ignoreIndex)
    if (truth === null) continue
    let guess = 0
    if (binary) guess = Number((scores[place] as number) >= threshold)
    else {
      for (let c = 1; c < classes; c++) {
        if ((scores[at(place, c)] as number) > (scores[at(place, guess)] as number)) guess = c
      }
    }
    pair(guess, truth)
  }
}
