/**
 * Which losses a function computes, and of what. Losses whose input must be of a certain kind report their call here,
 * so that `checkLossFit` sees through modules, sums of losses and a user's own functions. Nobody listening, it costs
 * a comparison.
 */
import type { Tensor } from '../../tensor.ts'

/** A call of a loss: what is expected of its input and target is decided by the kind. */
export interface Call {
  readonly loss: string
  readonly kind: Kind
  readonly input: Tensor
  readonly target: Tensor
}

export type Kind =
  /** Logits of classes that exclude each other. */
  | 'logits'
  /** Logits of yes and no, targets from 0 to 1. */
  | 'binaryLogits'
  /** Probabilities, targets from 0 to 1. */
  | 'probabilities'
  /** Logarithms of probabilities. */
  | 'logProbabilities'
  /** Logarithms of probabilities, against probabilities. */
  | 'distributions'
  /** Targets −1 and 1. */
  | 'signs'

let listener: ((call: Call) => void) | null = null

export function report(loss: string, kind: Kind, input: Tensor, target: Tensor): void {
  listener?.({ loss, kind, input, target })
}

/** The calls of losses that `fn` makes. */
export function watched(fn: () => unknown): Call[] {
  const before = listener
  const calls: Call[] = []
  listener = (call) => calls.push(call)
  try {
    fn()
  } finally {
    listener = before
  }
  return calls
}
