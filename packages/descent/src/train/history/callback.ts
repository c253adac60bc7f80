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
  /** Before the first step: a file that cannot be written is noticed here. */
  onStart?(): Promise<void>
  /** After each step. */
  onStep?(report: StepReport): Promise<void>
  /** After each epoch, its validation included. */
  onEpoch(report: EpochReport): Promise<void>
  /** At the end, whatever ended it: what still waits is written. */
  onEnd?(): Promise<void>
}
