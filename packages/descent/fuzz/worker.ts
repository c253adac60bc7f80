/**
 * One of the processes that check graphs: `node worker.ts '<Task as JSON>'`. It writes a line of JSON before and after
 * every graph, at once, so that the last line says which graph ended the process where machine code did.
 */
import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { DeviceName } from '../src/index.ts'
import { check, graphOf, report } from './check.ts'
import { countOperations } from './reached.ts'

export interface Task {
  readonly seed: number
  readonly first: number
  readonly step: number
  readonly end: number
  readonly devices: readonly DeviceName[]
  /** How many failures may be made small and printed as code. */
  readonly reports: number
}

export type Line =
  | { readonly kind: 'start'; readonly graph: number }
  | { readonly kind: 'done'; readonly graph: number }
  | { readonly kind: 'failure'; readonly graph: number; readonly text: string; readonly code: string | null }
  | { readonly kind: 'counts'; readonly counts: Readonly<Record<string, number>> }

function say(line: Line): void {
  const text = Buffer.from(`${JSON.stringify(line)}\n`)
  for (let at = 0; at < text.length; ) {
    try {
      at += writeSync(1, text, at)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      // Nobody listens any more.
      if (code === 'EPIPE') process.exit(1)
      if (code !== 'EAGAIN') throw error
      // The other end is busy, and the pipe is full.
      Atomics.wait(pause, 0, 0, 20)
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))
const { seed, first, step, end, devices, reports } = JSON.parse(process.argv[2] as string) as Task
const counts = countOperations()
let stop = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stop = true
  })
}
/** Failures of a kind are shown once: the others are likely to be the same fault. */
const shown = new Set<string>()
for (let graph = first; graph < end && !stop; graph += step) {
  say({ kind: 'start', graph })
  const program = graphOf(seed, graph)
  const found = check(program, devices)
  if (found) {
    const heading = `npm run fuzz -- --seed ${seed} --graph ${graph} --devices ${devices.join(',')}`
    const kind = `${found.device} ${found.mode} ${found.kind}`
    const code = shown.has(kind) || shown.size >= reports ? null : report(program, found, heading)
    shown.add(kind)
    say({ kind: 'failure', graph, text: `${found.device}, ${found.mode}: ${found.text}`, code })
  }
  say({ kind: 'done', graph })
  await setImmediate()
}
say({ kind: 'counts', counts: Object.fromEntries(counts) })
process.exit(0)
