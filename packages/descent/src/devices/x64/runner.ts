/**
 * A plan made ready to run on x64: its kernels' machine code in executable memory, and, in one block of memory outside of
 * JavaScript's heap, all that the code finds at fixed addresses: tables of addresses, constants, the schedule. Both are given
 * back with the runner.
 */
import { failedCheck } from '../../errors.ts'
import type { Plan } from '../../kernel/kernel.ts'
import { printKernel } from '../../kernel/print.ts'
import { turnsOf } from '../../kernel/turns.ts'
import type { Runner, Storage } from '../device.ts'
import { type BindLayout, layoutBinds, type WorkspaceRules } from '../vector/bind.ts'
import { chunksOf, type EmittedKernel } from '../vector/target.ts'
import type { X64Device } from './device.ts'
import { type ExecutableBlock, place } from './native/executable.ts'
import { type Region, reserve } from './native/region.ts'
import { type BoundLaunch, layoutSchedule } from './native/schedule.ts'
import { X64Program } from './program.ts'
import type { X64Storage } from './storage.ts'

const wordBytes = 8
/** Code reads and writes nothing but what it was asked for, and arguments where they are. */
const rules: WorkspaceRules = { gap: 0, copiesArguments: false }
const alignment = 64
const roundUp = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

export class X64Runner implements Runner {
  readonly #device: X64Device
  readonly #plan: Plan
  readonly #layout: BindLayout
  readonly #scratchBytes: number
  readonly #parallel: boolean
  readonly #table: number
  /** The tables of addresses, in words of 32 bits: the low half of an address first. */
  readonly #binds: Uint32Array
  /** The addresses that stand in the tables now. */
  readonly #addresses: number[]
  #workspace = -1

  constructor(device: X64Device, plan: Plan) {
    this.#device = device
    this.#plan = plan
    const { program, kernels } = emitPlan(device, plan)
    const machineCode = program.assemble()
    const code = place(machineCode.bytes)
    this.#scratchBytes = Math.max(0, ...kernels.map((kernel) => kernel.scratchBytes))

    // Constants and tables get offsets in a block whose address is known at last.
    const data: { at: number; values: Int32Array | Float32Array }[] = []
    let bytes = 0
    const keep = (values: Int32Array | Float32Array): number => {
      const at = bytes
      data.push({ at, values })
      bytes += roundUp(values.byteLength)
      return at
    }
    const tables = kernels.map((kernel) => (kernel.tables ? keep(kernel.tables) : 0))
    for (const { place } of plan.buffers) if (place.kind === 'constant') keep(place.values)
    const bindsAt = bytes
    this.#layout = layoutBinds(plan, kernels, tables, () => 0, rules)
    const scheduleAt = roundUp(bindsAt + this.#layout.words.length * wordBytes)

    const launchesAt = (base: number): BoundLaunch[][] => {
      let launch = 0
      return turnsOf(plan).map(({ step, iteration }) =>
        step.map(({ kernel, size }) => {
          const emitted = kernels[kernel] as EmittedKernel
          return {
            phases: emitted.phases.map((phase) => ({
              address: code.address + machineCode.offsetOf(phase.body.index),
              chunks: chunksOf(phase, size, iteration),
            })),
            work: emitted.work(size),
            bind: base + bindsAt + wordBytes * (this.#layout.starts[launch++] as number),
          }
        }),
      )
    }
    const { parallel, table } = layoutSchedule(launchesAt(0), device.errors)
    this.#parallel = parallel
    const region = reserve(scheduleAt + table.byteLength)
    const { address } = region
    let constant = kernels.filter((kernel) => kernel.tables).length
    this.#layout = layoutBinds(
      plan,
      kernels,
      tables.map((at) => address + at),
      () => address + (data[constant++]?.at as number),
      rules,
    )
    const memory = region.view()
    for (const { at, values } of data) new Int32Array(memory, at, values.length).set(asWords(values))
    this.#binds = new Uint32Array(memory, bindsAt, (scheduleAt - bindsAt) / 4)
    for (const [word, value] of this.#layout.words.entries()) this.#setWord(word, value)
    this.#table = address + scheduleAt
    new Uint8Array(memory, scheduleAt, table.byteLength).set(layoutSchedule(launchesAt(address), device.errors).table)
    this.#addresses = this.#layout.arguments.map(() => -1)
    released.register(this, { device, code, region })
  }

  run(args: readonly Storage[]): void {
    const device = this.#device
    const workspace = device.workspace(this.#layout.workspaceBytes)
    const scratch = device.scratch(this.#scratchBytes)
    this.#bind(args as readonly X64Storage[], workspace)
    const failed = this.#parallel
      ? device.pool.run(this.#table, scratch)
      : device.pool.runSolo(this.#table, scratch.base)
    if (failed) this.#throwFailedCheck()
  }

  /** Writes the addresses that have changed. */
  #bind(storages: readonly X64Storage[], workspace: number): void {
    if (workspace !== this.#workspace) {
      for (const { word, offset } of this.#layout.relative) this.#setWord(word, workspace + offset)
      this.#workspace = workspace
    }
    const { arguments: places } = this.#layout
    for (let i = 0; i < places.length; i++) {
      const { position, words } = places[i] as (typeof places)[number]
      const storage = storages[position] as X64Storage
      storage.check()
      if (storage.address === this.#addresses[i]) continue
      for (const { word, offset } of words) this.#setWord(word, storage.address + offset)
      this.#addresses[i] = storage.address
    }
  }
  #setWord(word: number, value: number): void {
    this.#binds[2 * word] = value % 2 ** 32
    this.#binds[2 * word + 1] = value / 2 ** 32
  }

  #throwFailedCheck(): never {
    const [id, value] = this.#device.takeError()
    const check = this.#plan.checks[id - 1]
    if (!check) throw new Error(`a check without a name failed: ${id}`)
    throw failedCheck(check, value)
  }

  listing(): string {
    const { program, kernels } = emitPlan(this.#device, this.#plan)
    const functions = kernels.map((kernel) => kernel.phases.map((phase) => `function ${phase.body.index}`).join(', '))
    const titles = kernels.map(
      (_, i) =>
        `kernel ${i}: ${printKernel(this.#plan.kernels[i] as Plan['kernels'][number])}\nphases: ${functions[i]}`,
    )
    return [...titles, program.assemble(true).listing.join('\n')].join('\n\n')
  }
}

function emitPlan(device: X64Device, plan: Plan): { program: X64Program; kernels: EmittedKernel[] } {
  const program = new X64Program(device.wide, device.errors, device.machine, device.l2Bytes, device.streamBytes)
  return { program, kernels: plan.kernels.map((kernel) => program.emit(kernel)) }
}

function asWords(values: Int32Array | Float32Array): Int32Array {
  return values instanceof Int32Array ? values : new Int32Array(values.buffer, values.byteOffset, values.length)
}

interface Owned {
  readonly device: X64Device
  readonly code: ExecutableBlock
  readonly region: Region
}
const released = new FinalizationRegistry<Owned>(({ device, code, region }) => {
  device.pool.settle()
  code.release()
  region.release()
})
