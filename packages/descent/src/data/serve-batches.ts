/** A worker that prepares batches. */
import type { Port } from './batch-server.ts'
import type { Request } from './worker-protocol.ts'

/**
 * Makes this worker one that prepares batches for loaders. For a worker file of one's own, where a bundler moves the
 * library's: `import { data } from 'descent'; data.serveBatches()`.
 */
export function serveBatches(): void {
  const node = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.('node:worker_threads')
  const port = (node?.parentPort ?? globalThis) as unknown as Port
  const server = import('../on-demand.ts').then(({ batchServer }) => batchServer(port))
  const receive = (request: Request): void => void server.then((answer) => answer(request))
  if (port.on) port.on('message', receive)
  else port.addEventListener?.('message', ({ data }) => receive(data))
}
