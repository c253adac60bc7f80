/** What a training tells those who listen: histories, checkpoints of one's own, pictures. */
import type { EpochReport } from './progress.ts'

/** What is known before the first step. */
export interface StartInfo {
  readonly epochs: number
  /** Batches in an epoch; null where only their end tells. */
  readonly batches: number | null
  /** Steps and epochs that a checkpoint has brought already. */
  readonly step: number
  readonly epoch: number
}

/** What a step gave. */
export interface StepReport {
  /** Steps so far, over all epochs, from 1. */
  readonly step: number
  /** From 1. */
  readonly epoch: number
  /** In this epoch, from 1. */
  readonly batch: number
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
  readonly learningRate: number
}

/** What listens to a training: each method is awaited. */
export interface Callback {
  /** Before the first step. */
  onStart?(info: StartInfo): void | Promise<void>
  /** After each step of the optimizer. */
  onStep?(report: StepReport): void | Promise<void>
  /** After each epoch and its validation. */
  onEpoch?(report: EpochReport): void | Promise<void>
  /** After the last epoch, or where the training was stopped. */
  onEnd?(history: readonly EpochReport[]): void | Promise<void>
}
