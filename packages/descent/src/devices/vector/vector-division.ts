/**
 * Vectors of whole numbers divided by a constant: a product with the scaled reciprocal, of which the high word is taken
 * (Granlund & Montgomery, "Division by Invariant Integers using Multiplication", 1994).
 */
import type { Code } from './code.ts'

/**
 * x / by = (x · factor) >> (32 + shift), rounded down, for 0 ≤ x < 2³¹ and `by` not a power of two.
 *
 * With 2^shift < by < 2^(shift + 1) the factor fits 32 bits, and exceeds 2^(32 + shift) / by by less than one, so the
 * quotient by less than 2³¹ / 2^(32 + shift) < 1 / by.
 */
export function reciprocal(by: number): { factor: number; shift: number } {
  const shift = 31 - Math.clz32(by)
  const factor = (2n ** BigInt(32 + shift) + BigInt(by) - 1n) / BigInt(by)
  return { factor: Number(BigInt.asIntN(32, factor)), shift }
}

/** vector, each lane in [0, 2³¹) → divided by a constant, rounded down; what other lanes become is not defined. */
export function emitQuotient(f: Code, by: number): void {
  if ((by & (by - 1)) === 0) {
    if (by > 1) f.shift('shr', 31 - Math.clz32(by))
    return
  }
  const { factor, shift } = reciprocal(by)
  f.splatI32(factor).whole('mulhi')
  if (shift > 0) f.shift('shr', shift)
}
