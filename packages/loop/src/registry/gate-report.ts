/** What the gate found: kept with the alias that it let through, printed where it refused. Plain JSON. */

export interface GateReport {
  readonly challenger: number
  /** Null where there was none to compare with. */
  readonly champion: number | null
  readonly passed: boolean
  readonly checks: readonly GateCheck[]
}

export interface GateCheck {
  readonly check: 'test set' | 'traffic' | 'slices' | 'latency' | 'size'
  /** Null: it could not be judged, and the sentence says why. */
  readonly passed: boolean | null
  /** What was found, in words, with the limit where it was passed. */
  readonly sentence: string
  /** The two models on the same examples, where they were compared. */
  readonly comparison: Comparison | null
}

/** Accuracy, or mean absolute error, of champion and challenger on the same examples. */
export interface Comparison {
  readonly figure: 'accuracy' | 'mean absolute error'
  readonly examples: number
  readonly champion: number
  readonly challenger: number
  /** challenger − champion, with an interval of 95 %. */
  readonly difference: { readonly estimate: number; readonly low: number; readonly high: number }
  readonly pValue: number
}
