/** Whether a pool is what it says: sizes that fit, probabilities that are such, numbers that are finite. */
import { type Pool, widthOf } from './strategy.ts'

/** Throws RangeError, naming the part and the row, where a pool contradicts itself. */
export function checkPool(pool: Pool): void {
  const { count, classes, probabilities, samples, embedding, labelledEmbedding, features, labelledFeatures } = pool
  if (!(Number.isInteger(count) && count >= 0))
    throw new RangeError(`A pool's count is a whole number from 0, not ${count}.`)
  const parts = { probabilities, samples, embedding, features }
  for (const [name, part] of Object.entries(parts)) {
    if (part && !Number.isInteger(widthOf(part, count)))
      throw new RangeError(`${name}: ${part.length} values do not fit ${count} examples.`)
  }
  const width = classes?.length ?? (probabilities ? widthOf(probabilities, count) : null)
  if (probabilities && width !== null) {
    if (probabilities.length !== count * width)
      throw new RangeError(`probabilities: ${probabilities.length} values are not ${count} × ${width} classes.`)
    checkRows('probabilities', probabilities, width)
  }
  if (samples) {
    if (width === null) throw new RangeError('samples: say the classes, or give probabilities.')
    if (count * width > 0 && samples.length % (count * width) !== 0)
      throw new RangeError(`samples: ${samples.length} values are no whole passes over ${count} × ${width} classes.`)
    checkRows('samples', samples, width)
  }
  checkPoints('embedding', embedding, labelledEmbedding, count)
  checkPoints('features', features, labelledFeatures, count)
}

function checkRows(name: string, values: Float32Array, width: number): void {
  for (let at = 0; at < values.length; at += width) {
    let sum = 0
    for (let c = 0; c < width; c++) {
      const p = values[at + c] as number
      sum += p >= 0 ? p : Number.NaN
    }
    if (!(Math.abs(sum - 1) < 1e-2))
      throw new RangeError(`${name}: row ${at / width} holds no probabilities: ${values.subarray(at, at + width)}.`)
  }
}

function checkPoints(
  name: string,
  pool: Float32Array | undefined,
  labelled: Float32Array | undefined,
  count: number,
): void {
  if (!pool) return
  const width = widthOf(pool, count)
  if (labelled && width > 0 && labelled.length % width !== 0)
    throw new RangeError(`${name}: ${labelled.length} values of labelled examples are no rows of ${width}.`)
  for (const values of [pool, labelled ?? new Float32Array()]) {
    const wrong = values.findIndex((x) => !Number.isFinite(x))
    if (wrong >= 0) throw new RangeError(`${name}: row ${Math.floor(wrong / width)} holds ${values[wrong]}.`)
  }
}
