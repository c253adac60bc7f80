/**
 * A plan as a WebAssembly module that needs nothing: memory of its own, in which tables, schedule and the values of
 * all that the plan read from outside lie from the start; `run` runs it on one thread. Where a caller finds inputs,
 * outputs and the error record stands as JSON in the custom section `descent` (see io/program.ts).
 */
import { type DType, type Shape, sizeOf } from '../../dtype.ts'
import type { Manifest, Port } from '../../io/program.ts'
import type { Plan } from '../../kernel/kernel.ts'
import { turnsOf } from '../../kernel/turns.ts'
import { layoutBinds } from '../vector/bind.ts'
import { emitKernel } from '../vector/emit-kernel.ts'
import { chunksOf, type EmittedKernel } from '../vector/target.ts'
import { ModuleBuilder } from './encode.ts'
import { addToTable, emitSchedule, layoutSchedule } from './schedule.ts'
import { wasmTarget } from './target.ts'

/** What stands at the argument positions of a plan. */
export interface ProgramArguments {
  /** By position: values that the file carries. */
  readonly carried: readonly (Float32Array | Int32Array | undefined)[]
  /** `position` null: the program does not read it. */
  readonly inputs: readonly Placed[]
  readonly outputs: readonly Placed[]
  /** Whether the engines that run it have relaxed SIMD. */
  readonly relaxedSimd: boolean
}

interface Placed {
  readonly shape: Shape
  readonly dtype: DType
  readonly position: number | null
}

const ALIGNMENT = 64
const PAGE = 65536

export function writeProgram(
  plan: Plan,
  { carried, inputs, outputs, relaxedSimd }: ProgramArguments,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder()
  let end = ALIGNMENT
  // As the device's memory: every block may be read for a little on either side.
  const reserve = (bytes: number): number => {
    const address = end
    end += Math.ceil((bytes + 2 * ALIGNMENT) / ALIGNMENT) * ALIGNMENT
    return address
  }
  const place = (values: Int32Array | Float32Array): number => {
    const address = reserve(values.byteLength)
    module.data(address, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    return address
  }
  const errorAddress = reserve(8)
  const target = wasmTarget(module, { relaxedSimd, errorAddress })
  const kernels = plan.kernels.map((kernel) => emitKernel(kernel, target))
  addToTable(module, kernels)
  emitSchedule(module, errorAddress)

  const tables = kernels.map(({ tables: table }) => (table ? place(table) : 0))
  const layout = layoutBinds(plan, kernels, tables, place, { gap: ALIGNMENT, copiesArguments: false })
  const words = [...layout.words]
  const addresses = carried.map((values) => (values ? place(values) : 0))
  const portOf = ({ shape, dtype, position }: Placed): Port => {
    const address = reserve(4 * sizeOf(shape))
    if (position !== null) addresses[position] = address
    return { shape, dtype, address }
  }
  const ports = { inputs: inputs.map(portOf), outputs: outputs.map(portOf) }
  for (const { position, words: own } of layout.arguments) {
    for (const { word, offset } of own) words[word] = (addresses[position] as number) + offset
  }
  const workspace = reserve(layout.workspaceBytes)
  for (const { word, offset } of layout.relative) words[word] = workspace + offset
  const binds = place(Int32Array.from(words))
  let launch = 0
  const bound = turnsOf(plan).map(({ step, iteration }) =>
    step.map(({ kernel, size }) => {
      const { phases, work } = kernels[kernel] as EmittedKernel
      return {
        phases: phases.map((phase) => ({ body: phase.body, chunks: chunksOf(phase, size, iteration) })),
        work: work(size),
        bind: binds + 4 * (layout.starts[launch++] as number),
      }
    }),
  )
  const schedule = place(layoutSchedule(bound, (f) => module.slot(f)).words)
  const scratch = reserve(Math.max(0, ...kernels.map(({ scratchBytes }) => scratchBytes)))
  module.ownMemory(Math.ceil(end / PAGE) + 1, 'memory')
  const manifest: Manifest = {
    version: 1,
    ...ports,
    schedule,
    scratch,
    error: errorAddress,
    checks: plan.checks,
  }
  module.custom('descent', new TextEncoder().encode(JSON.stringify(manifest)))
  return module.build()
}
