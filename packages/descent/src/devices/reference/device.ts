/**
 * The device `reference`: interprets kernels in plain TypeScript and double precision. It is the meaning of every
 * kernel and the tests' oracle, so it also throws wherever a kernel breaks the rules of the kernel form. f32 values
 * are kept as doubles; a plan's own memory is filled with NaN before every run, so that nothing reads what it has
 * not written.
 */
import type { DType } from '../../dtype.ts'
import { failedCheck } from '../../errors.ts'
import type { Launch, Plan, PlanBuffer } from '../../kernel/kernel.ts'
import { printPlan } from '../../kernel/print.ts'
import { startOf, turnsOf } from '../../kernel/turns.ts'
import type { Device, Runner, Storage } from '../device.ts'
import type { Binding, Elements } from './expression.ts'
import { compileKernel } from './program.ts'

export class ReferenceStorage implements Storage {
  readonly device: Device
  readonly dtype: DType
  readonly data: Elements

  constructor(device: Device, dtype: DType, data: Elements) {
    this.device = device
    this.dtype = dtype
    this.data = data
  }

  get length(): number {
    return this.data.length
  }
}

let device: Device | undefined

export function referenceDevice(): Device {
  device ??= createDevice()
  return device
}

function createDevice(): Device {
  const self: Device = {
    name: 'reference',
    allocate: (dtype, length) => new ReferenceStorage(self, dtype, newElements(dtype, length)),
    adopt: (dtype, values) =>
      new ReferenceStorage(self, dtype, dtype === 'f32' ? Float64Array.from(values) : Int32Array.from(values)),
    read: (storage, start, length) => slice(storage, start, length).slice(),
    write(storage, start, values) {
      const target = slice(storage, start, values.length)
      for (let i = 0; i < target.length; i++) target[i] = values[i] as number
    },
    prepare: (plan) => new ReferenceRunner(plan),
  }
  return self
}

function newElements(dtype: DType, length: number): Elements {
  return dtype === 'f32' ? new Float64Array(length) : new Int32Array(length)
}

function dataOf(storage: Storage): Elements {
  if (storage instanceof ReferenceStorage) return storage.data
  throw new Error(`reference device: a storage of the device ${storage.device.name}`)
}

function slice(storage: Storage, start: number, length: number): Elements {
  const data = dataOf(storage)
  if (start < 0 || length < 0 || start + length > data.length) {
    throw new RangeError(`elements ${start} to ${start + length} lie outside of a storage of ${data.length}`)
  }
  return data.subarray(start, start + length)
}

/** For memory that a kernel writes: who wrote each element last (see `Frame.row`). */
const writersOf = new WeakMap<Elements, Float64Array>()

function writersFor(data: Elements): Float64Array {
  let writers = writersOf.get(data)
  if (!writers) {
    writers = new Float64Array(data.length)
    writersOf.set(data, writers)
  }
  return writers
}

class ReferenceRunner implements Runner {
  readonly #plan: Plan
  readonly #programs: readonly ReturnType<typeof compileKernel>[]
  /** The memory of each buffer that is not an argument. */
  readonly #own: readonly (Elements | null)[]

  constructor(plan: Plan) {
    this.#plan = plan
    this.#programs = plan.kernels.map((kernel, i) => compileKernel(kernel, `kernel ${i} (${kernel.kind})`))
    this.#own = plan.buffers.map(ownMemory)
    for (const { step, iteration } of turnsOf(plan)) for (const launch of step) checkLaunch(plan, launch, iteration)
  }

