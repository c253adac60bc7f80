/** Operations whose places depend on values: gather, scatterAdd, sorting; and positions themselves. */
import type { Meta, Shape } from '../dtype.ts'
import { contiguousStrides } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { Tensor } from '../tensor.ts'
import { type OpDef, requireDType, shapeText } from './op.ts'

/** out[..., i, ...] = x[..., index[..., i, ...], ...] along `axis`; the index is no larger than x elsewhere. */
export const gather: OpDef<{ axis: number; label: string }> = {
  name: 'gather',
  infer: ([input, positions], { axis, label }) => {
    const [x, index] = [input as Meta, positions as Meta]
    requireDType(label, index, 'i32')
    requireIndexShape(label, x.shape, index.shape, axis)
    return { shape: index.shape, dtype: x.dtype }
  },
  vjp: (g, [x, index], _out, { axis }) => [
    (x as Tensor)
      .detach()
      .zerosLike()
      .scatterAdd(axis, index as Tensor, g),
    null,
  ],
  lower: ([x], { axis, label }) => ({
    kind: 'map',
    form: 'movement',
    cost: 6,
    inMemory: [0],
    checks: true,
    value: (at, context) => {
      const position = context.check(context.read(1, at), label, (x as Meta).shape[axis] as number)
      return context.gather(0, at, axis, position)
    },
  }),
}

function requireIndexShape(label: string, x: Shape, index: Shape, axis: number): void {
  const fits = x.length === index.length && index.every((extent, d) => d === axis || extent <= (x[d] as number))
  if (!fits) {
    throw new ShapeError(
      `${label}: index ${shapeText(index)} must have as many dimensions as ${shapeText(x)} and be no larger but along dimension ${axis}.`,
    )
  }
}

/** inputs x, index, source: x with source[..., j, ...] added at place index[..., j, ...] along `axis`. */
export const scatterAdd: OpDef<{ axis: number }> = {
  name: 'scatterAdd',
  infer: ([input, positions, values], { axis }) => {
    const [x, index, source] = [input as Meta, positions as Meta, values as Meta]
    requireDType('scatterAdd', index, 'i32')
    requireDType('scatterAdd', source, x.dtype)
    requireIndexShape('scatterAdd', x.shape, index.shape, axis)
    return x
  },
  vjp: (g, [, index], _out, { axis }) => [g, null, g.gather(axis, index as Tensor)],
  lower: (_inputs, { axis }) => ({ kind: 'scatter', axis, label: 'scatterAdd' }),
}

/** The positions that sort the last axis; stable, NaN last. */
export const argsort: OpDef<{ descending: boolean }> = {
  name: 'argsort',
  infer: ([x]) => {
    requireDType('sort', x as Meta, 'f32', 'i32')
    return { shape: (x as Meta).shape, dtype: 'i32' }
  },
  lower: (_inputs, { descending }) => ({ kind: 'argsort', descending }),
}

/** The row-major number of each element, over `axes` alone: an i32 of the given shape, from no input. */
export const positions: OpDef<{ shape: Shape; axes: readonly number[] }> = {
  name: 'positions',
  infer: (_inputs, { shape }) => ({ shape, dtype: 'i32' }),
  lower: (_inputs, { shape, axes }) => ({
    kind: 'map',
    form: 'pointwise',
    cost: 1,
    inMemory: [],
    value: (at) => {
      const strides = contiguousStrides(axes.map((d) => shape[d] as number))
      return E.indexValue(
        I.dot(
          axes.map((d) => at[d] as I.Index),
          strides,
        ),
      )
    },
  }),
}
