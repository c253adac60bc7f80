/** The upper tail of the chi-square distribution, by the regularized incomplete gamma function. */

/**
 * How likely a chi-square number with so many degrees of freedom (any number above 0) is `value` or more. Series and
 * continued fraction of Q(a, x): Press et al., "Numerical recipes", 6.2.
 *
 * @throws {RangeError} for degrees of freedom that are none
 */
export function chiSquareTail(value: number, freedom: number): number {
  if (!(freedom > 0)) throw new RangeError(`chiSquareTail: ${freedom} degrees of freedom.`)
  if (!(value > 0)) return 1
  const [a, x] = [freedom / 2, value / 2]
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a))
  return x < a + 1 ? Math.max(0, 1 - scale * series(a, x)) : scale * fraction(a, x)
}

function series(a: number, x: number): number {
  let term = 1 / a
  let sum = term
  for (let n = 1; term > 1e-16 * sum; n++) {
    term *= x / (a + n)
    sum += term
  }
  return sum
}

/** By Lentz's method. */
function fraction(a: number, x: number): number {
  let b = x + 1 - a
  let c = 1e300
  let d = 1 / b
  let result = d
  for (let n = 1; n < 10_000; n++) {
    const factor = -n * (n - a)
    b += 2
    d = 1 / (factor * d + b)
    c = b + factor / c
    const step = c * d
    result *= step
    if (Math.abs(step - 1) < 1e-15) break
  }
  return result
}

/** ln Γ(x) for x > 0: Stirling's series, reached by Γ(x) = Γ(x + 1) / x. */
function logGamma(x: number): number {
  let shift = 0
  let y = x
  for (; y < 15; y++) shift += Math.log(y)
  const series = 1 / (12 * y) - 1 / (360 * y ** 3) + 1 / (1260 * y ** 5) - 1 / (1680 * y ** 7)
  return (y - 0.5) * Math.log(y) - y + Math.log(2 * Math.PI) / 2 + series - shift
}
