/**
 * A plan made ready to run: one WebAssembly module with a function for each kernel and the schedule that calls them.
 * What the module finds at fixed addresses (the error record, tables of addresses, the schedule) lies in blocks of
 * linear memory that are released with the runner.
 */
import { failedCheck } from '../../errors.ts'
import { inspection } from '../../inspection.ts'
import type { Plan } from '../../kernel/kernel.ts'
import { turnsOf } from '../../kernel/turns.ts'
import type { Runner, Storage } from '../device.ts'
import { type BindLayout, layoutBinds } from '../vector/bind.ts'
import { emitKernel } from '../vector/emit-kernel.ts'
import { chunksOf, type EmittedKernel } from '../vector/target.ts'
import type { WasmDevice } from './device.ts'
import { ModuleBuilder } from './encode.ts'
import { features } from './features.ts'
import type { LinearMemory } from './memory.ts'
import { addToTable, emitSchedule, layoutSchedule, type Schedule } from './schedule.ts'
import type { WasmStorage } from './storage.ts'
import { wasmTarget } from './target.ts'
import type { PlanExports, ThreadPool } from './threads.ts'

/** Two words: the failed check's id + 1 (0: none), and the value that it saw. */
const ERROR_WORDS = 2

export class WasmRunner implements Runner {
  readonly #device: WasmDevice
  readonly #plan: Plan
  readonly #kernels: readonly EmittedKernel[]
  readonly #module: ModuleBuilder
  readonly #exports: PlanExports
  readonly #layout: BindLayout
  readonly #schedule: Schedule
  readonly #scratchBytes: number
  readonly #errorAddress: number
  readonly #bindAddress: number
  readonly #scheduleAddress: number
  /** The plan's number in the pool of threads; 0 where one thread does all. */
  readonly #poolNumber: number
  /** The addresses that stand in the tables now. */
  readonly #addresses: number[]
  #workspace = -1

  constructor(device: WasmDevice, plan: Plan) {
    const { memory, pool } = device
    const owned: number[] = []
    const place = (values: Int32Array | Float32Array): number => {
      const address = memory.place(values)
      owned.push(address)
      return address
    }
    this.#device = device
    this.#plan = plan
    this.#errorAddress = place(new Int32Array(ERROR_WORDS))

    const module = new ModuleBuilder()
    this.#module = module
    module.importMemory('env', 'memory', 1, memory.maximumPages, memory.shared)
    const { relaxedSimd } = features()
    const target = wasmTarget(module, { relaxedSimd, errorAddress: this.#errorAddress })
    this.#kernels = plan.kernels.map((kernel) => emitKernel(kernel, target))
    this.#scratchBytes = Math.max(0, ...this.#kernels.map((kernel) => kernel.scratchBytes))
    addToTable(module, this.#kernels)
    emitSchedule(module, this.#errorAddress)

    const tables = this.#kernels.map((kernel) => (kernel.tables ? place(kernel.tables) : 0))
    this.#layout = layoutBinds(plan, this.#kernels, tables, place)
    this.#addresses = this.#layout.arguments.map(() => -1)
    this.#bindAddress = place(Int32Array.from(this.#layout.words))
    let launch = 0
    const bound = turnsOf(plan).map(({ step, iteration }) =>
      step.map(({ kernel, size }) => {
        const { phases, work } = this.#kernels[kernel] as EmittedKernel
        return {
          phases: phases.map((phase) => ({ body: phase.body, chunks: chunksOf(phase, size, iteration) })),
          work: work(size),
          bind: this.#bindAddress + 4 * (this.#layout.starts[launch++] as number),
        }
      }),
    )
    this.#schedule = layoutSchedule(bound, (f) => module.slot(f))
    this.#scheduleAddress = place(this.#schedule.words)

    const compiled = new WebAssembly.Module(module.build())
    const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
    this.#exports = instance.exports as unknown as PlanExports
    this.#poolNumber = this.#schedule.parallel && pool.threads > 1 ? pool.add(compiled) : 0
    released.register(this, { memory, addresses: owned, pool, poolNumber: this.#poolNumber })
  }

  run(args: readonly Storage[]): void {
    const device = this.#device
    const workspace = device.workspace(this.#layout.workspaceBytes)
    const scratch = device.scratch(this.#scratchBytes)
    const storages = args as readonly WasmStorage[]
    this.#settle(storages)
    this.#bind(storages, workspace)
    const failed =
      this.#poolNumber === 0
        ? this.#exports.runSolo(this.#scheduleAddress, scratch.base) !== 0
        : device.pool.run(this.#poolNumber, this.#exports, this.#scheduleAddress, this.#schedule.counters, scratch)
    if (failed) this.#throwFailedCheck()
    for (const { position, writes, offset } of this.#layout.arguments) {
      if (writes) storages[position]?.copyOut(workspace + offset)
    }
  }

  /** Moves storages that stay into linear memory: before any view is made, for that may grow it. */
  #settle(storages: readonly WasmStorage[]): void {
    for (const { position, resident, writes } of this.#layout.arguments) {
      const storage = storages[position] as WasmStorage
      if (storage.address !== 0) continue
      if (resident) storage.settle()
      else if (!writes) storage.noteRun()
    }
  }

  /** Writes the addresses that have changed, and copies arguments into the workspace. */
  #bind(storages: readonly WasmStorage[], workspace: number): void {
    const words = new Int32Array(this.#device.memory.memory.buffer, this.#bindAddress)
    if (workspace !== this.#workspace) {
      for (const { word, offset } of this.#layout.relative) words[word] = workspace + offset
      this.#workspace = workspace
    }
    const { arguments: places } = this.#layout
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as (typeof places)[number]
      const storage = storages[place.position] as WasmStorage
      const address = storage.address !== 0 ? storage.address : workspace + place.offset
      if (address !== this.#addresses[i]) {
        for (const { word, offset } of place.words) words[word] = address + offset
        this.#addresses[i] = address
      }
      if (place.reads) storage.copyIn(address)
    }
  }

  #throwFailedCheck(): never {
    const words = new Int32Array(this.#device.memory.memory.buffer, this.#errorAddress, ERROR_WORDS)
    const [id, value] = [...words] as [number, number]
    words.fill(0)
    const check = this.#plan.checks[id - 1]
    if (!check) throw new Error(`a check without a name failed: ${id}`)
    throw failedCheck(check, value)
  }

  listing(): string {
    return inspection('listing').listModule(this.#plan, this.#kernels, this.#module)
  }
}

interface Owned {
  readonly memory: LinearMemory
  readonly addresses: readonly number[]
  readonly pool: ThreadPool
  readonly poolNumber: number
}
const released = new FinalizationRegistry<Owned>(({ memory, addresses, pool, poolNumber }) => {
  // A worker that came late may still be walking its tables.
  pool.settle()
  if (poolNumber !== 0) pool.drop(poolNumber)
  for (const address of addresses) memory.release(address)
})
