/** Operations that only say where elements come from. In eager mode most are views without a copy. */
import type { Meta, Shape } from '../dtype.ts'
import { contiguousStrides, sameShape, sizeOf } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { Tensor } from '../tensor.ts'
import { type Lowering, type OpDef, shapeText } from './op.ts'

function movement(source: (at: readonly I.Index[]) => readonly I.Index[]): Lowering {
  return { kind: 'map', form: 'movement', cost: 0, inMemory: [], value: (at, context) => context.read(0, source(at)) }
}

/** The coordinates of the element with this row-major number. */
export function unravel(flat: I.Index, shape: Shape): I.Index[] {
  const strides = contiguousStrides(shape)
  return shape.map((extent, d) => (extent === 1 ? I.constant(0) : I.mod(I.div(flat, strides[d] as number), extent)))
}

export const reshape: OpDef<{ shape: Shape }> = {
  name: 'reshape',
  infer: ([x], { shape }) => {
    const { shape: from, dtype } = x as Meta
    if (sizeOf(shape) !== sizeOf(from)) {
      throw new ShapeError(
        `reshape: ${shapeText(from)} has ${sizeOf(from)} elements, ${shapeText(shape)} would have ${sizeOf(shape)}.`,
      )
    }
    return { shape, dtype }
  },
  vjp: (g, [x]) => [g.reshape((x as Tensor).shape)],
  lower: ([x], { shape }) => movement((at) => unravel(I.dot(at, contiguousStrides(shape)), (x as Meta).shape)),
  view: ({ shape: from, strides, offset }, { shape }) => {
    const contiguous = contiguousStrides(from)
    for (let d = 0; d < from.length; d++) if (from[d] !== 1 && strides[d] !== contiguous[d]) return null
    return { shape, strides: contiguousStrides(shape), offset }
  },
}

export const permute: OpDef<{ dims: readonly number[] }> = {
  name: 'permute',
  infer: ([x], { dims }) => ({ shape: dims.map((d) => (x as Meta).shape[d] as number), dtype: (x as Meta).dtype }),
  vjp: (g, _inputs, _out, { dims }) => [g.permute(dims.map((_, d) => dims.indexOf(d)))],
  lower: (_inputs, { dims }) => movement((at) => dims.map((_, d) => at[dims.indexOf(d)] as I.Index)),
  view: ({ shape, strides, offset }, { dims }) => ({
    shape: dims.map((d) => shape[d] as number),
    strides: dims.map((d) => strides[d] as number),
    offset,
  }),
}

/** Axes of extent 1 repeated; new axes in front. */
export const expand: OpDef<{ shape: Shape }> = {
  name: 'expand',
  infer: ([x], { shape }) => {
    const from = (x as Meta).shape
    const lead = shape.length - from.length
    const fits = lead >= 0 && from.every((extent, d) => extent === 1 || extent === shape[lead + d])
    if (!fits)
      throw new ShapeError(
        `expand: ${shapeText(from)} does not expand to ${shapeText(shape)}: only extents of 1 can be repeated.`,
      )
    return { shape, dtype: (x as Meta).dtype }
  },
  vjp: (g, [input]) => {
    const x = input as Tensor
    const lead = g.shape.length - x.shape.length
    const repeated = g.shape.map((_, d) => d).filter((d) => d < lead || (x.shape[d - lead] === 1 && g.shape[d] !== 1))
    return [repeated.length === 0 ? g.reshape(x.shape) : g.sum(repeated, true).reshape(x.shape)]
  },
  lower: ([x], { shape }) => {
    const from = (x as Meta).shape
    const lead = shape.length - from.length
    return movement((at) => from.map((extent, d) => (extent === 1 ? I.constant(0) : (at[lead + d] as I.Index))))
  },
  view: ({ shape: from, strides, offset }, { shape }) => {
    const lead = shape.length - from.length
    return {
      shape,
      strides: shape.map((_, d) => (d < lead || from[d - lead] === 1 ? 0 : (strides[d - lead] as number))),
      offset,
    }
  },
}

export interface SliceSpec {
  readonly start: number
  readonly step: number
  readonly length: number
}

/** Element i of an axis is element start + i·step; a negative step reverses. */
export const slice: OpDef<{ specs: readonly SliceSpec[] }> = {
  name: 'slice',
  infer: ([x], { specs }) => ({ shape: specs.map((s) => s.length), dtype: (x as Meta).dtype }),
  vjp: (g, [input], _out, { specs }) => {
    const x = input as Tensor
    const reversed = specs.map((s, d) => (s.step < 0 ? d : -1)).filter((d) => d >= 0)
    const forward = reversed.length > 0 ? g.flip(reversed) : g
    const padding = specs.map((s, d) => {
      const step = Math.abs(s.step)
      const low = s.step < 0 ? s.start + s.step * (s.length - 1) : s.start
      const high = (x.shape[d] as number) - low - (Math.max(s.length - 1, 0) * step + (s.length > 0 ? 1 : 0))
      return { low, high, interior: step - 1 }
    })
    return [forward.apply(pad, { padding, value: 0 })]
  },
  lower: (_inputs, { specs }) =>
    movement((at) => specs.map((s, d) => I.addConstant(I.scale(at[d] as I.Index, s.step), s.start))),
  view: ({ strides, offset }, { specs }) => ({
    shape: specs.map((s) => s.length),
    strides: specs.map((s, d) => (strides[d] as number) * s.step),
    offset: specs.reduce((sum, s, d) => sum + (strides[d] as number) * s.start, offset),
  }),
}

