/** What an evaluation is: everything that is known about how good a run is, as plain JSON; printed, drawn and kept. */
import type { LabelValue } from '../labeling/events.ts'
import type { Split } from '../versioning/split.ts'
import type { Reliability, Temperature } from './calibration.ts'
import type { ClassificationMetrics } from './classification.ts'
import type { Confusion } from './confusion.ts'
import type { ClassReport } from './per-class.ts'
import type { RegressionMetrics } from './regression.ts'
import type { SliceReport } from './slices.ts'

export interface Evaluation {
  readonly run: number
  readonly recipe: string
  readonly snapshot: { readonly number: number; readonly hash: string }
  /** The split that was judged: test, or validation where there is no test example. */
  readonly split: Split
  readonly examples: number
  readonly judged: ClassJudgement | NumberJudgement
  readonly slices: SliceReport
  /** The worst first. */
  readonly mistakes: readonly Mistake[]
  readonly fitting: Fitting
}

export interface ClassJudgement {
  readonly task: 'class'
  readonly classes: readonly string[]
  readonly metrics: ClassificationMetrics
  readonly perClass: readonly ClassReport[]
  readonly confusion: Confusion
  /** How far certainty can be believed, as the network says it, and with the temperature found on the validation split. */
  readonly reliability: Reliability
  readonly calibration: { readonly temperature: Temperature; readonly reliability: Reliability } | null
}

export interface NumberJudgement {
  readonly task: 'number'
  readonly metrics: RegressionMetrics
  /** Targets and predictions of up to 2,000 examples, to be drawn. */
  readonly points: readonly (readonly [target: number, predicted: number])[]
}

export interface Mistake {
  /** The example's number, and its id. */
  readonly example: number
  readonly id: string
  readonly truth: LabelValue
  readonly said: LabelValue
  /** How sure the network was; null for numbers. */
  readonly confidence: number | null
  /** −ln p of the truth, or the absolute error. */
  readonly loss: number
  readonly likelyLabelError: boolean
}

/** How training and judged examples part. */
export interface Fitting {
  readonly epochs: readonly EpochPoint[]
  /** The main figure (accuracy or R²) on what was trained on, and on what was judged. */
  readonly train: number | null
  readonly judged: number
  /** The library's sentence on over-fitting, where there is one. */
  readonly sentence: string | null
}

export interface EpochPoint {
  readonly epoch: number
  readonly loss: number
  readonly validation: number | null
}
