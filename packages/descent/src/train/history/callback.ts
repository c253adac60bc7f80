/** What a history is told while a training runs. */
import type { EpochReport } from '../progress.ts'

/** What a step gave. */
export interface StepReport {
  /** From 1, over all epochs. */
  readonly step: number
  readonly loss: number
  readonly metrics?: Readonly<Record<string, number>>
}

/** Called by a training, which waits for each call. */
export interface HistoryCallback {
  onStart?(): Promise<void>
  onStep?(report: StepReport): Promise<void>
  onEpoch(report: EpochReport): Promise<void>
  onEnd?(): Promise<void>
}
