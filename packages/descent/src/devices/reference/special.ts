/** Scalar functions that Math lacks, in double precision or exact. */

/**
 * The error function, 2/√π ∫₀ˣ exp(−t²) dt, to about 1e-15. Below 3 the series
 * 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·5…(2n+1)), whose terms all have one sign (Abramowitz & Stegun 7.1.6); above
 * it, 1 − erfc by its continued fraction (7.1.14).
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  if (z < 3) {
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (2 * z * z) / (2 * n + 1)
      sum += term
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum
  }
  let fraction = z
  for (let n = 60; n >= 1; n--) fraction = z + n / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction))
}

/** To the nearest integer, halves to the even one. */
export function roundHalfEven(x: number): number {
  const low = Math.floor(x)
  const rest = x - low
  if (rest < 0.5) return low === 0 && (x < 0 || Object.is(x, -0)) ? -0 : low
  if (rest > 0.5) return low + 1 === 0 ? -0 : low + 1
  if (Number.isNaN(rest)) return x
  return low % 2 === 0 ? low : low + 1 === 0 ? -0 : low + 1
}

/** Without overflow on either side. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** As C's pow: 1 to any power is 1, NaN too, and so is −1 to an infinite power; Math.pow gives NaN for these. */
export function power(a: number, b: number): number {
  if (a === 1) return 1
  if (a === -1 && (b === Infinity || b === -Infinity)) return 1
  return a ** b
}

/** The high word of the product of two unsigned 32-bit integers, from four products of 16 bits each. */
export function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const cross = aLow * bHigh + (middle % 65536)
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(cross / 65536)) | 0
}

/** f32 → i32: towards zero, saturating, NaN to 0. */
export function truncate(x: number): number {
  if (Number.isNaN(x)) return 0
  if (x >= 2147483647) return 2147483647
  if (x <= -2147483648) return -2147483648
  return x | 0
}

const word = new DataView(new ArrayBuffer(4))

export function bitsOfFloat(x: number): number {
  word.setFloat32(0, x)
  return word.getInt32(0)
}

export function floatOfBits(bits: number): number {
  word.setInt32(0, bits)
  return word.getFloat32(0)
}
