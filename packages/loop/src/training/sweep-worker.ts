/**
 * A process of a sweep: trains the recipes that it is sent, one after the other, and says how each ended. Ctrl-C reaches the
 * whole group of processes, so it is left to the parent, which asks to stop; where the parent is gone, it stops by itself.
 */

import type { Recipe } from '../architecture/recipe.ts'
import { UserError } from '../errors.ts'
import { type Progress, StoppedError } from '../progress.ts'
import { openProject } from '../project/project.ts'
import { trainRun } from './train-run.ts'

/** A run to train. */
export interface Order {
  readonly recipe: Recipe
  readonly snapshot: string
  readonly seed: number
  readonly threads: number
  readonly sweep: number
  /** The run of the same trial in the round before. */
  readonly parent: number | null
}

export type ToWorker = { readonly type: 'train'; readonly order: Order } | { readonly type: 'stop' }

export type FromWorker =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'done'; readonly run: number }
  /** The recipe cannot be trained: the loss became infinite, for instance. */
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stopped' }

const folder = process.argv[2]
if (folder === undefined || !process.send) throw new Error('This program is started by `descent sweep`.')

const stop = new AbortController()
const tell = (message: FromWorker) => process.connected && process.send?.(message)
const project = await openProject(folder)

process.on('SIGINT', () => {})
process.on('disconnect', () => stop.abort())
process.on('message', (message: ToWorker) => {
  if (message.type === 'stop') stop.abort()
  else void train(message.order)
})

async function train({ parent, ...order }: Order): Promise<void> {
  try {
    const onProgress = (progress: Progress) => tell({ type: 'progress', progress })
    const options = { ...order, ...(parent === null ? {} : { parent }), signal: stop.signal, onProgress }
    tell({ type: 'done', run: (await trainRun(project, options)).number })
  } catch (error) {
    if (error instanceof StoppedError) tell({ type: 'stopped' })
    else if (error instanceof UserError) tell({ type: 'failed', message: error.message })
    else throw error
  }
  if (!process.connected) await project.close()
}