export interface WindowSpec {
  readonly size: number
  readonly stride: number
  readonly dilation: number
}

/** The last axes S become O…, K…: element (o, k) of an axis is element o·stride + k·dilation. */
export const windows: OpDef<{ specs: readonly WindowSpec[] }> = {
  name: 'windows',
  infer: ([x], { specs }) => {
    const { shape, dtype } = x as Meta
    const lead = shape.length - specs.length
    const counts = specs.map(
      (s, i) => Math.floor(((shape[lead + i] as number) - s.dilation * (s.size - 1) - 1) / s.stride) + 1,
    )
    if (counts.some((c) => c < 1)) {
      throw new ShapeError(
        `windows: windows of ${specs.map((s) => s.dilation * (s.size - 1) + 1).join('×')} do not fit into ${shapeText(shape)}.`,
      )
    }
    return { shape: [...shape.slice(0, lead), ...counts, ...specs.map((s) => s.size)], dtype }
  },
  /** Every window position sends its cotangents back to where it read: a sum over positions, each padded in place. */
  vjp: (g, [input], _out, { specs }) => {
    const x = input as Tensor
    const spatial = specs.length
    const lead = x.shape.length - spatial
    const positions = sizeOf(specs.map((s) => s.size))
    let total: Tensor | null = null
    for (let p = 0; p < positions; p++) {
      const k = unravelNumber(
        p,
        specs.map((s) => s.size),
      )
      const part = g.slice(...g.shape.map((_, d) => (d < lead + spatial ? null : (k[d - lead - spatial] as number))))
      const padding = x.shape.map((extent, d) => {
        if (d < lead) return { low: 0, high: 0, interior: 0 }
        const s = specs[d - lead] as WindowSpec
        const low = (k[d - lead] as number) * s.dilation
        return { low, high: extent - low - ((part.shape[d] as number) - 1) * s.stride - 1, interior: s.stride - 1 }
      })
      const placed = part.apply(pad, { padding, value: 0 })
      total = total ? total.add(placed) : placed
    }
    return [total]
  },
  lower: ([x], { specs }) => {
    const lead = (x as Meta).shape.length - specs.length
    return movement((at) => [
      ...at.slice(0, lead),
      ...specs.map((s, i) =>
        I.add(I.scale(at[lead + i] as I.Index, s.stride), I.scale(at[lead + specs.length + i] as I.Index, s.dilation)),
      ),
    ])
  },
  view: ({ shape, strides, offset }, { specs }) => {
    const lead = shape.length - specs.length
    const counts = specs.map(
      (s, i) => Math.floor(((shape[lead + i] as number) - s.dilation * (s.size - 1) - 1) / s.stride) + 1,
    )
    const spatial = strides.slice(lead)
    return {
      shape: [...shape.slice(0, lead), ...counts, ...specs.map((s) => s.size)],
      strides: [
        ...strides.slice(0, lead),
        ...specs.map((s, i) => (spatial[i] as number) * s.stride),
        ...specs.map((s, i) => (spatial[i] as number) * s.dilation),
      ],
      offset,
    }
  },
}

function unravelNumber(flat: number, shape: Shape): number[] {
  return contiguousStrides(shape).map((stride, d) => Math.floor(flat / stride) % (shape[d] as number))
}

/** [..., n, n] to [..., n]: element (i, i). */
export const diagonal: OpDef<Record<string, never>> = {
  name: 'diagonal',
  infer: ([x]) => {
    const { shape, dtype } = x as Meta
    const n = shape.at(-1)
    if (shape.length < 2 || n !== shape.at(-2))
      throw new ShapeError(`diagonal: the last two dimensions must be equal, got ${shapeText(shape)}.`)
    return { shape: shape.slice(0, -1), dtype }
  },
  vjp: (g, [input]) => {
    const x = input as Tensor
    const [i, j] = [x.shape.length - 2, x.shape.length - 1]
    return [
      x
        .detach()
        .positions([i])
        .eq(x.detach().positions([j]))
        .where(g.unsqueeze(-1).expand(x.shape), 0),
    ]
  },
  lower: () => movement((at) => [...at, at.at(-1) as I.Index]),
  view: ({ shape, strides, offset }) => ({
    shape: shape.slice(0, -1),
    strides: [...strides.slice(0, -2), (strides.at(-2) as number) + (strides.at(-1) as number)],
    offset,
  }),
}

