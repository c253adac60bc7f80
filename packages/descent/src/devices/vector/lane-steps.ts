/** How an index changes from lane to lane. The lane variable's value in lane 0 is always a multiple of `lanes`. */
import type { Index } from '../../kernel/index-expr.ts'

/** The step from one lane to the next; null: not the same for all lanes, or not constant. */
export function laneStep(x: Index, lane: number | null, lanes: number): number | null {
  const offsets = laneOffsets(x, lane, lanes)
  if (!offsets) return null
  const step = offsets[1] as number
  return offsets.every((o, j) => o === j * step) ? step : null
}

/**
 * How much the lanes' indices are larger than the first lane's, where that does not depend on the loops. Quotients and
 * remainders often behave, for lane 0 is a multiple of `lanes`.
 */
export function laneOffsets(x: Index, lane: number | null, lanes: number): readonly number[] | null {
  const sum = new Array<number>(lanes).fill(0)
  if (lane === null) return sum
  for (const { coefficient, atom } of x.terms) {
    let offsets: readonly number[] | null
    if (atom.kind === 'variable') {
      if (atom.id !== lane) continue
      offsets = sum.map((_, j) => j)
    } else {
      offsets = laneOffsets(atom.x, lane, lanes)
      if (!offsets) return null
      if (offsets.some((o) => o !== 0)) {
        // In lane 0 the remainder is a multiple of `unit`.
        const unit = gcd(granularity(atom.x, lane, lanes), atom.by)
        const { kind, by } = atom
        if (Math.min(...offsets) < 0) return null
        if (unit === by) offsets = offsets.map((o) => (kind === 'div' ? Math.floor(o / by) : o % by))
        else if (Math.max(...offsets) >= unit) return null
        else if (kind === 'div') continue
      } else continue
    }
    for (let j = 0; j < lanes; j++) sum[j] = (sum[j] as number) + coefficient * (offsets[j] as number)
  }
  return sum
}

/** A number that divides every value of the expression in lane 0 (0: the value is always 0). */
function granularity(x: Index, lane: number, lanes: number): number {
  let result = Math.abs(x.offset)
  for (const { coefficient, atom } of x.terms) {
    let g = 1
    if (atom.kind === 'variable') g = atom.id === lane ? lanes : 1
    else {
      const inner = granularity(atom.x, lane, lanes)
      if (atom.kind === 'mod') g = gcd(inner, atom.by)
      else if (inner % atom.by === 0) g = inner / atom.by
    }
    result = gcd(result, Math.abs(coefficient) * g)
  }
  return result
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
