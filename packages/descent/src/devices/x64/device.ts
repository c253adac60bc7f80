/** The device `x64`: machine code with AVX-512 or AVX2, assembled here for the shapes at hand, with threads. Node on Linux. */
import type { DType } from '../../dtype.ts'
import type { Plan } from '../../kernel/kernel.ts'
import type { Device, Runner, Storage, Values } from '../device.ts'
import type { Machine } from './allocate.ts'
import { machines } from './machine.ts'
import { cpu, lacking } from './native/cpu.ts'
import { native } from './native/koffi.ts'
import { type Region, reserve } from './native/region.ts'
import { type ScratchArea, ThreadPool } from './native/threads.ts'
import { X64Runner } from './runner.ts'
import { startCheck } from './start-check.ts'
import { adoptStorage, allocateStorage, X64Storage } from './storage.ts'

/** For tests, which look for what the usual choice would hide. */
export interface X64Options {
  /** 'end': the workspace ends where its pages do, so that reading beyond it is caught. */
  readonly flush?: 'start' | 'end'
  /** The registers that may be used. */
  readonly machine?: Machine
  /** See Target. */
  readonly streamBytes?: number
}

interface Scratch {
  readonly region: Region
  readonly stride: number
  readonly threads: number
}

export class X64Device implements Device {
  readonly name = 'x64'
  /** AVX-512, else AVX2. */
  readonly wide: boolean
  readonly pool: ThreadPool
  readonly #errors = reserve(64)
  readonly #errorWords = new Int32Array(this.#errors.view())
  #workspace: Region | null = null
  #scratch: Scratch | null = null

  readonly machine: Machine
  /** Of one core's second cache. */
  readonly l2Bytes = cpu().l2?.bytes ?? 1 << 20
  /** What the last cache cannot hold. */
  readonly streamBytes: number
  readonly #flush: 'start' | 'end'

  constructor(wide: boolean, threads: number, { flush = 'start', machine, streamBytes }: X64Options = {}) {
    this.wide = wide
    this.machine = machine ?? (wide ? machines.wide : machines.narrow)
    this.pool = new ThreadPool(threads)
    this.#flush = flush
    this.streamBytes = streamBytes ?? cpu().l3?.bytes ?? 32 << 20
  }

  /** Address of the record of failed checks (see native/schedule.ts). */
  get errors(): number {
    return this.#errors.address
  }
  /** What stands in the record, which is cleared. */
  takeError(): readonly [id: number, value: number] {
    const [id, value] = this.#errorWords as unknown as [number, number]
    this.#errorWords.fill(0)
    return [id, value]
  }

  allocate(dtype: DType, length: number): Storage {
    return allocateStorage(this, dtype, length)
  }
  adopt(dtype: DType, values: Float32Array | Int32Array): Storage {
    return adoptStorage(this, dtype, values)
  }
  read(storage: Storage, start: number, length: number): Values {
    return own(storage).values.slice(start, start + length)
  }
  write(storage: Storage, start: number, values: ArrayLike<number>): void {
    own(storage).values.set(values, start)
  }
  prepare(plan: Plan): Runner {
    return new X64Runner(this, plan)
  }

  /**
   * Memory for the intermediate values of whichever plan runs: plans run one at a time, so all share it. Its address
   * changes when a plan needs more.
   */
  workspace(bytes: number): number {
    if (!this.#workspace || bytes > this.#workspace.bytes) {
      this.pool.settle()
      this.#workspace?.release()
      this.#workspace = null
      this.#workspace = reserve(bytes, { flush: this.#flush })
    }
    return this.#workspace.address
  }

  /** Each thread's own scratch memory. */
  scratch(bytes: number): ScratchArea {
    const { threads } = this.pool
    let known = this.#scratch
    // An odd number of lines, so that threads do not meet in the same sets of a cache.
    const stride = Math.max(Math.ceil(bytes / 64) * 64 + 4096 + 64, known?.stride ?? 0)
    if (!known || stride > known.stride || threads > known.threads) {
      this.pool.settle()
      known?.region.release()
      this.#scratch = null
      known = { region: reserve(stride * threads), stride, threads }
      this.#scratch = known
    }
    return { base: known.region.address, stride: known.stride }
  }
}

function own(storage: Storage): X64Storage {
  if (storage instanceof X64Storage) return storage
  throw new Error(`storage of the device ${storage.device.name} was given to the device x64`)
}

let device: X64Device | string | null = null
let threads: number | null = null

/** The device, made at first use; a sentence for people where it cannot be used here. */
export function x64Device(): X64Device | string {
  device ??= open()
  return device
}

function open(): X64Device | string {
  const door = native()
  if (typeof door === 'string') return door
  try {
    const processor = cpu()
    const missing = lacking(processor)
    if (missing) return missing
    const setting = process.env.DESCENT_X64
    if (setting && setting !== 'avx2') {
      return `The variable DESCENT_X64 is '${setting}', which means nothing: 'avx2' keeps the device x64 from using AVX-512, 'off' turns it off.`
    }
    const opened = new X64Device(processor.features.avx512 && setting !== 'avx2', threads ?? processor.threads)
    const wrong = startCheck(opened)
    if (wrong === null) return opened
    return `The device x64 computes wrong on this ${processor.brand}: ${wrong}. Please report it with what 'npm run doctor' prints.`
  } catch (error) {
    return `The device x64 cannot be used: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** How many threads may run a plan, this one included. Results do not depend on it. */
export function setThreads(count: number): void {
  threads = count
  if (device instanceof X64Device) device.pool.setThreads(count)
}
