/** When to stop because the validation has not become better for a while. */
import type { Scores } from './metrics.ts'

export interface EarlyStoppingOptions {
  /** Epochs without a better value before the training ends. */
  readonly patience: number
  /** A better value is better by more than this. Default 0. */
  readonly minDelta?: number
  /** 'loss', or the name of a metric, of the validation. Default 'loss'. */
  readonly metric?: string
  /** Whether smaller or larger is better. Default: 'min' for 'loss', else 'max'. */
  readonly mode?: 'min' | 'max'
}

/** As plain JSON. */
export interface EarlyStoppingState {
  best: number | null
  waited: number
}

/** Keeps count; throws RangeError for settings that cannot be. */
export class EarlyStopping {
  readonly #options: Required<EarlyStoppingOptions>
  state: EarlyStoppingState = { best: null, waited: 0 }

  constructor({
    patience,
    minDelta = 0,
    metric = 'loss',
    mode = metric === 'loss' ? 'min' : 'max',
  }: EarlyStoppingOptions) {
    if (!Number.isInteger(patience) || patience < 1)
      throw new RangeError(`earlyStopping: patience must be a whole number above 0, not ${patience}.`)
    this.#options = { patience, minDelta, metric, mode }
  }

  /** Whether the training should end after this epoch. Throws RangeError for a metric that is not measured. */
  isOver(validation: Scores): boolean {
    const { patience, minDelta, metric, mode } = this.#options
    const value = scoreOf(validation, metric, 'earlyStopping')
    const { best } = this.state
    const better = best === null || (mode === 'min' ? value < best - minDelta : value > best + minDelta)
    this.state = better ? { best: value, waited: 0 } : { best, waited: this.state.waited + 1 }
    return this.state.waited >= patience
  }
}

/** A score by name. Throws RangeError where it is not measured. */
export function scoreOf(scores: Scores, name: string, asked: string): number {
  const value = name === 'loss' ? scores.loss : scores.metrics[name]
  if (value !== undefined) return value
  const known = ['loss', ...Object.keys(scores.metrics)].join(', ')
  throw new RangeError(`${asked}: there is no metric '${name}'; measured are ${known}.`)
}
