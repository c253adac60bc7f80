/**
 * Successive halving (Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", 2016):
 * many trials are trained a little, the best share of them longer, and so on.
 */

/** One round: so many trials, each trained for so many epochs. */
export interface Rung {
  readonly trials: number
  readonly epochs: number
}

/**
 * Rounds in which trials become fewer and epochs more by `factor` each time. The last trains for all epochs; the first for
 * one epoch or more.
 */
export function rungs(trials: number, factor: number, epochs: number): Rung[] {
  const steps = (value: number) => Math.floor(Math.log(value) / Math.log(factor) + 1e-9)
  const last = Math.min(steps(trials), steps(epochs))
  return Array.from({ length: last + 1 }, (_, k) => ({
    trials: Math.ceil(trials / factor ** k),
    epochs: Math.max(1, Math.round(epochs / factor ** (last - k))),
  }))
}
