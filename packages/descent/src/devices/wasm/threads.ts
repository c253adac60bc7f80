/**
 * The pool of threads that share one memory, seen from the main thread. Workers are started when the first plan needs
 * them, never waited for, and never keep the process alive: a job begins at once on the main thread, and whoever is
 * awake joins (see schedule.ts and worker.ts).
 */
import { features } from './features.ts'
import { mostReasonBytes, type WorkerMessage, controlWords as w, workerMain } from './worker.ts'

/** What a module with a schedule exports. */
export interface PlanExports {
  runSolo(table: number, scratch: number): number
  run(table: number, scratch: number, mayNap: number, stop: number): number
}

interface WorkerHandle {
  postMessage(message: WorkerMessage): void
  unref?(): void
}

/** Where scratch memory lies: thread i's at `base + i · stride`. */
export interface ScratchArea {
  readonly base: number
  readonly stride: number
}

/** How many threads there are by default: one for each core. */
export function defaultThreads(): number {
  const scope = globalThis as { navigator?: { hardwareConcurrency?: number } }
  return Math.max(
    1,
    Math.min(
      16,
      nodeModule<{ availableParallelism(): number }>('node:os')?.availableParallelism() ??
        scope.navigator?.hardwareConcurrency ??
        1,
    ),
  )
}

function nodeModule<T>(name: string): T | undefined {
  const scope = globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
  return scope.process?.getBuiltinModule?.(name) as T | undefined
}

export class ThreadPool {
  private readonly memory: WebAssembly.Memory
  private readonly control: number
  private readonly words: Int32Array
  private readonly workers: WorkerHandle[] = []
  private readonly plans = new Map<number, WebAssembly.Module>()
  private nextPlan = 1
  private wanted: number
  private runs = 0

  /** `control` is the address of `controlBytes` bytes of zeros in the memory, aligned to 64. */
  constructor(memory: WebAssembly.Memory, control: number, threads: number) {
    this.memory = memory
    this.control = control
    this.words = new Int32Array(memory.buffer, control, 16)
    this.wanted = 1
    this.setThreads(threads)
  }

  get threads(): number {
    return this.wanted
  }

  setThreads(threads: number): void {
    const shared = features().sharedMemory && features().workers && this.memory.buffer instanceof SharedArrayBuffer
    this.wanted = shared ? Math.max(1, Math.floor(threads)) : 1
    this.words[w.threads] = this.wanted
    if (this.workers.length > 0) this.start()
  }

  /** Makes a plan known to the workers; its number is for `run` and `drop`. */
  add(module: WebAssembly.Module): number {
    const id = this.nextPlan++
    this.plans.set(id, module)
    this.send({ kind: 'plan', id, module })
    return id
  }

  drop(id: number): void {
    if (this.plans.delete(id)) this.send({ kind: 'drop', id })
  }

  /**
   * Runs a plan by all threads that are awake. `counters` are the indices in `table` (a view of the table in memory, at byte
   * `tableAddress`) of the counters to be cleared. Returns whether a check has failed.
   */
  run(id: number, exports: PlanExports, tableAddress: number, counters: Int32Array, scratch: ScratchArea): boolean {
    const { words } = this
    if (this.wanted === 1) return exports.runSolo(tableAddress, scratch.base) !== 0
    // Starting a worker takes the caller several milliseconds: a program that runs one plan once does without.
    if (this.runs++ === 1) this.start()
    this.settle()
    const table = new Int32Array(this.memory.buffer, tableAddress)
    for (const at of counters) {
      table[at] = 0
      table[at + 1] = 0
    }
    words[w.plan] = id
    words[w.table] = tableAddress
    words[w.scratch] = scratch.base
    words[w.scratchStride] = scratch.stride
    Atomics.store(words, w.open, 1)
    this.wake()
    let failed: number
    try {
      failed = exports.run(tableAddress, scratch.base, features().mayNap ? 1 : 0, this.control + w.failed * 4)
    } catch (error) {
      // What this thread had taken is never done: workers that wait for it stop when they see this.
      Atomics.store(words, w.failed, 1)
      this.close()
      throw error
    }
    const crash = this.close(failed)
    if (crash !== null) {
      const [what] = crash.split('\n', 1)
      throw new Error(
        `descent: a worker thread crashed while it ran a plan: ${what}. This is a bug of the library; please report it.`,
        { cause: crash },
      )
    }
    return failed !== 0
  }

  /** Ends the job; where a thread has failed, waits for the others. Returns why a worker crashed, if one did. */
  private close(failed = 1): string | null {
    const { words } = this
    Atomics.store(words, w.open, 0)
    if (failed !== 0) this.settle()
    if (Atomics.load(words, w.failed) === 0) return null
    const text = new Uint8Array(this.memory.buffer, this.control + w.reason * 4, words[w.reasonBytes])
    // Decoders do not read from shared memory.
    const copy = Uint8Array.from(text)
    words[w.reasonBytes] = 0
    Atomics.store(words, w.failed, 0)
    return new TextDecoder().decode(copy)
  }

  /** Waits until no worker is in a job: then memory that plans use may be moved or freed. */
  settle(): void {
    const { words } = this
    for (let spins = 0; ; spins++) {
      const active = Atomics.load(words, w.active)
      if (active === 0) return
      if (spins > 10_000 && features().mayNap) Atomics.wait(words, w.active, active, 0.05)
    }
  }

  private wake(): void {
    Atomics.add(this.words, w.generation, 1)
    Atomics.notify(this.words, w.generation)
  }

  private send(message: WorkerMessage): void {
    if (this.workers.length === 0) return
    // Counted first: a worker that reads the message early must find that it has seen all.
    Atomics.add(this.words, w.messages, 1)
    for (const worker of this.workers) worker.postMessage(message)
    this.wake()
  }

  private start(): void {
    while (this.workers.length < this.wanted - 1) {
      const worker = startWorker()
      if (!worker) {
        this.wanted = this.workers.length + 1
        return
      }
      // What it has seen includes the plans below: they are queued behind this message.
      const seen = Atomics.load(this.words, w.messages) - this.plans.size
      worker.postMessage({
        kind: 'start',
        memory: this.memory,
        control: this.control,
        thread: this.workers.length + 1,
        words: w,
        mostReasonBytes,
        seen,
      })
      for (const [id, module] of this.plans) worker.postMessage({ kind: 'plan', id, module })
      this.workers.push(worker)
    }
  }
}

function startWorker(): WorkerHandle | null {
  const source = `const __name = (f) => f; (${workerMain.toString()})()`
  try {
    const node = nodeModule<{ Worker: new (source: string, options: object) => WorkerHandle }>('node:worker_threads')
    if (node) {
      const worker = new node.Worker(source, { eval: true, execArgv: [], env: {}, stdin: false })
      worker.unref?.()
      return worker
    }
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
    return new Worker(url) as unknown as WorkerHandle
  } catch {
    return null
  }
}
