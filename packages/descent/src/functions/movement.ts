/** Shapes, views, and joining. */

import { applyOp, deviceOf } from '../apply.ts'
import { type Shape, sameShape, sizeOf } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import * as movement from '../ops/movement.ts'
import { normalizeAxis, shapeText } from '../ops/op.ts'
import type { AxisIndex, Tensor } from '../tensor.ts'
import { promote } from './arithmetic.ts'

export function reshape(x: Tensor, shape: Shape): Tensor {
  const open = shape.indexOf(-1)
  let full = shape
  if (open >= 0) {
    const known = sizeOf(shape.filter((_, d) => d !== open))
    const rest = known === 0 ? 0 : x.size / known
    if (shape.indexOf(-1, open + 1) >= 0 || !Number.isInteger(rest)) {
      throw new ShapeError(`reshape: ${shapeText(x.shape)} with ${x.size} elements does not fit ${shapeText(shape)}.`)
    }
    full = shape.map((extent, d) => (d === open ? rest : extent))
  }
  return sameShape(full, x.shape) ? x : x.apply(movement.reshape, { shape: full })
}

export function flatten(x: Tensor, start: number, end: number): Tensor {
  if (x.ndim === 0) return x.reshape([1])
  const first = normalizeAxis('flatten', start, x.ndim)
  const last = normalizeAxis('flatten', end, x.ndim)
  return x.reshape([...x.shape.slice(0, first), sizeOf(x.shape.slice(first, last + 1)), ...x.shape.slice(last + 1)])
}

export function permute(x: Tensor, dims: readonly number[]): Tensor {
  const order = dims.map((d) => normalizeAxis('permute', d, x.ndim))
  if (order.length !== x.ndim || new Set(order).size !== x.ndim) {
    throw new ShapeError(
      `permute: [${dims.join(', ')}] must name each of the ${x.ndim} dimensions of ${shapeText(x.shape)} once.`,
    )
  }
  return order.every((d, i) => d === i) ? x : x.apply(movement.permute, { dims: order })
}

export function transpose(x: Tensor, a: number, b: number): Tensor {
  const [first, second] = [normalizeAxis('transpose', a, x.ndim), normalizeAxis('transpose', b, x.ndim)]
  return permute(
    x,
    x.shape.map((_, d) => (d === first ? second : d === second ? first : d)),
  )
}

export function expand(x: Tensor, shape: Shape): Tensor {
  const lead = shape.length - x.ndim
  const full = shape.includes(-1)
    ? shape.map((extent, d) => (extent === -1 && d >= lead ? (x.shape[d - lead] as number) : extent))
    : shape
  return sameShape(full, x.shape) ? x : x.apply(movement.expand, { shape: full })
}

export function squeeze(x: Tensor, dim?: number): Tensor {
  if (dim === undefined) return x.reshape(x.shape.filter((extent) => extent !== 1))
  const axis = normalizeAxis('squeeze', dim, x.ndim)
  return x.shape[axis] === 1 ? x.reshape(x.shape.filter((_, d) => d !== axis)) : x
}

export function unsqueeze(x: Tensor, dim: number): Tensor {
  const axis = normalizeAxis('unsqueeze', dim, x.ndim + 1)
  return x.reshape([...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)])
}

export function flip(x: Tensor, dims: readonly number[]): Tensor {
  const axes = dims.map((d) => normalizeAxis('flip', d, x.ndim))
  const specs = x.shape.map((length, d) =>
    axes.includes(d) ? { start: length - 1, step: -1, length } : { start: 0, step: 1, length },
  )
  return x.apply(movement.slice, { specs })
}

export function roll(x: Tensor, shift: number, dim: number): Tensor {
  const axis = normalizeAxis('roll', dim, x.ndim)
  const extent = x.shape[axis] as number
  const by = extent === 0 ? 0 : ((shift % extent) + extent) % extent
  if (by === 0) return x
  const part = (start: number, stop: number): Tensor =>
    x.slice(...x.shape.map((_, d) => (d === axis ? ([start, stop] as const) : null)))
  return cat([part(extent - by, extent), part(0, extent - by)], axis)
}

