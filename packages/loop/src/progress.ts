/** How long work says how far it is, and how it is asked to stop. */

export interface Progress {
  /** What is being done, in a few words: `reading digits.csv`. */
  readonly what: string
  readonly done: number
  /** Null where it is not known. */
  readonly total: number | null
  /** What is counted: rows, images, steps. */
  readonly unit: string
}

export interface Work {
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Asks to stop: what is finished is kept. */
  readonly signal?: AbortSignal | undefined
}

/** Work that was asked to stop, and has. The message says what is kept. */
export class StoppedError extends Error {
  override name = 'StoppedError'
}
