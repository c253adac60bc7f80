/** The thread that reads: see `read.ts`. */
import { once } from 'node:events'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { ahead, type Message, type ReadTask } from './read.ts'

const port = parentPort as MessagePort
let free = ahead
port.on('message', () => {
  free++
})
const say = (message: Message, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)

try {
  const task = workerData as ReadTask
  const batches =
    task.what === 'table'
      ? (await import('./read-tables.ts')).readTable(task)
      : (await import('./read-files.ts')).readFiles(task)
  for await (const batch of batches) {
    while (free === 0) await once(port, 'message')
    free--
    say(
      { kind: 'batch', batch },
      [batch.bodies, batch.starts, batch.ends].map((array) => array.buffer as ArrayBuffer),
    )
  }
  say({ kind: 'end' })
} catch (error) {
  const { name, message, stack } = error as Error
  say({ kind: 'failed', name, message, stack: stack ?? '' })
} finally {
  port.removeAllListeners('message')
  port.unref()
}