  run(args: readonly Storage[]): void {
    const plan = this.#plan
    const data = plan.buffers.map((buffer, i) => this.#own[i] ?? argument(buffer, i, args))
    for (const [i, buffer] of plan.buffers.entries()) {
      if (buffer.place.kind === 'arena') data[i]?.fill(buffer.dtype === 'f32' ? Number.NaN : 0x7fc0dead)
    }
    for (const { step, iteration } of turnsOf(plan)) {
      let failure: { readonly id: number; readonly value: number } | null = null
      for (const launch of step) failure ??= this.#launch(launch, data, iteration)
      if (failure) {
        const check = plan.checks[failure.id]
        if (!check) throw new Error(`reference device: check ${failure.id} failed, which the plan does not list`)
        throw failedCheck(check, failure.value)
      }
    }
  }

  listing(): string {
    return printPlan(this.#plan)
  }

  #launch(
    launch: Launch,
    data: readonly Elements[],
    iteration: number,
  ): { readonly id: number; readonly value: number } | null {
    const program = this.#programs[launch.kernel] as ReturnType<typeof compileKernel>
    const uses = program.frame.uses
    const written = new Set<Elements>()
    for (const [i, use] of uses.entries()) {
      if (use.access !== 'read') written.add(data[launch.buffers[i] as number] as Elements)
    }
    program.frame.bindings = launch.buffers.map((b, i): Binding => {
      const elements = data[b] as Elements
      const writers = written.has(elements) ? writersFor(elements) : null
      const part = launch.parts?.[i]
      if (!part) return { data: elements, length: (this.#plan.buffers[b] as PlanBuffer).length, writers }
      const start = startOf(part, iteration)
      const end = start + part.length
      return {
        data: elements.subarray(start, end),
        length: part.length,
        writers: writers?.subarray(start, end) ?? null,
      }
    })
    program.run(launch.size)
    program.frame.bindings = []
    return program.frame.failure
  }
}

function ownMemory(buffer: PlanBuffer): Elements | null {
  switch (buffer.place.kind) {
    case 'argument':
      return null
    case 'arena':
      return newElements(buffer.dtype, buffer.length)
    case 'constant': {
      const { values } = buffer.place
      return buffer.dtype === 'f32' ? Float64Array.from(values) : Int32Array.from(values)
    }
  }
}

function argument(buffer: PlanBuffer, i: number, args: readonly Storage[]): Elements {
  const position = buffer.place.kind === 'argument' ? buffer.place.position : -1
  const storage = args[position]
  if (!storage) throw new Error(`reference device: argument ${position} of the plan is missing`)
  const data = dataOf(storage)
  if (data instanceof Float64Array !== (buffer.dtype === 'f32')) {
    throw new Error(`reference device: buffer ${i} is ${buffer.dtype}, but argument ${position} is ${storage.dtype}`)
  }
  if (data.length < buffer.length) {
    throw new Error(
      `reference device: buffer ${i} has ${buffer.length} elements, but argument ${position} only ${data.length}`,
    )
  }
  return data
}

function checkLaunch(plan: Plan, launch: Launch, iteration: number): void {
  const kernel = plan.kernels[launch.kernel]
  if (!kernel) throw new Error(`reference device: the plan has no kernel ${launch.kernel}`)
  const where = `reference device: a launch of kernel ${launch.kernel} (${kernel.kind})`
  if (launch.buffers.length !== kernel.buffers.length) {
    throw new Error(`${where} binds ${launch.buffers.length} buffers instead of ${kernel.buffers.length}`)
  }
  for (const [i, use] of kernel.buffers.entries()) {
    const buffer = plan.buffers[launch.buffers[i] as number]
    if (!buffer) throw new Error(`${where} binds buffer ${launch.buffers[i]}, which the plan does not have`)
    if (buffer.dtype !== use.dtype) throw new Error(`${where} binds a buffer of ${buffer.dtype} to b${i}: ${use.dtype}`)
    const flat = kernel.kind === 'loops' && kernel.flat
    const part = launch.parts?.[i]
    const length = part?.length ?? buffer.length
    const start = startOf(part, iteration)
    if (start < 0 || start + length > buffer.length) {
      throw new Error(`${where} binds ${length} elements from ${start} on of a buffer of ${buffer.length} to b${i}`)
    }
    if (!flat && length !== use.length) {
      throw new Error(`${where} binds a buffer of ${length} elements to b${i} of ${use.length}`)
    }
    if (use.access === 'read') continue
    if (buffer.place.kind === 'constant') throw new Error(`${where} writes a constant`)
    if (buffer.place.kind === 'argument' && buffer.place.access === 'read') {
      throw new Error(`${where} writes argument ${buffer.place.position}, which the plan says it only reads`)
    }
  }
}
