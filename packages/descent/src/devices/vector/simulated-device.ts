/** A device that runs what the emitters write on the simulated machine, with any number of lanes: for tests. */
import type { DType } from '../../dtype.ts'
import { IndexError } from '../../errors.ts'
import type { Plan } from '../../kernel/kernel.ts'
import { turnsOf } from '../../kernel/turns.ts'
import type { Device, Runner, Storage } from '../device.ts'
import { layoutBinds } from './bind.ts'
import { emitKernel } from './emit-kernel.ts'
import { SimulatedCode } from './simulated-code.ts'
import { simulatedGemm } from './simulated-gemm.ts'
import { SimulatedMemory } from './simulated-memory.ts'
import { chunksOf, type EmittedKernel, type Target } from './target.ts'

type SimulatedMachine = Omit<Target, 'newFunction' | 'gemm'>

interface SimulatedStorage extends Storage {
  readonly values: Float32Array | Int32Array
}

export function simulatedDevice(options: SimulatedMachine): Device {
  const adopt = (dtype: DType, values: Float32Array | Int32Array): SimulatedStorage => ({
    device: self,
    dtype,
    length: values.length,
    values,
  })
  const valuesOf = (storage: Storage) => (storage as SimulatedStorage).values
  const self: Device = {
    name: 'reference',
    allocate: (dtype, length) => adopt(dtype, dtype === 'f32' ? new Float32Array(length) : new Int32Array(length)),
    adopt,
    read: (storage, start, length) => valuesOf(storage).slice(start, start + length),
    write: (storage, start, values) => valuesOf(storage).set(values, start),
    prepare: (plan) => new SimulatedRunner(plan, options),
  }
  return self
}

class SimulatedRunner implements Runner {
  private readonly plan: Plan
  private readonly memory: SimulatedMemory
  private readonly functions: SimulatedCode[] = []
  private readonly kernels: readonly EmittedKernel[]
  private readonly errorAddress: number

  constructor(plan: Plan, options: SimulatedMachine) {
    this.plan = plan
    this.memory = new SimulatedMemory(options.scaledAddresses)
    this.errorAddress = this.memory.allocate(2)
    const newFunction: Target['newFunction'] = (parameters) => {
      const code = new SimulatedCode(this.functions, parameters, options.lanes, this.memory, this.errorAddress)
      this.functions.push(code)
      return code
    }
    const target: Target = { ...options, newFunction, gemm: simulatedGemm(options.lanes, newFunction) }
    this.kernels = plan.kernels.map((kernel) => emitKernel(kernel, target))
  }

  run(args: readonly Storage[]): void {
    const { plan, memory, kernels } = this
    const place = (values: Float32Array | Int32Array, writable = false): number => {
      const address = memory.allocate(values.length, writable)
      new Uint8Array(memory.view.buffer, address).set(
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      )
      return address
    }
    const tables = kernels.map(({ tables }) => (tables ? place(tables) : 0))
    const layout = layoutBinds(plan, kernels, tables, (values) => place(values))
    const words = [...layout.words]
    const workspace = place(new Float32Array(layout.workspaceBytes / 4).fill(NaN), true)
    for (const { word, offset } of layout.relative) words[word] = workspace + offset
    const places = layout.arguments.map(({ position, writes, words: own }) => {
      const { values } = args[position] as SimulatedStorage
      const address = place(values, writes)
      for (const { word, offset } of own) words[word] = address + offset
      return { values, address }
    })
    const bind = place(Int32Array.from(words))
    let next = 0
    for (const { step, iteration } of turnsOf(plan)) {
      for (const { kernel, size } of step) {
        this.launch(kernels[kernel] as EmittedKernel, size, iteration, bind + 4 * (layout.starts[next++] as number))
      }
      this.throwFailedCheck()
    }
    for (const { values, address } of places) {
      const bytes = new Uint8Array(memory.view.buffer, address, values.byteLength)
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes)
    }
  }

  /** The last chunks first, for their order must not matter. */
  private launch({ phases, scratchBytes }: EmittedKernel, size: number | null, iteration: number, bind: number): void {
    const scratch = this.memory.allocate(scratchBytes / 4)
    for (const phase of phases) {
      const body = this.functions[phase.body.index] as SimulatedCode
      const count = chunksOf(phase, size, iteration)
      const middle = Math.floor(count / 2)
      if (middle < count) body.run([middle, count, bind, scratch])
      if (middle > 0) body.run([0, middle, bind, scratch])
    }
  }

  private throwFailedCheck(): void {
    const id = this.memory.read(this.errorAddress)
    if (id === 0) return
    const value = this.memory.read(this.errorAddress, 4)
    this.memory.write(this.errorAddress, 0, 0)
    const { label, size } = this.plan.checks[id - 1] as Plan['checks'][number]
    throw new IndexError(label, value, size)
  }

  listing(): string {
    return ''
  }
}
