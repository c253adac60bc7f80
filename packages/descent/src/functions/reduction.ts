/** Reductions over any dimensions, and what is made of them. */

import { withVjp } from '../apply.ts'
import { ShapeError } from '../errors.ts'
import { normalizeAxis, type OpDef, shapeText } from '../ops/op.ts'
import type { ReduceAttrs } from '../ops/reduce.ts'
import type { Dims, Tensor } from '../tensor.ts'

export function axesOf(op: string, x: Tensor, dim: Dims): number[] {
  if (dim === null) return x.shape.map((_, d) => d)
  const axes = (typeof dim === 'number' ? [dim] : dim)
    .map((d) => normalizeAxis(op, d, x.ndim))
    .filter((d) => d < x.ndim)
  if (new Set(axes).size !== axes.length) throw new ShapeError(`${op}: dimensions [${axes.join(', ')}] name one twice.`)
  return axes.sort((a, b) => a - b)
}

export function reduceOver(x: Tensor, op: OpDef<ReduceAttrs>, dim: Dims, keepdim: boolean): Tensor {
  const axes = axesOf(op.name, x, dim)
  const empty = axes.some((d) => x.shape[d] === 0) || (dim === null && x.size === 0)
  if (empty && op.name !== 'sum' && op.name !== 'prod') {
    throw new ShapeError(`${op.name}: dimension of extent 0 in ${shapeText(x.shape)} has no ${op.name}.`)
  }
  const zero = op.name === 'sum' && x.sumsToZeroOver !== null && String(x.sumsToZeroOver) === String(axes)
  if (zero) return zeroSum(x, axes, keepdim)
  const kept = axes.length === 0 && !op.name.startsWith('arg') ? x : x.apply(op, { axes })
  if (keepdim) return kept
  return kept.reshape(kept.shape.filter((_, d) => !axes.includes(d)))
}

/** Zero for every sum, or NaN: where one value of a centred group is no number, none is. */
function zeroSum(x: Tensor, axes: readonly number[], keepdim: boolean): Tensor {
  const first = x.slice(...x.shape.map((_, d) => (axes.includes(d) ? ([0, 1] as const) : null))).mul(0)
  return keepdim ? first : first.reshape(first.shape.filter((_, d) => !axes.includes(d)))
}

export function variance(x: Tensor, dim: Dims, correction: number, keepdim: boolean): Tensor {
  const axes = axesOf('variance', x, dim)
  const count = axes.reduce((n, d) => n * (x.shape[d] as number), 1)
  const centred = center(x, axes)
  const divisor = Math.max(0, count - correction)
  return centred.mul(centred).sum(axes, keepdim).div(divisor)
}

/**
 * x − mean(x). Its cotangent is centred too, so that its sum is zero; that is said of it, for the sum of its rounding
 * errors is not, and an optimizer that divides by a gradient's size would follow them (a bias before a batch norm).
 */
export function center(x: Tensor, axes: readonly number[]): Tensor {
  const subtract = (y: Tensor): Tensor => y.sub(y.mean(axes, true))
  return withVjp(
    'center',
    [x],
    () => subtract(x),
    (g) => {
      const cotangent = g.requiresGrad ? center(g, axes) : subtract(g)
      cotangent.sumsToZeroOver = axes
      return [cotangent]
    },
  )
}

export function logsumexp(x: Tensor, dim: Dims, keepdim: boolean): Tensor {
  const axes = axesOf('logsumexp', x, dim)
  const largest = x.detach().amax(axes, true)
  const shift = largest.abs().lt(Number.POSITIVE_INFINITY).where(largest, 0)
  const result = x.sub(shift).exp().sum(axes, true).log().add(shift)
  return keepdim ? result : result.reshape(result.shape.filter((_, d) => !axes.includes(d)))
}

export function norm(x: Tensor, ord: number, dim: Dims, keepdim: boolean): Tensor {
  if (ord === 2) {
    const square = x.mul(x).sum(dim, keepdim)
    const zero = square.eq(0)
    return zero.where(0, zero.where(1, square).sqrt())
  }
  if (ord === 1) return x.abs().sum(dim, keepdim)
  if (ord === Number.POSITIVE_INFINITY) return x.abs().amax(dim, keepdim)
  if (ord === Number.NEGATIVE_INFINITY) return x.abs().amin(dim, keepdim)
  if (ord === 0) return x.ne(0).float().sum(dim, keepdim)
  // Where the root or a power has no slope, at 0, the gradient is 0, as in PyTorch.
  const root = (y: Tensor, power: number) => {
    const zero = y.eq(0)
    return zero.where(0, zero.where(1, y).pow(power))
  }
  const powers = ord > 0 && ord < 1 ? root(x.abs(), ord) : x.abs().pow(ord)
  return root(powers.sum(dim, keepdim), 1 / ord)
}

export function softmax(x: Tensor, dim: number): Tensor {
  return withVjp(
    'softmax',
    [x],
    () => {
      const e = x.sub(x.amax(dim, true)).exp()
      return e.div(e.sum(dim, true))
    },
    (g, y) => [y.mul(g.sub(g.mul(y).sum(dim, true)))],
  )
}

export function logSoftmax(x: Tensor, dim: number): Tensor {
  return withVjp(
    'logSoftmax',
    [x],
    () => {
      const shifted = x.sub(x.amax(dim, true))
      return shifted.sub(shifted.exp().sum(dim, true).log())
    },
    (g, y) => [g.sub(y.exp().mul(g.sum(dim, true)))],
  )
}