export function slice(x: Tensor, specs: readonly AxisIndex[]): Tensor {
  if (specs.length > x.ndim)
    throw new ShapeError(`slice: ${specs.length} entries for the ${x.ndim} dimensions of ${shapeText(x.shape)}.`)
  const dropped: number[] = []
  const resolved = x.shape.map((extent, d) => {
    const spec = specs[d] ?? null
    if (spec === null) return { start: 0, step: 1, length: extent }
    if (typeof spec === 'number') {
      const place = spec < 0 ? spec + extent : spec
      if (!Number.isInteger(spec) || place < 0 || place >= extent) {
        throw new ShapeError(
          `slice: place ${spec} does not exist in dimension ${d} of ${shapeText(x.shape)}; it must be in [${-extent}, ${extent - 1}].`,
        )
      }
      dropped.push(d)
      return { start: place, step: 1, length: 1 }
    }
    return resolveRange(spec, extent)
  })
  const whole = resolved.every((s, d) => s.start === 0 && s.step === 1 && s.length === x.shape[d])
  const part = whole ? x : x.apply(movement.slice, { specs: resolved })
  return dropped.length > 0 ? part.reshape(part.shape.filter((_, d) => !dropped.includes(d))) : part
}

/** Python's rule for start:stop:step. */
function resolveRange([start, stop, step = 1]: Exclude<AxisIndex, null | number>, extent: number): movement.SliceSpec {
  if (!Number.isInteger(step) || step === 0)
    throw new ShapeError(`slice: step ${step} must be a whole number other than 0.`)
  const limit = (place: number): number => {
    const from = place < 0 ? place + extent : place
    return step > 0 ? Math.min(Math.max(from, 0), extent) : Math.min(Math.max(from, -1), extent - 1)
  }
  const first = start === null ? (step > 0 ? 0 : extent - 1) : limit(start)
  const end = stop === null ? (step > 0 ? extent : -1) : limit(stop)
  const length = Math.max(0, Math.ceil((end - first) / step))
  return length === 0 ? { start: 0, step: 1, length: 0 } : { start: first, step, length }
}

export function split(x: Tensor, size: number | readonly number[], dim: number): Tensor[] {
  const axis = normalizeAxis('split', dim, x.ndim)
  const extent = x.shape[axis] as number
  if (typeof size === 'number' && size < 1) throw new ShapeError(`split: parts of ${size} are not possible.`)
  const sizes =
    typeof size === 'number'
      ? Array.from({ length: Math.ceil(extent / size) }, (_, i) => Math.min(size, extent - i * size))
      : size
  if (sizes.reduce((a, b) => a + b, 0) !== extent) {
    throw new ShapeError(
      `split: sizes [${sizes.join(', ')}] do not add up to ${extent}, the extent of dimension ${axis}.`,
    )
  }
  let start = 0
  return sizes.map((length) => {
    const range = [start, start + length] as const
    start += length
    return x.slice(...x.shape.map((_, d) => (d === axis ? range : null)))
  })
}

