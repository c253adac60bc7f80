/** Tensors as text, abbreviated as PyTorch does: at most six entries an axis where there are many elements. */
import type { Tensor } from './tensor.ts'

const FEW = 1000
const EDGE = 3

export function formatTensor(x: Tensor): string {
  const meta = `shape=[${x.shape.join(', ')}], dtype=${x.dtype}${x.requiresGrad ? ', requiresGrad' : ''}`
  if (x.isTraced) return `Tensor(traced, ${meta})`
  const values = x.values()
  const abbreviate = x.size > FEW
  const write = formatter(values, x.dtype === 'bool', x.dtype === 'f32')
  const strides = x.shape.map((_, d) => x.shape.slice(d + 1).reduce((a, b) => a * b, 1))
  const build = (d: number, offset: number): string => {
    if (d === x.ndim) return write(values[offset] as number)
    const extent = x.shape[d] as number
    const shown: string[] = []
    for (let i = 0; i < extent; i++) {
      if (abbreviate && extent > 2 * EDGE && i === EDGE) {
        shown.push('...')
        i = extent - EDGE
      }
      shown.push(build(d + 1, offset + i * (strides[d] as number)))
    }
    const innermost = d === x.ndim - 1
    const separator = innermost ? ', ' : `,${'\n'.repeat(Math.min(2, x.ndim - 1 - d))}${' '.repeat(8 + d)}`
    return `[${shown.join(separator)}]`
  }
  return `Tensor(${build(0, 0)}, ${meta})`
}

function formatter(values: ArrayLike<number>, bool: boolean, float: boolean): (value: number) => string {
  if (bool) return (value) => (value === 0 ? 'false' : 'true').padStart(5)
  const finite = Array.from(values).filter((v) => Number.isFinite(v))
  let largest = 0
  let smallest = Number.POSITIVE_INFINITY
  let whole = true
  for (const value of finite) {
    const size = Math.abs(value)
    largest = Math.max(largest, size)
    if (size > 0) smallest = Math.min(smallest, size)
    whole &&= Number.isInteger(value)
  }
  const special = (value: number): string => (Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf')
  const plain = (value: number): string => {
    if (!float) return String(value)
    if (!Number.isFinite(value)) return special(value)
    if (whole && largest < 1e8) return `${Object.is(value, -0) ? '-0' : value}.`
    if (largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1e8) return value.toExponential(4)
    return value.toFixed(4)
  }
  let width = 0
  for (const value of Array.from(values).slice(0, FEW)) width = Math.max(width, plain(value).length)
  return (value) => plain(value).padStart(width)
}
