/** A worker that prepares batches: where its requests come from. What answers them is loaded meanwhile. */
import type { Port } from './batch-server.ts'
import type { Request } from './worker-protocol.ts'

/**
 * Makes this worker one that prepares batches for loaders. For a worker file of one's own, where a bundler moves the
 * library's: `import { data } from 'descent'; data.serveBatches()`.
 */
export function serveBatches(): void {
  listen((port) => {
    const server = import('./on-demand.ts').then(({ batchServer }) => batchServer(port))
    return (request) => void server.then((answer) => answer(request))
  })
}

/** Hands every request to what `open` makes of this worker's port. */
export function listen(open: (port: Port) => (request: Request) => void): void {
  const node = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.('node:worker_threads')
  const port = (node?.parentPort ?? globalThis) as unknown as Port
  const answer = open(port)
  if (port.on) port.on('message', answer)
  else port.addEventListener?.('message', ({ data }) => answer(data))
}
