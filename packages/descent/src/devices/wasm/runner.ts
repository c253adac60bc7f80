/**
 * A plan made ready to run: one WebAssembly module with a function for each kernel and the schedule that calls them.
 *
 * The runner's block of linear memory holds the error record, each launch's table of addresses, and the schedule.
 * Intermediate values and copies of arguments lie in the device's workspace, which plans share; where the workspace or
 * an argument has moved, its addresses are written anew before the run.
 */
import { IndexError } from '../../errors.ts'
import type { Check, Plan, PlanBuffer } from '../../kernel/kernel.ts'
import type { Runner, Storage } from '../device.ts'
import type { WasmDevice } from './device.ts'
import type { EmittedKernel, Target } from './emit.ts'
import { emitKernel } from './emit-kernel.ts'
import { ModuleBuilder } from './encode.ts'
import { features } from './features.ts'
import { listModule } from './listing.ts'
import type { LinearMemory } from './memory.ts'
import { addToTable, type BoundLaunch, emitSchedule, layoutSchedule, type Schedule } from './schedule.ts'
import type { WasmStorage } from './storage.ts'
import type { PlanExports, ThreadPool } from './threads.ts'

/** A buffer whose address may change between runs, and the words that hold it. */
interface Address {
  readonly words: number[]
  now: number
}

interface Argument extends Address {
  readonly position: number
  readonly reads: boolean
  readonly writes: boolean
  readonly resident: boolean
  /** Where its copy lies in the workspace. */
  readonly offset: number
}

const ERROR_BYTES = 64

export class WasmRunner implements Runner {
  readonly #device: WasmDevice
  readonly #checks: readonly Check[]
  readonly #exports: PlanExports
  readonly #plan: Plan
  readonly #kernels: readonly EmittedKernel[]
  readonly #block: number
  readonly #table: number
  readonly #schedule: Schedule
  readonly #poolId: number
  readonly #scratchBytes: number
  readonly #workspaceBytes: number
  readonly #arguments: Argument[] = []
  /** Words that hold an offset into the workspace. */
  readonly #relative: { readonly word: number; readonly offset: number }[] = []
  #workspace = -1

