/**
 * COMPILE: what the first call of a compiled step takes until its plan is ready to run: tracing (forward, backward and
 * update), planning, emitting code, handing it to the engine or placing it in memory. Not in it: starting the process,
 * making the network, and the run that follows (on `wasm` V8 compiles a function when it is first run).
 */
import type { Workload } from '../workload.ts'

export interface Compilation extends Workload {
  /** Whose step it is. */
  readonly of: 'W4' | 'W6'
  /** Cold: the first plan of a fresh process. Warm: the second of an equal function in one process. */
  readonly warm: boolean
}

function compilation(of: 'W4' | 'W6', warm: boolean): Compilation {
  return {
    name: `COMPILE_${of}${warm ? '_warm' : ''}`,
    about: `from the first call of ${of}'s step to its plan, ${warm ? 'the second time in a process' : 'in a fresh process'}`,
    flops: 0,
    bytes: 0,
    of,
    warm,
  }
}

export const compilations: readonly Compilation[] = [
  compilation('W4', false),
  compilation('W4', true),
  compilation('W6', false),
  compilation('W6', true),
]
