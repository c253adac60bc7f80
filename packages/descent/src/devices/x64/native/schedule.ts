/**
 * A plan's table: what its threads find in memory, to be walked by machine code (walk.ts). It begins at a multiple of 64,
 * and so does each stage: one with a single task is one cache line.
 *
 *   table   +0 i64 number of stages   +8 i64 address of the error record    +64 the first stage
 *   stage   +0 i32 next claim         +4 i32 claims done                    (counters, written by runs)
 *           +8 i32 claims            +12 i32 1 if a step ends here
 *          +16 i32 number of tasks   +20 i32 bytes to the next stage        +24 the first task
 *   task    +0 i64 its function       +8 i64 bind address
 *          +16 i32 chunks            +20 i32 chunks in a claim              +24 i32 claims
 *
 * The error record is two i32: the failed check's id + 1 (0: none), and the value that it saw.
 *
 * A task's function is called with its parameters in memory: parameter i at [rsp + 8 · i] when the call is made, and so at
 * [rsp + 8 + 8 · i] for the one that is called. Parameters: first chunk, end chunk, bind address, address of the thread's
 * scratch memory. It keeps rbx, rbp, r12 to r15 as they were, returns nothing, and finds rsp at a multiple of 16 less 8.
 */
import { cutIntoStages, type LaunchWork, type Stage } from '../../vector/claims.ts'

export const tableFields = { stages: 0, errorRecord: 8, firstStage: 64 } as const
export const stageFields = { next: 0, done: 4, claims: 8, endsStep: 12, tasks: 16, bytes: 20, firstTask: 24 } as const
export const taskFields = { function: 0, bind: 8, chunks: 16, grain: 20, claims: 24, bytes: 32 } as const
const stageAlignment = 64

/** A kernel bound to its buffers. */
export interface BoundLaunch extends LaunchWork {
  readonly phases: readonly { readonly address: number; readonly chunks: number }[]
  /** Address of its table of addresses. */
  readonly bind: number
}

export interface Schedule {
  /** To be copied to an address divisible by 64, in memory that is not JavaScript's (see ThreadPool). */
  readonly table: Uint8Array
  /** Whether several threads pay off. */
  readonly parallel: boolean
}

export function layoutSchedule(steps: readonly (readonly BoundLaunch[])[], errorRecord: number): Schedule {
  const { stages, parallel } = cutIntoStages(steps)
  const sizes = stages.map(stageBytes)
  const table = new Uint8Array(tableFields.firstStage + sizes.reduce((sum, size) => sum + size, 0))
  const view = new DataView(table.buffer)
  setAddress(view, tableFields.stages, stages.length)
  setAddress(view, tableFields.errorRecord, errorRecord)
  let at: number = tableFields.firstStage
  stages.forEach((stage, i) => {
    writeStage(view, at, stage, sizes[i] as number)
    at += sizes[i] as number
  })
  return { table, parallel }
}

function stageBytes(stage: Stage<BoundLaunch>): number {
  const bytes = stageFields.firstTask + stage.tasks.length * taskFields.bytes
  return Math.ceil(bytes / stageAlignment) * stageAlignment
}

function writeStage(view: DataView, at: number, stage: Stage<BoundLaunch>, bytes: number): void {
  view.setInt32(at + stageFields.claims, stage.claims, true)
  view.setInt32(at + stageFields.endsStep, stage.endsStep ? 1 : 0, true)
  view.setInt32(at + stageFields.tasks, stage.tasks.length, true)
  view.setInt32(at + stageFields.bytes, bytes, true)
  stage.tasks.forEach(({ launch, phase, chunks, grain, claims }, i) => {
    const task = at + stageFields.firstTask + i * taskFields.bytes
    setAddress(view, task + taskFields.function, launch.phases[phase]?.address ?? 0)
    setAddress(view, task + taskFields.bind, launch.bind)
    view.setInt32(task + taskFields.chunks, chunks, true)
    view.setInt32(task + taskFields.grain, grain, true)
    view.setInt32(task + taskFields.claims, claims, true)
  })
}

function setAddress(view: DataView, at: number, address: number): void {
  view.setUint32(at, address % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(address / 2 ** 32), true)
}
