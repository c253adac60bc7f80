/**
 * What passes between the server and the thread that writes its log. A batch of predictions goes as
 * blocks of bytes and numbers, which change hands without being copied.
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
 * A batch as a few blocks of bytes and numbers, filled as predictions come: holding on to them as objects would cost the
 * server's collector more than all else about the log.
 */
export interface LogColumns {
  readonly length: number
  readonly contexts: readonly LogContext[]
  /** [length, numbersEach]: see `numberOf`. */
  readonly numbers: Float64Array<ArrayBuffer>
  /** Id and output of each, one after the other, in UTF-8. */
  readonly texts: Uint8Array<ArrayBuffer>
  /** Inputs, one after the other. */
  readonly bodies: Uint8Array<ArrayBuffer>
  /** What shadows what: the place of the first, the id of the second. */
  readonly shadows: readonly (readonly [place: number, id: string])[]
}

/** Where each number of a prediction stands; NaN for no uncertainty; ends are those of its bytes in `texts` and `bodies`. */
export const numberOf = {
  context: 0,
  random: 1,
  time: 2,
  milliseconds: 3,
  uncertainty: 4,
  idEnd: 5,
  outputEnd: 6,
  bodyEnd: 7,
} as const
export const numbersEach = 8

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
  | { readonly kind: 'predictions'; readonly batch: number; readonly columns: LogColumns }
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
