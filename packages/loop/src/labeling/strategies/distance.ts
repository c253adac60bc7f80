/**
 * Squared Euclidean distances from many points to the nearest of a growing set of centres: the inner loop of core-set and
 * of spreading a batch. Against many centres at once it is a matrix product (‖x‖² + ‖c‖² − 2 x·c), which the library
 * computes in blocks; for one more centre a loop, which leaves a point as soon as it is farther than before.
 */
import { noGrad, tensor } from 'descent'

/** Lowers `nearest[i]` to the squared distance of row i of `points` [N, D] to `centre` [D], where that is smaller. */
export function updateNearest(points: Float32Array, width: number, centre: Float32Array, nearest: Float64Array): void {
  for (let i = 0, at = 0; i < nearest.length; i++, at += width) {
    const bound = nearest[i] as number
    let sum = 0
    let d = 0
    while (d < width && sum < bound) {
      const end = Math.min(d + 32, width)
      for (; d < end; d++) {
        const difference = (points[at + d] as number) - (centre[d] as number)
        sum += difference * difference
      }
    }
    if (sum < bound) nearest[i] = sum
  }
}

const blockRows = 4096
const blockCentres = 1024

/** The squared distance of each row of `points` [N, D] to the nearest row of `centres` [M, D]; Infinity where M is 0. */
export function nearestDistances(points: Float32Array, centres: Float32Array, width: number): Float64Array {
  const count = width === 0 ? 0 : points.length / width
  const nearest = new Float64Array(count).fill(Infinity)
  if (centres.length < 8 * width) {
    for (let c = 0; c < centres.length; c += width)
      updateNearest(points, width, centres.subarray(c, c + width), nearest)
    return nearest
  }
  return noGrad(() => {
    for (let c = 0; c < centres.length; c += blockCentres * width) {
      const some = centres.slice(c, c + blockCentres * width)
      const m = some.length / width
      const right = tensor(some, { shape: [m, width] })
      const lengths = right.square().sum(1)
      const transposed = right.transpose(0, 1)
      for (let row = 0; row < count; row += blockRows) {
        const rows = points.slice(row * width, (row + blockRows) * width)
        const n = rows.length / width
        const left = tensor(rows, { shape: [n, width] })
        const least = lengths.sub(left.matmul(transposed).mul(2)).min(1).add(left.square().sum(1)).data()
        // Rounding can take the difference of large numbers below 0.
        for (let i = 0; i < n; i++)
          nearest[row + i] = Math.min(nearest[row + i] as number, Math.max(0, least[i] as number))
      }
    }
    return nearest
  })
}
