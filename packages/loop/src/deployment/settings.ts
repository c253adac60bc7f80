/** How the server behaves: what a person said on the command line, else in the config (`serve: { … }`), else these values. */
import type { ServeConfig } from '../project/config.ts'

export interface ServeSettings {
  readonly host: string
  readonly port: number
  /** The longest that a request waits for others to share its batch, in milliseconds. */
  readonly window: number
  /** Inputs in a batch, and in one request. */
  readonly maxBatch: number
  /** Inputs that may wait. */
  readonly queue: number
  readonly maxBodyMegabytes: number
  /** A request must have come, and must have been answered, in so many seconds each. */
  readonly timeoutSeconds: number
  /** Whether a token is needed on a loopback address too. On others it always is. */
  readonly requireToken: boolean
  /** The share of predictions that are marked as the random slice. */
  readonly randomShare: number
  /** The alias of a version that answers beside the champion, unseen. */
  readonly challenger: string | null
  /** Whether predictions are kept. */
  readonly log: boolean
  readonly keepDays: number
  readonly keepMegabytes: number
}

const defaults: ServeSettings = {
  host: '127.0.0.1',
  port: 8080,
  window: 2,
  maxBatch: 64,
  queue: 4096,
  maxBodyMegabytes: 8,
  timeoutSeconds: 10,
  requireToken: false,
  randomShare: 0.05,
  challenger: null,
  log: true,
  keepDays: 90,
  keepMegabytes: 2048,
}

export function serveSettings(config: ServeConfig = {}, given: ServeConfig = {}): ServeSettings {
  return { ...defaults, ...present(config), ...present(given) }
}

function present(config: ServeConfig): Partial<ServeSettings> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}
