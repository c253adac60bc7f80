/** Reading in a thread of its own, so that rows are taken apart and hashed while the ones before are written. */
import { Worker } from 'node:worker_threads'
import { UserError } from '../errors.ts'
import type { Batch } from './batch.ts'
import type { FilesTask } from './read-files.ts'
import type { TableTask } from './read-tables.ts'

export type ReadTask = TableTask | FilesTask

/** What the thread says. */
export type Message =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string; readonly stack: string }

/** What the source holds is at fault: the same again would fail again. */
export class ReadError extends UserError {}

/** How many batches are made before one is asked for. */
export const ahead = 2

/** Errors about files and data: their message says enough. */
const aboutData: readonly string[] = ['UserError', 'FormatError', 'RowError']

/** The batches of a source, in order. Ending the iteration ends the thread. */
export async function* readInThread(task: ReadTask): AsyncGenerator<Batch> {
  const worker = new Worker(new URL('./read-worker.ts', import.meta.url), { workerData: task })
  const waiting: Message[] = []
  let wake = (): void => {}
  const put = (message: Message): void => {
    waiting.push(message)
    wake()
  }
  worker.on('message', put)
  worker.on('error', (error) =>
    put({ kind: 'failed', name: error.name, message: error.message, stack: error.stack ?? '' }),
  )
  worker.on('exit', (code) => put({ kind: 'failed', name: 'Error', message: `the reader ended (${code})`, stack: '' }))
  try {
    for (;;) {
      const message = waiting.shift()
      if (!message) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      if (message.kind === 'end') return
      if (message.kind === 'failed') {
        if (aboutData.includes(message.name)) throw new ReadError(message.message)
        throw Object.assign(new Error(message.message), { stack: message.stack })
      }
      yield message.batch
      worker.postMessage('next')
    }
  } finally {
    await worker.terminate()
  }
}