/** Row-major storage seen through strides; a value that changed while tracing is read through it. Not differentiable. */
export const asStrided: OpDef<{ shape: Shape; strides: readonly number[]; offset: number }> = {
  name: 'asStrided',
  infer: ([x], { shape }) => ({ shape, dtype: (x as Meta).dtype }),
  lower: (_inputs, { strides, offset }) => movement((at) => [I.addConstant(I.dot(at, strides), offset)]),
}

export interface Padding {
  readonly low: number
  readonly high: number
  /** How many elements come between two. */
  readonly interior: number
}

/** Constant padding in front, behind and between elements; negative `low` or `high` cut off. */
export const pad: OpDef<{ padding: readonly Padding[]; value: number }> = {
  name: 'pad',
  infer: ([x], { padding }) => {
    const { shape, dtype } = x as Meta
    const result = shape.map((extent, d) => {
      const p = padding[d] as Padding
      return p.low + p.high + extent + Math.max(extent - 1, 0) * p.interior
    })
    if (result.some((extent) => extent < 0)) throw new ShapeError(`pad: nothing of ${shapeText(shape)} would be left.`)
    return { shape: result, dtype }
  },
  vjp: (g, [input], _out, { padding }) => {
    const x = input as Tensor
    const trimmed = g.apply(pad, {
      padding: padding.map((p) => ({ low: Math.min(0, -p.low), high: Math.min(0, -p.high), interior: 0 })),
      value: 0,
    })
    const widened = trimmed.apply(pad, {
      padding: padding.map((p) => ({ low: Math.max(0, -p.low), high: Math.max(0, -p.high), interior: 0 })),
      value: 0,
    })
    const specs = padding.map((p, d) => ({ start: 0, step: p.interior + 1, length: x.shape[d] as number }))
    return [widened.apply(slice, { specs })]
  },
  lower: ([x], { padding, value }) => {
    const { shape, dtype } = x as Meta
    const plain = padding.every((p) => p.low <= 0 && p.high <= 0 && p.interior === 0)
    if (plain) return movement((at) => at.map((i, d) => I.addConstant(i, -(padding[d] as Padding).low)))
    return {
      kind: 'map',
      form: 'guarded',
      cost: 4,
      inMemory: [],
      value: (at, context) => {
        const source: I.Index[] = []
        let inside: E.Expr | null = null
        const require = (condition: E.Expr): void => {
          inside = inside ? E.binary('and', inside, condition) : condition
        }
        for (let d = 0; d < shape.length; d++) {
          const { low, high, interior } = padding[d] as Padding
          const extent = shape[d] as number
          const shifted = I.addConstant(at[d] as I.Index, -low)
          const spread = extent + Math.max(extent - 1, 0) * interior
          if (low > 0) require(E.binary('le', E.i32(0), E.indexValue(shifted)))
          if (high > 0) require(E.binary('lt', E.indexValue(shifted), E.i32(spread)))
          if (interior > 0) require(E.binary('eq', E.indexValue(I.mod(shifted, interior + 1)), E.i32(0)))
          source.push(I.div(shifted, interior + 1))
        }
        const read = context.read(0, source, true)
        return inside ? E.select(inside, read, { kind: 'const', dtype, value }) : read
      },
    }
  },
}

export const cat: OpDef<{ axis: number }> = {
  name: 'cat',
  infer: (inputs, { axis }) => {
    const { shape, dtype } = inputs[0] as Meta
    let total = 0
    for (const x of inputs) {
      const others = x.shape.map((extent, d) => (d === axis ? (shape[axis] as number) : extent))
      if (x.shape.length !== shape.length || !sameShape(others, shape)) {
        throw new ShapeError(
          `cat: ${shapeText(shape)} and ${shapeText(x.shape)} differ in another dimension than ${axis}.`,
        )
      }
      total += x.shape[axis] as number
    }
    return { shape: shape.map((extent, d) => (d === axis ? total : extent)), dtype }
  },
  vjp: (g, inputs, _out, { axis }) => {
    let start = 0
    return inputs.map((x) => {
      const length = x.shape[axis] as number
      const part = g.slice(...g.shape.map((_, d) => (d === axis ? ([start, start + length] as const) : null)))
      start += length
      return part
    })
  },
  lower: (inputs, { axis }) => ({
    kind: 'map',
    form: 'guarded',
    cost: 2 * inputs.length,
    inMemory: [],
    ...(inputs.every((x) => sameShape(x.shape, (inputs[0] as Meta).shape)) ? { pieces: axis } : {}),
    value: (at, context) => {
      const position = at[axis] as I.Index
      const readFrom = (i: number, start: number): E.Expr => {
        const source = at.map((index, d) => (d === axis ? I.addConstant(index, -start) : index))
        const read = context.read(i, source, inputs.length > 1)
        if (i === inputs.length - 1) return read
        const end = start + ((inputs[i] as Meta).shape[axis] as number)
        return E.select(E.binary('lt', E.indexValue(position), E.i32(end)), read, readFrom(i + 1, end))
      }
      return readFrom(0, 0)
    },
  }),
}
