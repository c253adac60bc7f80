/**
 * How the work of a plan is cut up so that several threads can share it.
 *
 * A step's launches run side by side: stage i of the step holds phase i of each of them, as a task. A task's chunks are
 * cut into claims of `grain` chunks. Every thread takes claims of a stage until there are none, waits until all that were taken
 * are done, and goes on to the next stage. So a thread that comes late, or never, holds up nobody; and what is computed
 * does not depend on who takes what.
 */

/** A kernel bound to its buffers, as far as cutting it up goes. */
export interface LaunchWork {
  readonly phases: readonly { readonly chunks: number }[]
  /** Rough nanoseconds on one thread. */
  readonly work: number
}

export interface Task<L extends LaunchWork> {
  readonly launch: L
  /** Which of the launch's phases this is. */
  readonly phase: number
  readonly chunks: number
  /** Chunks in a claim; the last may have fewer. */
  readonly grain: number
  readonly claims: number
}

export interface Stage<L extends LaunchWork> {
  readonly tasks: readonly Task<L>[]
  /** Of all tasks together. */
  readonly claims: number
  readonly endsStep: boolean
}

export interface Stages<L extends LaunchWork> {
  readonly stages: readonly Stage<L>[]
  /** Whether several threads pay off. */
  readonly parallel: boolean
}

/** A claim should be worth its atomic operations and the other thread's start, and long tasks should end together. */
const nanosecondsPerClaim = 4000
const mostClaims = 64

export function cutIntoStages<L extends LaunchWork>(steps: readonly (readonly L[])[]): Stages<L> {
  const stages: Stage<L>[] = []
  let parallelWork = 0
  for (const launches of steps) {
    const phases = Math.max(0, ...launches.map((launch) => launch.phases.length))
    for (let phase = 0; phase < phases; phase++) {
      const endsStep = phase === phases - 1
      const tasks = launches.flatMap((launch) => cut(launch, phase) ?? [])
      // A stage without tasks is there only to end its step.
      if (tasks.length === 0 && !endsStep) continue
      for (const { claims, launch } of tasks) if (claims > 1) parallelWork += launch.work / launch.phases.length
      stages.push({ tasks, claims: tasks.reduce((sum, task) => sum + task.claims, 0), endsStep })
    }
  }
  return { stages, parallel: parallelWork > 3 * nanosecondsPerClaim }
}

function cut<L extends LaunchWork>(launch: L, phase: number): Task<L> | null {
  const chunks = launch.phases[phase]?.chunks ?? 0
  if (chunks === 0) return null
  const work = launch.work / launch.phases.length
  const wanted = Math.max(1, Math.min(chunks, mostClaims, Math.floor(work / nanosecondsPerClaim)))
  const grain = Math.ceil(chunks / wanted)
  return { launch, phase, chunks, grain, claims: Math.ceil(chunks / grain) }
}
