/** Whether a device's results are those that the oracle knows, as exactly as they can be known. */
import type { DeviceName } from '../src/index.ts'
import type { Mode, Outcome, Result } from './interpret.ts'
import type { Oracle } from './oracle.ts'
import { overwritten, readsGradients } from './program.ts'

export interface Difference {
  readonly device: DeviceName
  readonly mode: Mode
  /** What kind of failure it is: a smaller graph must fail in the same way. */
  readonly kind: string
  /** The device whose bits it should have given, if that is the failure. */
  readonly bitsOf?: DeviceName
  /** In words: which element, what it is and what it should be. */
  readonly text: string
}

/** How many times the effect of disturbances a device may be off, and how many disturbances are tried. */
const FACTOR = 16
const FEW = 2
const MANY = 14
/** Errors of a few units in the last place, and results that are flushed to zero. */
const RELATIVE = 2e-6
const TINY = 2.4e-38
const LARGEST = 3.4028234663852886e38

/** Errors that programs can be meant to throw. Any other is a fault of the library. */
const meant = ['IndexError', 'ShapeError', 'DTypeError', 'TraceError']

export function judge(oracle: Oracle, device: DeviceName, mode: Mode, got: Outcome): Difference | null {
  const differs = (kind: string, text: string): Difference => ({ device, mode, kind, text })
  const base = device === 'reference' ? oracle.plain : oracle.rounded
  if (oracle.plain.error?.name === 'StaleError') return null
  if (got.error && !meant.includes(got.error.name))
    return differs(`${got.error.name}: ${got.error.message.slice(0, 40)}`, `${got.error.name}: ${got.error.message}`)
  if (got.error || base.error) {
    if (got.error?.name === base.error?.name) return null
    if (!oracle.exact && Array.from({ length: MANY }, (_, way) => oracle.disturbed(way)).some(otherError(base)))
      return null
    return differs(
      `error ${got.error?.name}`,
      `${got.error ? `${got.error.name}: ${got.error.message}` : 'no error'}, expected ${base.error ? `${base.error.name}: ${base.error.message}` : 'none'}`,
    )
  }
  const keepsGradients = readsGradients(oracle.program)
  // Where a state is on the edge after a call, what later calls make of it is not known.
  const states = overwritten(oracle.program).size > 0
  let edge = Number.POSITIVE_INFINITY
  for (const want of base.results) {
    if (states && callOf(want) > edge) break
    const found = got.results.find((result) => result.name === want.name)
    if (!found) {
      if (want.name.startsWith('gradient') && keepsGradients) continue
      // A gradient of zeros may be left out.
      const zeros = want.name.startsWith('gradient') && Array.from(want.values).every((x) => x === 0)
      if (!zeros) return differs('missing', `${want.name} is missing`)
      continue
    }
    if (found.dtype !== want.dtype || String(found.shape) !== String(want.shape))
      return differs(
        'meta',
        `${want.name} is ${found.dtype} [${found.shape.join(', ')}], expected ${want.dtype} [${want.shape.join(', ')}]`,
      )
    const { wrong, unsure } = compare(oracle, device, found, want)
    if (unsure) edge = Math.min(edge, callOf(want))
    if (wrong !== null) {
      const tolerance = oracle.exact ? ' exactly' : ''
      return differs(
        'values',
        `${want.name}: element ${wrong} of [${want.shape.join(', ')}] is ${show(found.values[wrong])}, expected ${show(want.values[wrong])}${tolerance}`,
      )
    }
  }
  const extra = got.results.find(
    (result) =>
      !base.results.some((want) => want.name === result.name) && Array.from(result.values).some((x) => x !== 0),
  )
  return extra ? differs('extra', `${extra.name} should not be there`) : null
}

function otherError(base: Outcome): (outcome: Outcome) => boolean {
  return (outcome) => outcome.error?.name !== base.error?.name
}

function show(x: number | undefined): string {
  return Object.is(x, -0) ? '-0' : String(x)
}

/** Results of the end come after all calls. */
function callOf({ name }: Result): number {
  return Number(/call (\d+)$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY)
}

interface Comparison {
  /** The first element that is wrong, or null. */
  readonly wrong: number | null
  /** Whether some element is another one altogether, but may be. */
  readonly unsure: boolean
}

function compare(oracle: Oracle, device: DeviceName, got: Result, want: Result): Comparison {
  let unsure = false
  for (let i = 0; i < want.values.length; i++) {
    const [a, b] = [got.values[i] as number, want.values[i] as number]
    if (Object.is(a, b)) continue
    if (oracle.exact) {
      if (a === b) continue
      return { wrong: i, unsure }
    }
    if (got.dtype === 'f32' && Math.abs(a - b) <= TINY + RELATIVE * Math.abs(b)) continue
    if (!excused(oracle, device, got, i, a, b)) return { wrong: i, unsure }
    unsure ||= !(Math.abs(a - b) <= 1e-3 * Math.abs(b))
  }
  return { wrong: null, unsure }
}

/** Whether disturbances of 2⁻²¹ move this element about as far. */
function excused(
  oracle: Oracle,
  device: DeviceName,
  { name, dtype }: Result,
  i: number,
  got: number,
  want: number,
): boolean {
  if (oracle.overflows || oracle.plain.largeAngles) return true
  if (device !== 'reference' && overflowed(oracle, name, i, got)) return true
  let moved = 0
  for (let way = 0; way < MANY; way++) {
    const disturbed = oracle.disturbed(way)
    const other = disturbed.error ? undefined : disturbed.results.find((result) => result.name === name)?.values[i]
    if (other === undefined) return true
    if (!Number.isFinite(other) || !Number.isFinite(want)) {
      if (!Object.is(other, want)) return true
    } else moved = Math.max(moved, Math.abs(other - want))
    if (way < FEW - 1) continue
    if (dtype !== 'f32' && moved > 0) return true
    if (Math.abs(got - want) <= TINY + RELATIVE * Math.abs(want) + FACTOR * moved) return true
  }
  return false
}

/** In double precision the value is beyond f32, or the device kept a product that f32 would have lost (fused). */
function overflowed(oracle: Oracle, name: string, i: number, got: number): boolean {
  const plain = oracle.plain.results.find((result) => result.name === name)?.values[i]
  if (plain === undefined) return true
  if (Math.abs(plain) > LARGEST)
    return got === Math.sign(plain) * Number.POSITIVE_INFINITY || Math.abs(got) > LARGEST / 2
  return Math.abs(got - plain) <= TINY + RELATIVE * Math.abs(plain)
}

/**
 * Operation by operation, devices that compute in f32 use the same expressions: where nothing is summed, they give the
 * same bits.
 */
export function judgeBits(
  oracle: Oracle,
  device: DeviceName,
  got: Outcome,
  other: DeviceName,
  want: Outcome,
): Difference | null {
  if (!oracle.pointwise || oracle.plain.error || got.error || want.error) return null
  for (const result of want.results) {
    const found = got.results.find(({ name }) => name === result.name)
    if (!found) continue
    for (let i = 0; i < result.values.length; i++) {
      if (Object.is(found.values[i], result.values[i])) continue
      const text = `${result.name}: element ${i} of [${result.shape.join(', ')}] is ${show(found.values[i])}, on ${other} it is ${show(result.values[i])}`
      return { device, mode: 'eager', kind: 'bits', bitsOf: other, text }
    }
  }
  return null
}