/** Joins tensors along a dimension that exists. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const [first] = tensors
  if (!first) throw new ShapeError('cat: needs at least one tensor.')
  const axis = normalizeAxis('cat', dim, first.ndim)
  const dtype = tensors.reduce((a, b) => promote(a, b, false)[0], first).dtype
  return applyOp(
    deviceOf(first),
    movement.cat,
    { axis },
    tensors.map((x) => x.to(dtype)),
  )
}

/** Joins tensors of one shape along a new dimension. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const [first] = tensors
  if (!first) throw new ShapeError('stack: needs at least one tensor.')
  const other = tensors.find((x) => !sameShape(x.shape, first.shape))
  if (other) throw new ShapeError(`stack: shapes ${shapeText(first.shape)} and ${shapeText(other.shape)} differ.`)
  const axis = normalizeAxis('stack', dim, first.ndim + 1)
  return cat(
    tensors.map((x) => x.unsqueeze(axis)),
    axis,
  )
}

export function pad(
  x: Tensor,
  widths: readonly number[],
  mode: 'constant' | 'reflect' | 'replicate',
  value: number,
): Tensor {
  if (widths.length % 2 !== 0 || widths.length > 2 * x.ndim) {
    throw new ShapeError(
      `pad: [${widths.join(', ')}] must hold two widths for each of the last dimensions of ${shapeText(x.shape)}.`,
    )
  }
  const padding = x.shape.map((_, d) => {
    const i = 2 * (x.ndim - 1 - d)
    return { low: widths[i] ?? 0, high: widths[i + 1] ?? 0, interior: 0 }
  })
  if (mode === 'constant')
    return padding.every((p) => p.low === 0 && p.high === 0) ? x : x.apply(movement.pad, { padding, value })
  return padding.reduce(
    (result, { low, high }, axis) => (low === 0 && high === 0 ? result : edge(result, axis, low, high, mode)),
    x,
  )
}

function edge(x: Tensor, axis: number, low: number, high: number, mode: 'reflect' | 'replicate'): Tensor {
  const extent = x.shape[axis] as number
  if (mode === 'reflect' && Math.max(low, high) >= extent) {
    throw new ShapeError(
      `pad: reflecting ${Math.max(low, high)} elements needs an extent above that; dimension ${axis} of ${shapeText(x.shape)} has ${extent}.`,
    )
  }
  const part = (start: number, stop: number): Tensor =>
    x.slice(...x.shape.map((_, d) => (d === axis ? ([start, stop] as const) : null)))
  const repeated = (place: number, count: number): Tensor =>
    part(place, place + 1).expand(x.shape.map((e, d) => (d === axis ? count : e)))
  const parts: Tensor[] = []
  if (low > 0) parts.push(mode === 'reflect' ? part(1, low + 1).flip(axis) : repeated(0, low))
  parts.push(x)
  if (high > 0)
    parts.push(mode === 'reflect' ? part(extent - 1 - high, extent - 1).flip(axis) : repeated(extent - 1, high))
  return cat(parts, axis)
}

/** Windows that touch without overlap are a reshape, whose gradient needs no sum. */
export function windows(x: Tensor, specs: readonly movement.WindowSpec[]): Tensor {
  const lead = x.ndim - specs.length
  const tiles = specs.every((s, i) => s.stride === s.size && s.dilation === 1 && (x.shape[lead + i] ?? 0) >= s.size)
  if (!tiles) return x.apply(movement.windows, { specs })
  const counts = specs.map((s, i) => Math.floor((x.shape[lead + i] as number) / s.size))
  const covered = x.slice(
    ...x.shape.map((_, d) =>
      d < lead ? null : ([0, (counts[d - lead] as number) * (specs[d - lead]?.size ?? 1)] as const),
    ),
  )
  const split = covered.reshape([...x.shape.slice(0, lead), ...specs.flatMap((s, i) => [counts[i] as number, s.size])])
  return split.permute([
    ...x.shape.slice(0, lead).map((_, d) => d),
    ...specs.map((_, i) => lead + 2 * i),
    ...specs.map((_, i) => lead + 2 * i + 1),
  ])
}

export function triangle(x: Tensor, diagonal: number, side: 'lower' | 'upper'): Tensor {
  if (x.ndim < 2)
    throw new ShapeError(`${side === 'lower' ? 'tril' : 'triu'}: needs a matrix, got ${shapeText(x.shape)}.`)
  const row = x.positions([x.ndim - 2])
  const column = x.positions([x.ndim - 1]).sub(diagonal)
  return (side === 'lower' ? column.le(row) : column.ge(row)).where(x, 0)
}
