/**
 * The state of a training in files, one for each checkpoint: everything that the next step depends on, so that a
 * training that is taken up again ends with the same bits. Files are written whole or not at all; a damaged one is
 * passed over for the one before.
 */
import { FormatError } from '../errors.ts'
import { readBytes, writeBytes } from '../io/file.ts'
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts'
import type { StateDict } from '../nn/state-dict.ts'
import type { SchedulerState } from '../optim/lr-scheduler/scheduler.ts'
import type { EarlyStoppingState } from './early-stopping.ts'
import type { AveragesState } from './metrics.ts'
import type { CheckpointOptions } from './options.ts'
import type { EpochReport } from './progress.ts'

/** Where a training stands, but for its tensors: plain JSON. */
export interface Position {
  /** Steps so far. */
  readonly step: number
  /** The epoch that goes on, from 1, and how many of its batches are done. */
  readonly epoch: number
  readonly batch: number
  /** Of the epoch that goes on. */
  readonly averages: AveragesState
  readonly seconds: number
  readonly history: readonly EpochReport[]
  readonly best: { readonly epoch: number; readonly loss: number } | null
  readonly earlyStopping: EarlyStoppingState | null
  readonly stoppedEarly: boolean
  readonly schedule: SchedulerState | null
}

export interface Checkpoint {
  readonly position: Position
  /** By group ('network', 'best', 'optimizer', …) and name. */
  readonly tensors: Readonly<Record<string, StateDict>>
}

const NAME = /^step-(\d{10})\.safetensors$/

export class Checkpoints {
  readonly #folder: string
  readonly #keep: number
  readonly #everySteps: number
  readonly #everyMs: number
  #last = performance.now()

  constructor({ folder, everySteps = Infinity, everyMinutes = Infinity, keep = 2 }: CheckpointOptions) {
    for (const [name, value] of Object.entries({ everySteps, everyMinutes, keep })) {
      if (!(value > 0)) throw new RangeError(`checkpoints: ${name} must be above 0, not ${value}.`)
    }
    this.#folder = folder
    this.#keep = keep
    this.#everySteps = everySteps
    this.#everyMs = everyMinutes * 60_000
  }

  isDue(step: number): boolean {
    return step % this.#everySteps === 0 || performance.now() - this.#last >= this.#everyMs
  }

  async save({ position, tensors }: Checkpoint): Promise<void> {
    const { mkdir, rm } = await import('node:fs/promises')
    await mkdir(this.#folder, { recursive: true })
    const flat = Object.entries(tensors).flatMap(([group, state]) =>
      Object.entries(state).map(([name, x]) => [`${group}/${name}`, x] as const),
    )
    const bytes = encodeSafetensors(Object.fromEntries(flat), { training: JSON.stringify(position) })
    await writeBytes(this.#path(position.step), bytes)
    for (const step of (await this.#steps()).slice(this.#keep)) await rm(this.#path(step), { force: true })
    this.#last = performance.now()
  }

  /** The newest that can be read; null where there is none. */
  async newest(): Promise<Checkpoint | null> {
    for (const step of await this.#steps()) {
      const path = this.#path(step)
      try {
        return parse(await readBytes(path))
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
        console.warn(`fit: the checkpoint ${path} is damaged (${error.message}); going on from the one before.`)
      }
    }
    return null
  }

  #path(step: number): string {
    return `${this.#folder}/step-${String(step).padStart(10, '0')}.safetensors`
  }

  /** Newest first. */
  async #steps(): Promise<number[]> {
    const { readdir } = await import('node:fs/promises')
    const names = await readdir(this.#folder).catch((): string[] => [])
    return names
      .map((name) => Number(NAME.exec(name)?.[1] ?? Number.NaN))
      .filter(Number.isInteger)
      .sort((a, b) => b - a)
  }
}

function parse(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes)
  if (metadata.training === undefined) throw new FormatError('it holds no training')
  const groups: Record<string, Record<string, StateDict[string]>> = {}
  for (const [path, x] of Object.entries(tensors)) {
    const [group, ...name] = path.split('/') as [string, ...string[]]
    groups[group] ??= {}
    ;(groups[group] as Record<string, StateDict[string]>)[name.join('/')] = x
  }
  return { position: JSON.parse(metadata.training) as Position, tensors: groups }
}
