/** What is known of how good a version is: an evaluation without its pictures, as it stands in the registry for good. */
import type { ClassificationMetrics } from '../evaluation/classification.ts'
import type { Evaluation } from '../evaluation/evaluation.ts'
import type { ClassReport } from '../evaluation/per-class.ts'
import type { RegressionMetrics } from '../evaluation/regression.ts'
import type { SliceScore } from '../evaluation/slices.ts'
import type { Split } from '../versioning/split.ts'

export type VersionMetrics = {
  /** What it was judged by. */
  readonly split: Split
  readonly examples: number
  readonly slices: readonly SliceScore[]
} & (
  | {
      readonly task: 'class'
      readonly metrics: ClassificationMetrics
      readonly perClass: readonly ClassReport[]
      /** The expected calibration error as the network says it, and with the version's temperature. */
      readonly calibrationError: { readonly before: number; readonly after: number | null }
    }
  | { readonly task: 'number'; readonly metrics: RegressionMetrics }
)

export function versionMetrics({ split, examples, slices: { slices }, judged }: Evaluation): VersionMetrics {
  const common = { split, examples, slices }
  if (judged.task === 'number') return { ...common, task: 'number', metrics: judged.metrics }
  return {
    ...common,
    task: 'class',
    metrics: judged.metrics,
    perClass: judged.perClass,
    calibrationError: { before: judged.reliability.error, after: judged.calibration?.reliability.error ?? null },
  }
}
