/** What counts as equal. The tolerances are those of the goldens' README and are never loosened. */
import type { Tensor } from '../src/index.ts'
import { numbersOf, type TensorValue } from './cases.ts'

/** |got − want| ≤ absolute + relative · |want|. */
export interface Tolerance {
  readonly absolute: number
  readonly relative: number
}
export const usual: Tolerance = { absolute: 1e-6, relative: 2e-5 }
export const training: Tolerance = { absolute: 1e-4, relative: 1e-3 }

/** A failure in words, or null where the values agree. */
export type Verdict = string | null

export function compareTensor(what: string, got: Tensor | null, want: TensorValue, tolerance = usual): Verdict {
  if (got === null) return `${what}: nothing where [${want.shape.join(', ')}] is expected`
  if (got.dtype !== want.dtype) return `${what}: dtype ${got.dtype} instead of ${want.dtype}`
  if (got.shape.join() !== want.shape.join()) {
    return `${what}: shape [${got.shape.join(', ')}] instead of [${want.shape.join(', ')}]`
  }
  return compareNumbers(what, got.data(), numbersOf(want), want.dtype === 'f32' ? tolerance : null, want.shape)
}

/** `tolerance` null: they must be equal. The worst element is the one furthest outside of what it may differ. */
export function compareNumbers(
  what: string,
  got: ArrayLike<number>,
  want: readonly number[],
  tolerance: Tolerance | null,
  shape: readonly number[] = [want.length],
): Verdict {
  if (got.length !== want.length) return `${what}: ${got.length} numbers instead of ${want.length}`
  let worst = -1
  let excess = 1
  let wrong = 0
  for (let i = 0; i < want.length; i++) {
    const e = excessOf(got[i] as number, want[i] as number, tolerance)
    if (e > 1) wrong++
    if (e > excess) {
      excess = e
      worst = i
    }
  }
  if (worst < 0) return null
  const [g, w] = [got[worst] as number, want[worst] as number]
  const place = coordinates(worst, shape).join(', ')
  return `${what}: largest error ${Math.abs(g - w).toPrecision(3)} at [${place}]: ${g} instead of ${w} (${wrong} of ${want.length} elements)`
}

/** The error in units of what is allowed; NaN and infinities must be met exactly. */
function excessOf(got: number, want: number, tolerance: Tolerance | null): number {
  if (Number.isNaN(want)) return Number.isNaN(got) ? 0 : Infinity
  if (got === want) return 0
  if (!Number.isFinite(want) || !Number.isFinite(got) || tolerance === null) return Infinity
  return Math.abs(got - want) / (tolerance.absolute + tolerance.relative * Math.abs(want))
}

function coordinates(flat: number, shape: readonly number[]): number[] {
  const result: number[] = []
  let rest = flat
  for (const extent of shape.toReversed()) {
    result.unshift(rest % extent)
    rest = Math.floor(rest / extent)
  }
  return result
}
