/**
 * What passes between the server and the thread that writes its log. A batch of predictions goes as columns, and their inputs
 * as one block of bytes that changes hands without being copied.
 */

/** One prediction, as the server hands it over. */
export interface LogEntry {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly version: number
  readonly role: 'champion' | 'shadow' | 'asked'
  readonly random: boolean
  readonly shadows: string | null
  readonly media: string
  /** The input's canonical bytes. */
  readonly body: Uint8Array
  /** JSON: `{ "label", "probabilities" }` or `{ "value" }`. */
  readonly output: string
  readonly uncertainty: number | null
  readonly milliseconds: number
  readonly token: string | null
}

/** What is the same for many predictions. */
export interface LogContext {
  readonly version: number
  readonly role: LogEntry['role']
  readonly media: string
  readonly token: string | null
}

/**
 * A batch as few large values, which cost less to hand over than many small ones. Texts are joined by line breaks, which
 * neither ids nor JSON hold.
 */
export interface LogColumns {
  readonly length: number
  readonly contexts: readonly LogContext[]
  /** The number of each prediction's context. */
  readonly context: Uint32Array
  readonly ids: string
  /** Empty where a prediction shadows none. */
  readonly shadows: string
  readonly outputs: string
  readonly random: Uint8Array
  readonly times: Float64Array
  readonly milliseconds: Float64Array
  /** NaN: none. */
  readonly uncertainties: Float64Array
  /** Where each body ends in `bodies`. */
  readonly ends: Uint32Array
}

export interface Feedback {
  readonly prediction: string
  /** JSON: a class or a number. */
  readonly value: string
  readonly at: number
  readonly who: string
}

/** Feedback that is on the disk, and what had been predicted. Null in its place: there is no such prediction. */
export interface KeptFeedback {
  readonly number: number
  readonly output: string
}

export type ToWriter =
  | { readonly kind: 'predictions'; readonly batch: number; readonly columns: LogColumns; readonly bodies: Uint8Array }
  | { readonly kind: 'feedback'; readonly ticket: number; readonly feedback: Feedback }
  | { readonly kind: 'close' }

export type FromWriter =
  | { readonly kind: 'ready' }
  /** The batch is on the disk; `error`: it is not, and why. */
  | { readonly kind: 'written'; readonly batch: number; readonly error: string | null }
  | {
      readonly kind: 'feedback'
      readonly ticket: number
      readonly kept: KeptFeedback | null
      readonly error: string | null
    }
  | { readonly kind: 'retained'; readonly removed: number }

/** What the thread is started with. */
export interface WriterTask {
  /** `.descent/` */
  readonly folder: string
  readonly keep: Keep
}

/** How much of the log is kept: what is older, or beyond the size, goes. */
export interface Keep {
  readonly days: number
  readonly megabytes: number
}
