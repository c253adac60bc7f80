/** Being stopped from outside: by Ctrl-C in Node, by an AbortSignal anywhere. */

export interface Interrupt {
  readonly requested: boolean
  /** Lets go of Ctrl-C: from then on it ends the process as usual. */
  release(): void
}

/** The first Ctrl-C asks to stop and calls `onRequest`; a second one ends the process. */
export function watchInterrupt(signal: AbortSignal | undefined, onRequest: () => void): Interrupt {
  let requested = false
  const request = (): void => {
    requested = true
    onRequest()
  }
  const hasSignals = typeof process !== 'undefined' && typeof process.once === 'function'
  if (hasSignals) process.once('SIGINT', request)
  return {
    get requested() {
      return requested || (signal?.aborted ?? false)
    },
    release() {
      if (hasSignals) process.removeListener('SIGINT', request)
    },
  }
}

const BREATH_MS = 50
let lastBreath = 0

/** Lets events in, Ctrl-C among them, when they have waited for long enough. */
export async function breathe(): Promise<void> {
  if (performance.now() - lastBreath < BREATH_MS) return
  await new Promise<void>((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve)
  })
  lastBreath = performance.now()
}
