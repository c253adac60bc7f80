/** Symmetric positive definite systems by Cholesky's factorisation (Golub and Van Loan, Matrix Computations, §4.2). */
import type { Pace } from './pace.ts'

/**
 * The x with A x = b, for A [n, n] symmetric and positive definite, of which the lower triangle is read and overwritten
 * by its factor. Throws RangeError where A is not positive definite.
 */
export async function solveCholesky(a: Float64Array, b: Float64Array, pace: Pace): Promise<Float64Array> {
  const n = b.length
  for (let j = 0; j < n; j++) {
    const rowJ = a.subarray(j * n, j * n + j)
    const pivot = (a[j * n + j] as number) - product(rowJ, rowJ)
    if (!(pivot > 0)) throw new RangeError(`The matrix is not positive definite: pivot ${j} is ${pivot}.`)
    const root = Math.sqrt(pivot)
    a[j * n + j] = root
    for (let i = j + 1; i < n; i++) {
      const at = i * n + j
      a[at] = ((a[at] as number) - product(a.subarray(i * n, at), rowJ)) / root
    }
    if (pace.due()) await pace.rest()
  }
  const x = b.slice()
  for (let i = 0; i < n; i++) {
    x[i] = ((x[i] as number) - product(a.subarray(i * n, i * n + i), x)) / (a[i * n + i] as number)
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i] as number
    for (let j = i + 1; j < n; j++) sum -= (a[j * n + i] as number) * (x[j] as number)
    x[i] = sum / (a[i * n + i] as number)
  }
  return x
}

/** The inner product over the length of the first. */
function product(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}
