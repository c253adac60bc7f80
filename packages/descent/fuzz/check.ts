/** One graph on every device and in both modes: what differs first, made small and printed. */
import type { DeviceName } from '../src/index.ts'
import { generate } from './generate.ts'
import { type Mode, type Outcome, run } from './interpret.ts'
import { type Difference, judge, judgeBits } from './judge.ts'
import { Oracle } from './oracle.ts'
import { print } from './print.ts'
import type { Program } from './program.ts'
import { mix } from './random.ts'
import { shrink } from './shrink.ts'

const modes: readonly Mode[] = ['eager', 'compiled']

/** The graph of a number, of a run with a seed. */
export function graphOf(seed: number, number: number): Program {
  return generate(mix(seed, number))
}

/** What a device gives first that it should not; null where all give what they should. */
export function check(program: Program, devices: readonly DeviceName[]): Difference | null {
  const oracle = new Oracle(program)
  let first: { readonly device: DeviceName; readonly got: Outcome } | null = null
  for (const device of devices) {
    for (const mode of modes) {
      const got = outcome(oracle, device, mode)
      let difference = judge(oracle, device, mode, got)
      if (mode === 'eager' && device !== 'reference') {
        if (first) difference ??= judgeBits(oracle, device, got, first.device, first.got)
        first ??= { device, got }
      }
      if (difference) return difference
    }
  }
  return null
}

function outcome(oracle: Oracle, device: DeviceName, mode: Mode): Outcome {
  return device === 'reference' && mode === 'eager' ? oracle.plain : run(oracle.program, device, mode)
}

/** The failure as text: what differs, and the smallest graph that shows it as code. */
export function report(program: Program, found: Difference, heading: string): string {
  const { device } = found
  const { empty } = new Oracle(program).plain
  const difference = (candidate: Program, mode: Mode): Difference | null => {
    const oracle = new Oracle(candidate)
    // Tensors without elements have faults of their own.
    if (oracle.plain.empty && !empty) return null
    const got = outcome(oracle, device, mode)
    const { bitsOf } = found
    const next = bitsOf
      ? judgeBits(oracle, device, got, bitsOf, outcome(oracle, bitsOf, mode))
      : judge(oracle, device, mode, got)
    return next?.kind === found.kind ? next : null
  }
  const small = shrink(program, found.mode, (candidate, mode) => difference(candidate, mode) !== null)
  const last = difference(small.program, small.mode) ?? found
  return print({
    program: small.program,
    device,
    expected: found.bitsOf ?? 'reference',
    mode: small.mode,
    heading: [heading, `${device}, ${small.mode}: ${last.text}`],
  })
}
