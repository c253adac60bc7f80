/** Mix-up: examples that are a part of one and a part of another, with targets to match. */
import { sizeOf } from '../dtype.ts'
import { DTypeError, IndexError } from '../errors.ts'
import { type AugmentStep, type Begin, requireFloats } from './augment-step.ts'
import { arraysOf, isOne, type RawArray, type RawBatch } from './raw.ts'

export function mixUpBatch(
  { alpha, classes }: AugmentStep & { readonly kind: 'mixUp' },
  batch: RawBatch,
  begin: Begin,
): RawBatch {
  const count = batch.numbers.length
  const shares = Float64Array.from({ length: count }, (_, i) => begin(i).beta(alpha, alpha))
  const others = partners(batch.numbers, begin)
  const soft = { ...batch, y: isOne(batch.y) ? softened(batch.y, classes) : batch.y.map((y) => softened(y, classes)) }
  for (const { values } of arraysOf(soft)) requireFloats('mixUp', values)
  const mixed = (array: RawArray): RawArray => mix(array, shares, others)
  return { ...soft, x: mixed(soft.x), y: isOne(soft.y) ? mixed(soft.y) : soft.y.map(mixed) }
}

/** Each example's partner in its batch: the next one in a random order, so that nobody is their own. */
function partners(numbers: Int32Array, begin: Begin): Int32Array {
  const keys = Float64Array.from(numbers, (_, i) => begin(i, 1).uniform())
  const order = Array.from(numbers, (_, i) => i).sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b)
  const partner = new Int32Array(numbers.length)
  for (const [at, i] of order.entries()) partner[i] = order[(at + 1) % order.length] as number
  return partner
}

function mix({ shape, values }: RawArray, shares: Float64Array, others: Int32Array): RawArray {
  const size = sizeOf(shape.slice(1))
  const mixed = new Float32Array(values.length)
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i] as number
    const other = (others[i] as number) * size
    for (let j = 0; j < size; j++)
      mixed[i * size + j] = share * (values[i * size + j] as number) + (1 - share) * (values[other + j] as number)
  }
  return { shape, values: mixed }
}

/** Classes as shares: 1 for the class, 0 for the others. */
function softened(y: RawArray, classes: number): RawArray {
  if (y.values instanceof Float32Array) return y
  if (y.shape.length !== 1 || classes < 1)
    throw new DTypeError(
      `mixUp: targets i32 [${y.shape.join(', ')}] can be mixed where they are classes [N]: say how many with \`classes\`.`,
    )
  const values = new Float32Array(y.values.length * classes)
  for (const [i, label] of y.values.entries()) {
    if (label < 0 || label >= classes) throw new IndexError('mixUp', label, classes)
    values[i * classes + label] = 1
  }
  return { shape: [y.values.length, classes], values }
}
