/**
 * How a plan's kernels are run, by one thread or several: a table in memory that says what to do, and two WebAssembly functions
 * that walk it.
 *
 * Each thread walks the stages of vector/claims.ts: it takes claims by an atomic counter, and waits until all are done.
 *
 * Table, in words of four bytes: the number of stages, and then for each stage
 *   next, done (counters, zero before a run), claims, 1 if a step ends here, number of tasks,
 *   and for each task: slot of its function, bind address, chunks, chunks a claim, claims.
 */

import { cutIntoStages, type LaunchWork } from '../vector/claims.ts'
import type { Callable } from '../vector/code.ts'
import type { EmittedKernel } from '../vector/target.ts'
import type { FunctionBuilder, ModuleBuilder } from './encode.ts'

/** A kernel bound to its buffers. */
export interface BoundLaunch extends LaunchWork {
  readonly phases: readonly { readonly body: Callable; readonly chunks: number }[]
  /** Byte address of its bind table. */
  readonly bind: number
}

export interface Schedule {
  readonly words: Int32Array
  /** Word offsets of the counters (pairs) that must be zero before a run by several threads. */
  readonly counters: Int32Array
  /** Whether several threads pay off. */
  readonly parallel: boolean
}

const stageWords = 5
const taskWords = 5

/** Functions of a module that `layoutSchedule` names must be put into its table: call this while the module is built. */
export function addToTable(module: ModuleBuilder, kernels: readonly EmittedKernel[]): void {
  for (const kernel of kernels) for (const phase of kernel.phases) module.slot(phase.body)
}

export function layoutSchedule(steps: readonly (readonly BoundLaunch[])[], slotOf: (f: Callable) => number): Schedule {
  const { stages, parallel } = cutIntoStages(steps)
  const words: number[] = [stages.length]
  const counters: number[] = []
  for (const { tasks, claims, endsStep } of stages) {
    counters.push(words.length)
    words.push(0, 0, claims, endsStep ? 1 : 0, tasks.length)
    for (const { launch, phase, chunks, grain, claims } of tasks) {
      const { body } = launch.phases[phase] as BoundLaunch['phases'][number]
      words.push(slotOf(body), launch.bind, chunks, grain, claims)
    }
  }
  return { words: Int32Array.from(words), counters: Int32Array.from(counters), parallel }
}

/**
 * Adds to the module
 *   runSolo (table, scratch) → failed: all of it on the calling thread;
 *   run (table, scratch, mayNap, stop) → failed: what this thread gets of it. `stop` is the address of a word that is set where
 *   another thread has crashed; `mayNap` is 0 for a browser's main thread, which must not sleep.
 * failed is 1 if a check has failed: the steps after it have not been run.
 */
export function emitSchedule(module: ModuleBuilder, errorAddress: number): void {
  emitSolo(module, errorAddress)
  emitShared(module, errorAddress)
}

const offset = { next: 0, done: 4, claims: 8, endsStep: 12, tasks: 16 }
const task = { slot: 0, bind: 4, chunks: 8, grain: 12, claims: 16 }

function emitSolo(module: ModuleBuilder, errorAddress: number): void {
  const f = module.function(['i32', 'i32'], ['i32'], 'runSolo')
  const body = module.type(['i32', 'i32', 'i32', 'i32'], [])
  const [table, scratch] = [0, 1]
  const stages = f.local('i32')
  const tasks = f.local('i32')
  const at = f.local('i32')
  const endsStep = f.local('i32')
  f.get(table).constant(4).i32('add').set(at)
  f.get(table).load('i32.load').set(stages)
  const finished = f.block()
  const nextStage = f.loop()
  f.get(stages).i32('eqz').brIf(finished)
  f.get(at).load('i32.load', offset.endsStep).set(endsStep)
  f.get(at).load('i32.load', offset.tasks).set(tasks)
  f.get(at)
    .constant(stageWords * 4)
    .i32('add')
    .set(at)
  const noTasks = f.block()
  const nextTask = f.loop()
  f.get(tasks).i32('eqz').brIf(noTasks)
  f.constant(0).get(at).load('i32.load', task.chunks).get(at).load('i32.load', task.bind).get(scratch)
  f.get(at).load('i32.load', task.slot).callIndirect(body)
  f.get(at)
    .constant(taskWords * 4)
    .i32('add')
    .set(at)
  f.get(tasks).constant(1).i32('sub').set(tasks)
  f.br(nextTask).end().end()
  returnIfFailed(f, endsStep, errorAddress, false)
  f.get(stages).constant(1).i32('sub').set(stages)
  f.br(nextStage).end().end()
  f.constant(0)
}

