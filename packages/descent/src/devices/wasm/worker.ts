/**
 * A worker thread, in Node and in browsers alike. `workerMain` is sent as text (so that neither a bundler nor a loader must
 * find a file): it uses nothing from outside of itself.
 *
 * The worker sleeps on the generation word of the control block. When that changes it takes part in the open job, if it
 * has that plan; when there are messages it returns to its event loop, where it gets new plans.
 */

/** Words of the control block through which threads meet. */
export const controlWords = {
  /** Counts up with every job and every message: what sleeping workers wait on. */
  generation: 0,
  /** 1 while the job may be joined. */
  open: 1,
  plan: 2,
  table: 3,
  /** Workers that are in a job now. */
  active: 4,
  /** Messages sent to workers so far. */
  messages: 5,
  /** 1 where a thread has crashed. */
  failed: 6,
  scratch: 7,
  scratchStride: 8,
  /** Threads that may take part: those with a smaller number. */
  threads: 9,
  /** Bytes of UTF-8 that say why the first worker crashed, from word `reason` on. */
  reasonBytes: 10,
  reason: 16,
} as const
export const mostReasonBytes = 448
export const controlBytes = controlWords.reason * 4 + mostReasonBytes

export type WorkerMessage =
  | {
      readonly kind: 'start'
      readonly memory: WebAssembly.Memory
      readonly control: number
      readonly thread: number
      readonly words: typeof controlWords
      readonly mostReasonBytes: number
      readonly seen: number
    }
  | { readonly kind: 'plan'; readonly id: number; readonly module: WebAssembly.Module }
  | { readonly kind: 'drop'; readonly id: number }

export function workerMain(): void {
  type Run = (table: number, scratch: number, mayNap: number, stop: number) => number
  interface Port {
    on?(event: 'message', listener: (message: WorkerMessage) => void): void
    addEventListener?(event: 'message', listener: (event: { data: WorkerMessage }) => void): void
  }
  const scope = globalThis as unknown as Port & {
    process?: { getBuiltinModule?(name: string): { parentPort: Port } }
  }
  const port = scope.process?.getBuiltinModule?.('node:worker_threads').parentPort ?? scope
  const plans = new Map<number, Run>()
  const spinMilliseconds = 1
  let started: (WorkerMessage & { kind: 'start' }) | null = null
  let seen = 0

  const receive = (message: WorkerMessage): void => {
    seen++
    if (message.kind === 'start') {
      started = message
      seen = message.seen
    } else if (message.kind === 'drop') plans.delete(message.id)
    else if (started) {
      const instance = new WebAssembly.Instance(message.module, { env: { memory: started.memory } })
      plans.set(message.id, instance.exports.run as unknown as Run)
    }
    if (started) work(started)
  }

  /** Leaves in memory why this worker has crashed: the main thread, which does not return to its event loop, reads it there. */
  const giveReason = (start: WorkerMessage & { kind: 'start' }, error: unknown): void => {
    const { memory, control, words: w, mostReasonBytes } = start
    const stack = error instanceof Error ? error.stack : undefined
    const text = new TextEncoder().encode(`${error}\n${stack ?? ''}`).subarray(0, mostReasonBytes)
    new Uint8Array(memory.buffer, control + w.reason * 4).set(text)
    new Int32Array(memory.buffer, control)[w.reasonBytes] = text.length
  }

  /** Takes part in jobs until there are messages to read. */
  const work = (start: WorkerMessage & { kind: 'start' }): void => {
    const { memory, control, thread, words: w } = start
    const words = new Int32Array(memory.buffer, control, 16)
    let last = -1
    for (;;) {
      if (Atomics.load(words, w.messages) !== seen) return
      const generation = Atomics.load(words, w.generation)
      if (generation === last) {
        const until = performance.now() + spinMilliseconds
        while (Atomics.load(words, w.generation) === last && performance.now() < until) {
          for (let i = 0; i < 500 && Atomics.load(words, w.generation) === last; i++);
        }
        if (Atomics.load(words, w.generation) === last) Atomics.wait(words, w.generation, last)
        continue
      }
      last = generation
      Atomics.add(words, w.active, 1)
      if (
        Atomics.load(words, w.open) === 1 &&
        Atomics.load(words, w.generation) === generation &&
        thread < Atomics.load(words, w.threads)
      ) {
        const run = plans.get(words[w.plan] as number)
        try {
          const scratch = (words[w.scratch] as number) + thread * (words[w.scratchStride] as number)
          run?.(words[w.table] as number, scratch, 1, control + w.failed * 4)
        } catch (error) {
          if (Atomics.compareExchange(words, w.failed, 0, 1) === 0) giveReason(start, error)
        }
      }
      Atomics.sub(words, w.active, 1)
    }
  }

  if (port.on) port.on('message', receive)
  else port.addEventListener?.('message', (event) => receive(event.data))
}
