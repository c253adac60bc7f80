/** Reductions over axes, which stay with extent 1, and running sums and products. */
import type { Meta } from '../dtype.ts'
import type { ReduceOp } from '../kernel/kernel.ts'
import type { Tensor } from '../tensor.ts'
import { type OpDef, requireDType } from './op.ts'

export interface ReduceAttrs {
  /** Sorted, from 0. */
  readonly axes: readonly number[]
}
type ReduceVjp = NonNullable<OpDef<ReduceAttrs>['vjp']>

function reduce(name: string, op: ReduceOp, vjp: ReduceVjp | null): OpDef<ReduceAttrs> {
  const position = op === 'argmax' || op === 'argmin'
  return {
    name,
    infer: ([x], { axes }) => {
      requireDType(name, x as Meta, 'f32', 'i32')
      const { shape, dtype } = x as Meta
      return { shape: shape.map((extent, d) => (axes.includes(d) ? 1 : extent)), dtype: position ? 'i32' : dtype }
    },
    ...(vjp && { vjp }),
    lower: (_inputs, { axes }) => ({ kind: 'reduce', op, axes }),
  }
}

export const sum = reduce('sum', 'sum', (g, [x]) => [g.expand((x as Tensor).shape)])

/** ∂/∂x_i = the product of all others, exact where elements are zero. */
export const prod = reduce('prod', 'prod', (g, [input], _out, { axes }) => {
  const x = input as Tensor
  const kept = x.shape.map((_, d) => d).filter((d) => !axes.includes(d))
  const order = [...kept, ...axes]
  const rows = x.permute(order)
  const flat = rows.reshape([...kept.map((d) => x.shape[d] as number), -1])
  const before = exclusiveProduct(flat)
  const after = exclusiveProduct(flat.flip(-1)).flip(-1)
  const others = before.mul(after).reshape(rows.shape)
  return [others.permute(order.map((_, d) => order.indexOf(d))).mul(g.expand(x.shape))]
})

/** The product of all earlier elements along the last axis. */
function exclusiveProduct(x: Tensor): Tensor {
  const last = x.shape.length - 1
  const shifted = x
    .pad([1, 0], { value: 1 })
    .slice(...x.shape.map((extent, d) => (d === last ? ([0, extent] as const) : null)))
  return shifted.cumprod(last)
}

/** Equal extremes share the cotangent, as `amax` does in PyTorch. */
const shared: ReduceVjp = (g, [input], out) => {
  const x = input as Tensor
  const mask = x.eq(out.expand(x.shape)).float()
  const count = x.eq(out.expand(x.shape)).float()
  const axes = x.shape.map((_, d) => d).filter((d) => out.shape[d] === 1)
  return [mask.mul(g.div(count.sum(axes, true)).expand(x.shape))]
}
export const amax = reduce('amax', 'max', shared)
export const amin = reduce('amin', 'min', shared)

/** The first extreme takes the whole cotangent, as `max(dim)` does in PyTorch. */
function first(position: 'argmax' | 'argmin'): ReduceVjp {
  return (g, [input], _out, { axes }) => {
    const x = input as Tensor
    const chosen = position === 'argmax' ? x.detach().apply(argmax, { axes }) : x.detach().apply(argmin, { axes })
    return [x.detach().positions(axes).eq(chosen.expand(x.shape)).where(g.expand(x.shape), 0)]
  }
}
export const max = reduce('max', 'max', first('argmax'))
export const min = reduce('min', 'min', first('argmin'))
export const argmax = reduce('argmax', 'argmax', null)
export const argmin = reduce('argmin', 'argmin', null)

function scan(
  name: string,
  op: 'sum' | 'prod',
  vjp: NonNullable<OpDef<{ axis: number }>['vjp']>,
): OpDef<{ axis: number }> {
  return {
    name,
    infer: ([x]) => {
      requireDType(name, x as Meta, 'f32', 'i32')
      return x as Meta
    },
    vjp,
    lower: (_inputs, { axis }) => ({ kind: 'scan', op, axis }),
  }
}

export const cumsum = scan('cumsum', 'sum', (g, _inputs, _out, { axis }) => [g.flip(axis).cumsum(axis).flip(axis)])

/**
 * ∂y_k/∂x_i for k ≥ i is the product of x_j over j ≤ k, j ≠ i: a running product along k with x_i set to 1. It takes
 * the square of the axis in memory, and is exact where elements are zero.
 */
export const cumprod = scan('cumprod', 'prod', (g, [input], _out, { axis }) => {
  const x = input as Tensor
  const n = x.shape[axis] as number
  const last = x.shape.length - 1
  const rows = x.transpose(axis, last)
  const square = [...rows.shape, n]
  const spread = rows.unsqueeze(last).expand(square)
  const i = spread.positions([last])
  const k = spread.positions([last + 1])
  const others = i
    .eq(k)
    .where(1, spread)
    .cumprod(last + 1)
  const terms = k.ge(i).where(others, 0).mul(g.transpose(axis, last).unsqueeze(last).expand(square))
  return [terms.sum(last + 1).transpose(axis, last)]
})