function emitShared(module: ModuleBuilder, errorAddress: number): void {
  const f = module.function(['i32', 'i32', 'i32', 'i32'], ['i32'], 'run')
  const body = module.type(['i32', 'i32', 'i32', 'i32'], [])
  const [table, scratch, mayNap, stop] = [0, 1, 2, 3]
  const stages = f.local('i32')
  const stage = f.local('i32')
  const claim = f.local('i32')
  const claims = f.local('i32')
  const at = f.local('i32')
  const first = f.local('i32')
  const last = f.local('i32')
  const done = f.local('i32')
  const spins = f.local('i32')
  f.get(table).constant(4).i32('add').set(stage)
  f.get(table).load('i32.load').set(stages)
  const finished = f.block()
  const nextStage = f.loop()
  f.get(stages).i32('eqz').brIf(finished)
  f.get(stage).load('i32.load', offset.claims).set(claims)

  const noneLeft = f.block()
  const nextClaim = f.loop()
  // Looking before adding keeps the counter's cache line shared where nothing is left.
  f.get(stage).atomic('i32.atomic.load', offset.next).get(claims).i32('ge_s').brIf(noneLeft)
  f.get(stage).constant(1).atomic('i32.atomic.rmw.add', offset.next).tee(claim).get(claims).i32('ge_s').brIf(noneLeft)
  f.get(stage)
    .constant(stageWords * 4)
    .i32('add')
    .set(at)
  const found = f.block()
  const search = f.loop()
  f.get(claim).get(at).load('i32.load', task.claims).i32('lt_s').brIf(found)
  f.get(claim).get(at).load('i32.load', task.claims).i32('sub').set(claim)
  f.get(at)
    .constant(taskWords * 4)
    .i32('add')
    .set(at)
  f.br(search).end().end()
  f.get(claim).get(at).load('i32.load', task.grain).i32('mul').tee(first)
  f.get(at).load('i32.load', task.grain).i32('add').set(last)
  f.get(at).load('i32.load', task.chunks).get(last)
  f.get(at).load('i32.load', task.chunks).get(last).i32('lt_s').select().set(last)
  f.get(first).get(last).get(at).load('i32.load', task.bind).get(scratch)
  f.get(at).load('i32.load', task.slot).callIndirect(body)
  f.get(stage).constant(1).atomic('i32.atomic.rmw.add', offset.done).drop()
  f.br(nextClaim).end().end()

  f.constant(0).set(spins)
  const allDone = f.block()
  const wait = f.loop()
  f.get(stage).atomic('i32.atomic.load', offset.done).tee(done).get(claims).i32('ge_s').brIf(allDone)
  f.get(stop).atomic('i32.atomic.load').if()
  f.constant(1).return().end()
  f.get(spins)
    .constant(1)
    .i32('add')
    .tee(spins)
    .constant(20_000)
    .i32('lt_s')
    .get(mayNap)
    .i32('eqz')
    .i32('or')
    .brIf(wait)
  // Long waits sleep in short naps: nobody has to wake us, and a thread without a core of its own yields it.
  f.get(stage).constant(offset.done).i32('add').get(done).constant64(50_000n).atomic('memory.atomic.wait32').drop()
  f.br(wait).end().end()

  returnIfFailed(f, stage, errorAddress, true)
  f.get(stage)
    .load('i32.load', offset.tasks)
    .constant(taskWords * 4)
    .i32('mul')
    .constant(stageWords * 4)
    .i32('add')
  f.get(stage).i32('add').set(stage)
  f.get(stages).constant(1).i32('sub').set(stages)
  f.br(nextStage).end().end()
  f.constant(0)
}

function returnIfFailed(f: FunctionBuilder, local: number, errorAddress: number, shared: boolean): void {
  f.get(local)
  if (shared) f.load('i32.load', offset.endsStep)
  f.if()
  f.constant(errorAddress)
  if (shared) f.atomic('i32.atomic.load')
  else f.load('i32.load')
  f.if()
  f.constant(1).return().end().end()
}
