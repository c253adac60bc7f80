/** What threads say to each other about batches. */
import type { AugmentStep } from './augment-step.ts'
import type { BatchPlace, RawBatch } from './raw.ts'

/** First of all: what batches are made of. */
export type Job =
  | {
      readonly kind: 'open'
      readonly source: unknown
      readonly batchSize: number
      readonly steps: readonly AugmentStep[]
    }
  | { readonly kind: 'openStream'; readonly stream: unknown; readonly options: unknown }

/** Every `step`-th batch of an epoch from `first` on; `ahead` of them at once, then one for each `more`. */
export interface Order {
  readonly kind: 'epoch'
  readonly id: number
  readonly first: number
  readonly step: number
  /** Of a dataset: which examples, in how many batches. */
  readonly order: Int32Array
  readonly batches: number
  readonly place: BatchPlace
  readonly ahead: number
}

export type Request = Job | Order | { readonly kind: 'more' } | { readonly kind: 'stop' }

export type Answer =
  | { readonly kind: 'batch'; readonly id: number; readonly batch: RawBatch }
  | { readonly kind: 'end'; readonly id: number }
  | {
      readonly kind: 'error'
      readonly id: number
      readonly name: string
      readonly message: string
      readonly stack?: string
    }