  constructor(device: WasmDevice, plan: Plan) {
    this.#device = device
    this.#plan = plan
    this.#checks = plan.checks
    const { memory } = device
    const launches = plan.steps.flat()

    const module = new ModuleBuilder()
    module.importMemory('env', 'memory', 1, memory.maximumPages, memory.shared)
    const errorAddress = memory.allocate(ERROR_BYTES)
    const target: Target = { module, relaxedSimd: features().relaxedSimd, errorAddress }
    this.#kernels = plan.kernels.map((kernel) => emitKernel(kernel, target))
    addToTable(module, this.#kernels)
    emitSchedule(target)

    const owned = [errorAddress]
    const place = (values: Int32Array | Float32Array): number => {
      const address = memory.allocate(values.byteLength)
      owned.push(address)
      const { buffer } = memory.memory
      if (values instanceof Float32Array) new Float32Array(buffer, address, values.length).set(values)
      else new Int32Array(buffer, address, values.length).set(values)
      return address
    }
    place0(memory, errorAddress)
    const tables = this.#kernels.map((kernel) => (kernel.tables ? place(kernel.tables) : 0))

    // Each launch's table of addresses, one after the other.
    const kernelOf = (launch: Plan['steps'][number][number]): EmittedKernel =>
      this.#kernels[launch.kernel] as EmittedKernel
    const starts: number[] = []
    let words = 0
    for (const launch of launches) {
      starts.push(words)
      words += Math.ceil((launch.buffers.length + 3) / 4) * 4
    }
    const binds = new Int32Array(words)
    const bindAddress = memory.allocate(words * 4)
    owned.push(bindAddress)
    const bound = new Map<Plan['steps'][number][number], BoundLaunch>()
    const uses = new Map<number, number[]>()
    let shared = 0
    let sharedMost = 0
    const sharedWords: { word: number; offset: number }[] = []
    let l = 0
    for (const step of plan.steps) {
      shared = 0
      for (const launch of step) {
        const kernel = kernelOf(launch)
        let word = starts[l] as number
        bound.set(launch, { kernel, bind: bindAddress + word * 4, size: launch.size })
        for (const buffer of launch.buffers) {
          const list = uses.get(buffer)
          if (list) list.push(word)
          else uses.set(buffer, [word])
          word++
        }
        if (launch.size !== null) binds[word++] = launch.size
        if (kernel.sharedBytes > 0) {
          sharedWords.push({ word: word++, offset: shared })
          shared += Math.ceil(kernel.sharedBytes / 64) * 64 + 64
        }
        if (kernel.tables) binds[word++] = tables[launch.kernel] as number
        l++
      }
      sharedMost = Math.max(sharedMost, shared)
    }

    let bytes = Math.ceil(plan.arenaBytes / 64) * 64
    for (const { word, offset } of sharedWords) this.#relative.push({ word, offset: bytes + 64 + offset })
    bytes += sharedMost > 0 ? sharedMost + 128 : 0
    plan.buffers.forEach((buffer, number) => {
      const own = uses.get(number) ?? []
      switch (buffer.place.kind) {
        case 'arena':
          for (const word of own) this.#relative.push({ word, offset: buffer.place.offset })
          break
        case 'constant': {
          const address = place(buffer.place.values)
          for (const word of own) binds[word] = address
          break
        }
        case 'argument':
          bytes += 64
          this.#arguments.push(argument(buffer, buffer.place, own, bytes))
          if (!buffer.place.resident) bytes += Math.ceil((buffer.length * 4 + 64) / 64) * 64
          break
      }
    })
    this.#workspaceBytes = bytes + 64
    this.#block = bindAddress
    this.#scratchBytes = Math.max(0, ...this.#kernels.map((kernel) => kernel.scratchBytes))
    new Int32Array(memory.memory.buffer, bindAddress, words).set(binds)

    this.#schedule = layoutSchedule(
      plan.steps.map((step) => step.map((launch) => bound.get(launch) as BoundLaunch)),
      (f) => module.slot(f),
    )
    this.#table = place(this.#schedule.words)
    const compiled = new WebAssembly.Module(module.build())
    const instance = new WebAssembly.Instance(compiled, { env: { memory: memory.memory } })
    this.#exports = instance.exports as unknown as PlanExports
    this.#poolId = this.#schedule.parallel && device.pool.threads > 1 ? device.pool.add(compiled) : 0
    blocks.register(this, { memory, addresses: owned, pool: device.pool, plan: this.#poolId })
    this.#errorAddress = errorAddress
  }

  readonly #errorAddress: number

  run(args: readonly Storage[]): void {
    const device = this.#device
    const workspace = device.workspace(this.#workspaceBytes)
    const scratch = device.scratch(this.#scratchBytes)
    for (const argument of this.#arguments) {
      const storage = args[argument.position] as WasmStorage
      if (storage.address !== 0) continue
      if (argument.resident) storage.settle()
      else if (argument.reads && !argument.writes) storage.noteRun()
    }
    const { buffer } = device.memory.memory
    const words = new Int32Array(buffer, this.#block)
    if (workspace !== this.#workspace) {
      for (const { word, offset } of this.#relative) words[word] = workspace + offset
      this.#workspace = workspace
    }
    for (const argument of this.#arguments) {
      const storage = args[argument.position] as WasmStorage
      const address = storage.address !== 0 ? storage.address : workspace + argument.offset
      if (address !== argument.now) {
        for (const word of argument.words) words[word] = address
        argument.now = address
      }
      if (storage.address === 0 && argument.reads) copyIn(buffer, address, storage)
    }
    const failed =
      this.#poolId !== 0
        ? device.pool.run(this.#poolId, this.#exports, this.#table, this.#schedule.counters, scratch)
        : this.#exports.runSolo(this.#table, scratch.base) !== 0
    if (failed) this.#throwFailedCheck()
    for (const argument of this.#arguments) {
      if (!argument.writes) continue
      const storage = args[argument.position] as WasmStorage
      if (storage.address === 0) copyOut(buffer, argument.now, storage)
    }
  }

  #throwFailedCheck(): never {
    const words = new Int32Array(this.#device.memory.memory.buffer, this.#errorAddress, 2)
    const [id, value] = words as unknown as [number, number]
    words.fill(0)
    const check = this.#checks[id - 1]
    if (!check) throw new Error(`a check without a name failed: ${id}`)
    throw new IndexError(check.label, value, check.size)
  }

  listing(): string {
    return listModule(this.#plan, this.#kernels)
  }
}

function argument(
  buffer: PlanBuffer,
  place: Extract<PlanBuffer['place'], { kind: 'argument' }>,
  words: number[],
  offset: number,
): Argument {
  void buffer
  return {
    words,
    now: -1,
    position: place.position,
    reads: place.access !== 'write',
    writes: place.access !== 'read',
    resident: place.resident,
    offset,
  }
}

function place0(memory: LinearMemory, address: number): void {
  new Uint8Array(memory.memory.buffer, address, ERROR_BYTES).fill(0)
}

function copyIn(buffer: ArrayBufferLike, address: number, storage: WasmStorage): void {
  const values = storage.view()
  if (values instanceof Float32Array) new Float32Array(buffer, address, values.length).set(values)
  else new Int32Array(buffer, address, values.length).set(values)
}

function copyOut(buffer: ArrayBufferLike, address: number, storage: WasmStorage): void {
  const values = storage.view()
  if (values instanceof Float32Array) values.set(new Float32Array(buffer, address, values.length))
  else values.set(new Int32Array(buffer, address, values.length))
}

interface Owned {
  readonly memory: LinearMemory
  readonly addresses: readonly number[]
  readonly pool: ThreadPool
  readonly plan: number
}
const blocks = new FinalizationRegistry<Owned>(({ memory, addresses, pool, plan }) => {
  if (plan !== 0) pool.drop(plan)
  for (const address of addresses) memory.release(address)
})
