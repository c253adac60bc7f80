/**
 * A pool of threads that run generated code, seen from JavaScript. Workers are threads of the operating system in which
 * no JavaScript ever runs (job.ts); they are started with the second run, never waited for, end after a
 * while without work, and never keep the process alive. A run begins at once on the calling thread, and whoever is awake
 * joins.
 *
 * Each JavaScript thread that uses the library has a pool of its own. What workers may look at after a run has returned must
 * be outside of JavaScript's heap, and stay until `settle` has returned: tables (schedule.ts), code, scratch memory. If the
 * JavaScript thread is terminated, such memory is simply never given back, and its workers end when they have been
 * idle for long.
 */
import { Assembler } from '../assembler/assembler.ts'
import { control, controlBytes, mostThreads, slot } from './control.ts'
import { place } from './executable.ts'
import { emitSettle, emitShared, emitWorker } from './job.ts'
import { type NativeFunction, nativeOrThrow } from './koffi.ts'
import { reserve } from './region.ts'
import { emitSolo, emitTakePart } from './walk.ts'

/** Where scratch memory lies: thread i's at `base + i · stride`. */
export interface ScratchArea {
  readonly base: number
  readonly stride: number
}

/** About 50 microseconds, for stamps count two to four a nanosecond. */
const spinTicks = 150_000
const napNanoseconds = 50_000
const idleMilliseconds = 10_000

export class ThreadPool {
  readonly #code = poolCode()
  readonly #address: number
  readonly #words: Int32Array
  #wanted = 1
  #runs = 0

  /** Workers end after `idle` milliseconds without a run; the next starts them again. */
  constructor(threads: number, idle = idleMilliseconds) {
    const block = reserve(controlBytes)
    this.#address = block.address
    this.#words = new Int32Array(block.view())
    this.#words[control.spinTicks / 4] = spinTicks
    this.#words[control.nap / 4 + 2] = napNanoseconds
    this.#words[control.idle / 4] = Math.floor(idle / 1000)
    this.#words[control.idle / 4 + 2] = (idle % 1000) * 1e6
    this.#words[control.noProcessor / 4] = -1
    this.setThreads(threads)
  }

  get threads(): number {
    return this.#wanted
  }

  /** How many threads may take part in a run, the calling one included. Results do not depend on it. */
  setThreads(threads: number): void {
    this.#wanted = Math.max(1, Math.min(mostThreads, Math.floor(threads)))
    Atomics.store(this.#words, control.threads / 4, this.#wanted)
  }

  /** Runs a plan on the calling thread. Returns whether a check has failed. */
  runSolo(table: number, scratch: number): boolean {
    return this.#code.solo(table, scratch) !== 0
  }

  /** Runs a plan by all threads that are awake. Returns whether a check has failed. */
  run(table: number, scratch: ScratchArea): boolean {
    if (this.#wanted === 1) return this.#code.solo(table, scratch.base) !== 0
    // A program that runs one plan once does without workers.
    if (this.#runs++ > 0 && this.workers < this.#wanted - 1) this.#start()
    return this.#code.shared(this.#address, table, scratch.base, scratch.stride) !== 0
  }

  /** How many workers there are now. */
  get workers(): number {
    return Atomics.load(this.#words, control.alive / 4)
  }

  /** Waits until no worker is in a job: then memory that plans use may be changed or given back. */
  settle(): void {
    if (Atomics.load(this.#words, control.active / 4) !== 0) this.#code.settle(this.#address)
  }

  /** Starts the workers that are missing. */
  #start(): void {
    const native = nativeOrThrow()
    for (let thread = 1; thread < this.#wanted; thread++) {
      const at = control.slots + (thread - 1) * slot.bytes
      const [word, address] = [at / 4, this.#address + at]
      if (Atomics.load(this.#words, word + slot.taken / 4) !== 0) continue
      this.#setAddress(word + slot.control / 4, this.#address)
      this.#words[word + slot.thread / 4] = thread
      this.#words[word + slot.taken / 4] = 1
      Atomics.add(this.#words, control.alive / 4, 1)
      if (native.pthread_create(address + slot.handle, 0, this.#code.worker, address) !== 0) {
        // The system has no more threads for us, so we do with those that there are.
        this.#words[word + slot.taken / 4] = 0
        Atomics.sub(this.#words, control.alive / 4, 1)
        this.setThreads(thread)
        return
      }
      native.pthread_detach(this.#getAddress(word + slot.handle / 4))
    }
  }

  #setAddress(word: number, address: number): void {
    this.#words[word] = address % 2 ** 32
    this.#words[word + 1] = address / 2 ** 32
  }

  #getAddress(word: number): number {
    return ((this.#words[word] as number) >>> 0) + (this.#words[word + 1] as number) * 2 ** 32
  }
}

interface PoolCode {
  readonly solo: NativeFunction
  readonly shared: NativeFunction
  readonly settle: NativeFunction
  /** Address of what a worker runs. */
  readonly worker: number
}

let placed: PoolCode | undefined

/** The machine code, made once and never given back. */
function poolCode(): PoolCode {
  if (placed) return placed
  const asm = new Assembler()
  const begin = (): number => {
    asm.align(64)
    const label = asm.newLabel()
    asm.bind(label)
    return label
  }
  const solo = begin()
  emitSolo(asm)
  const takePart = begin()
  emitTakePart(asm)
  const settle = begin()
  emitSettle(asm)
  const shared = begin()
  emitShared(asm, settle, takePart)
  const worker = begin()
  emitWorker(asm, takePart)
  const { address } = place(asm.finish())
  const native = nativeOrThrow()
  const callable = (label: number, parameters: number): NativeFunction =>
    native.callable(address + asm.offsetOf(label), parameters)
  placed = {
    solo: callable(solo, 2),
    shared: callable(shared, 4),
    settle: callable(settle, 1),
    worker: address + asm.offsetOf(worker),
  }
  return placed
}
