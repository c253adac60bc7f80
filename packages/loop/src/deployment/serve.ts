/**
 * Serves a project's champion over HTTP: the Open Inference Protocol, plain predictions, feedback, metrics. One process, nothing but the
 * project's folder.
 */

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { UserError } from '../errors.ts'
import type { ServeConfig } from '../project/config.ts'
import type { Project } from '../project/project.ts'
import { loadVersion } from '../registry/load-version.ts'
import type { ServedModel } from '../registry/served-model.ts'
import { columnsOf } from './columns.ts'
import { Gatekeeper } from './gatekeeper.ts'
import { Listener } from './listener.ts'
import { type LogCounts, PredictionLog } from './log/log.ts'
import { Metrics } from './metrics.ts'
import { Service } from './service.ts'
import { serveSettings } from './settings.ts'
import { knownTokens } from './tokens.ts'
import { type RecentTraffic, Traffic } from './traffic.ts'
import { Versions } from './versions.ts'

export interface ServeOptions extends ServeConfig {
  /** Hears, in a sentence, what a person should know: a new champion, predictions that were not logged. */
  readonly onNews?: ((sentence: string) => void) | undefined
  /** Hears of mistakes of the program, which were answered with 500. */
  readonly onError?: ((error: unknown) => void) | undefined
  /** Loads a version. Default: the project's registry. */
  readonly load?: ((version: number) => Promise<ServedModel>) | undefined
}

export interface Serving {
  /** `http://127.0.0.1:8080` */
  readonly address: string
  /** The version that answers. */
  readonly version: number
  /** Answered requests since the start. */
  readonly answered: number
  /** Rate and times of the last seconds. */
  recent(seconds?: number): RecentTraffic
  /** Null where predictions are not kept. */
  readonly log: LogCounts | null
  /** Stops taking requests, answers those that are there, writes the log, and ends. */
  close(): Promise<void>
}

/** How often aliases and tokens are looked up. */
const pollInterval = 400

/**
 * Starts the server; it is ready when the promise is.
 *
 * @example
 * ```ts
 * const project = await openProject('digits')
 * const serving = await serve(project, { port: 8080 })
 * console.log(serving.address)
 * await serving.close()
 * ```
 * @throws {UserError} where there is no champion, the port is taken, or an address of the network is asked for without tokens
 */
export async function serve(project: Project, options: ServeOptions = {}): Promise<Serving> {
  const { onNews = () => {}, onError = (error) => console.error(error), load, ...given } = options
  const settings = serveSettings(project.config.serve, given)
  const loopback = await isLoopback(settings.host)
  const requireToken = settings.requireToken || !loopback
  const tokens = await knownTokens(project)
  if (requireToken && tokens.length === 0) {
    throw new UserError(
      `${loopback ? 'Tokens are asked for (serve.requireToken)' : `${settings.host} can be reached from other machines`}, and there is no token yet: \`descent token create NAME\` makes one.`,
    )
  }
  const gate = new Gatekeeper(requireToken)
  gate.update(tokens)
  const traffic = new Traffic()
  const metrics: Metrics = new Metrics({
    traffic,
    log: () => log?.counts ?? null,
    waiting: () => versions.champion.waiting,
    version: () => versions.champion.model.version,
  })
  const versions = await Versions.open(project, {
    load: load ?? ((version) => loadVersion(project, version)),
    challenger: settings.challenger,
    batcher: {
      window: settings.window,
      limit: settings.maxBatch,
      queue: settings.queue,
      patience: settings.timeoutSeconds * 1000,
      onBatch: (size) => metrics.batch(size),
    },
    onSwap(from, to) {
      traffic.swaps++
      onNews(`Version ${to} is the champion now, in place of ${from}.`)
    },
    onTrouble: onNews,
  })
  const log = settings.log
    ? await PredictionLog.open({
        folder: project.store.folder,
        keep: { days: settings.keepDays, megabytes: settings.keepMegabytes },
        onTrouble: onNews,
      })
    : null
  const columns = await columnsOf(project)
  const parts = { project, settings: { ...settings, requireToken }, versions, gate, log, traffic, metrics, columns }
  let listener: Listener
  try {
    listener = await Listener.open(new Service(parts), onError)
  } catch (error) {
    await log?.close()
    throw error
  }
  const polling = poll(async () => {
    await versions.poll()
    gate.update(await knownTokens(project))
  }, onError)
  return {
    address: listener.address,
    get version() {
      return versions.champion.model.version
    },
    get answered() {
      return traffic.total
    },
    recent: (seconds = 1) => traffic.recent(seconds),
    get log() {
      return log?.counts ?? null
    },
    async close() {
      await polling.stop()
      await listener.close()
      while (!versions.shadow.idle) await new Promise((resolve) => setTimeout(resolve, 5))
      await log?.close()
    },
  }
}

/** Looks again and again, each time when the last is done. */
function poll(look: () => Promise<void>, onError: (error: unknown) => void): { stop(): Promise<void> } {
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let timer = setTimeout(next, pollInterval)
  function next(): void {
    running = look()
      .catch(onError)
      .then(() => {
        if (!stopped) timer = setTimeout(next, pollInterval)
      })
  }
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
      return running
    },
  }
}

async function isLoopback(host: string): Promise<boolean> {
  const { address } = isIP(host)
    ? { address: host }
    : await lookup(host).catch(() => {
        throw new UserError(`${host} is no address of this machine.`)
      })
  return address === '::1' || address.startsWith('127.')
}
