/**
 * Convolution over any number of spatial axes, without padding (`pad` comes first), as a matrix product that reads
 * windows: x [N, C, ...S], w [O, C/groups, ...K] → [N, O, ...P], P = ⌊(S − dilation·(K − 1) − 1) / stride⌋ + 1.
 *
 * Its two gradients are the same: with respect to x a convolution of the spread cotangent with turned weights, with
 * respect to w a matrix product over all images and places.
 */
import type { Meta, Shape } from '../dtype.ts'
import { sizeOf } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import * as I from '../kernel/index-expr.ts'
import type { Tensor } from '../tensor.ts'
import { pad, unravel } from './movement.ts'
import { type OpDef, requireDType, shapeText } from './op.ts'

export interface ConvAttrs {
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
}

function outputExtents(x: Shape, kernel: Shape, { stride, dilation }: ConvAttrs): number[] {
  return kernel.map((k, i) => {
    const reach = (dilation[i] as number) * (k - 1) + 1
    return Math.floor(((x[i] as number) - reach) / (stride[i] as number)) + 1
  })
}

export const conv: OpDef<ConvAttrs> = {
  name: 'conv',
  infer: ([input, weight], attrs) => {
    const [x, w] = [input as Meta, weight as Meta]
    requireDType('conv', x, 'f32')
    requireDType('conv', w, 'f32')
    const text = `${shapeText(x.shape)} with weight ${shapeText(w.shape)}`
    if (x.shape.length !== w.shape.length || x.shape.length < 3) {
      throw new ShapeError(
        `conv: ${text}: needs input [N, C, ...S] and weight [O, C/groups, ...K] with as many spatial dimensions.`,
      )
    }
    const [channels, perGroup, outputs] = [x.shape[1] as number, w.shape[1] as number, w.shape[0] as number]
    if (channels !== perGroup * attrs.groups) {
      throw new ShapeError(
        `conv: ${text}: the input has ${channels} channels, the weight expects ${perGroup * attrs.groups} (${perGroup} × ${attrs.groups} groups).`,
      )
    }
    if (outputs % attrs.groups !== 0)
      throw new ShapeError(`conv: ${outputs} output channels do not divide into ${attrs.groups} groups.`)
    const extents = outputExtents(x.shape.slice(2), w.shape.slice(2), attrs)
    if (extents.some((extent) => extent < 1)) {
      throw new ShapeError(`conv: ${text}: the (padded) input is smaller than the kernel.`)
    }
    return { shape: [x.shape[0] as number, outputs, ...extents], dtype: 'f32' }
  },
  vjp: (g, [input, weight], _out, attrs) => {
    const [x, w] = [input as Tensor, weight as Tensor]
    return [
      x.requiresGrad ? inputGradient(g, w, x.shape, attrs) : null,
      w.requiresGrad ? g.apply(convWeightGradient, { ...attrs, kernel: w.shape.slice(2) }, x) : null,
    ]
  },
  lower: ([input, weight], { stride, dilation, groups }, out) => {
    const [x, w] = [input as Meta, weight as Meta]
    const [perIn, perOut] = [w.shape[1] as number, (w.shape[0] as number) / groups]
    const kernel = w.shape.slice(2)
    const places = out.shape.slice(2)
    return {
      kind: 'gemm',
      operands: [1, 0],
      batch: [x.shape[0] as number, groups],
      m: perOut,
      n: sizeOf(places),
      k: perIn * sizeOf(kernel),
      a: ([, group], m, k) => [I.add(I.scale(group as I.Index, perOut), m), ...unravel(k, [perIn, ...kernel])],
      b: ([image, group], k, n) => {
        const [channel, ...tap] = unravel(k, [perIn, ...kernel])
        const place = unravel(n, places)
        return [
          image as I.Index,
          I.add(I.scale(group as I.Index, perIn), channel as I.Index),
          ...windowIndex(place, tap, stride, dilation),
        ]
      },
      out: ([image, group], m, n) => [
        image as I.Index,
        I.add(I.scale(group as I.Index, perOut), m),
        ...unravel(n, places),
      ],
    }
  },
}

function windowIndex(
  place: readonly I.Index[],
  tap: readonly I.Index[],
  stride: readonly number[],
  dilation: readonly number[],
): I.Index[] {
  return place.map((p, i) => I.add(I.scale(p, stride[i] as number), I.scale(tap[i] as I.Index, dilation[i] as number)))
}

/** The cotangent spread by the stride and padded, convolved with the weights turned around and channels swapped. */
export function inputGradient(g: Tensor, w: Tensor, input: Shape, attrs: ConvAttrs): Tensor {
  const { stride, dilation, groups } = attrs
  const [outputs, perIn] = [w.shape[0] as number, w.shape[1] as number]
  const kernel = w.shape.slice(2)
  const perOut = outputs / groups
  const axes = kernel.map((_, i) => i)
  const turned = w
    .flip(axes.map((i) => i + 2))
    .reshape([groups, perOut, perIn, ...kernel])
    .transpose(1, 2)
    .reshape([groups * perIn, perOut, ...kernel])
  const padding = axes.map((i) => {
    const reach = (dilation[i] as number) * ((kernel[i] as number) - 1)
    const covered = ((g.shape[2 + i] as number) - 1) * (stride[i] as number) + 1 + reach
    return { low: reach, high: reach + (input[2 + i] as number) - covered, interior: (stride[i] as number) - 1 }
  })
  const none = { low: 0, high: 0, interior: 0 }
  const spread = g.apply(pad, { padding: [none, none, ...padding], value: 0 })
  return spread.apply(conv, { stride: axes.map(() => 1), dilation, groups }, turned)
}

/** inputs: cotangent [N, O, ...P] and x [N, C, ...S]; result [O, C/groups, ...K]. */
export const convWeightGradient: OpDef<ConvAttrs & { kernel: Shape }> = {
  name: 'convWeightGradient',
  infer: ([cotangent, input], { groups, kernel }) => ({
    shape: [(cotangent as Meta).shape[1] as number, ((input as Meta).shape[1] as number) / groups, ...kernel],
    dtype: 'f32',
  }),
  vjp: (gw, [cotangent, input], _out, attrs) => {
    const [g, x] = [cotangent as Tensor, input as Tensor]
    const reached = attrs.kernel.map((k, i) => {
      const places = g.shape[2 + i] as number
      return (places - 1) * (attrs.stride[i] as number) + (attrs.dilation[i] as number) * (k - 1) + 1
    })
    const seen = x.slice(null, null, ...reached.map((extent) => [0, extent] as const))
    return [seen.apply(conv, attrs, gw), inputGradient(g, gw, x.shape, attrs)]
  },
  lower: ([cotangent, input], { stride, dilation, groups, kernel }) => {
    const [g, x] = [cotangent as Meta, input as Meta]
    const [perOut, perIn] = [(g.shape[1] as number) / groups, (x.shape[1] as number) / groups]
    const places = g.shape.slice(2)
    return {
      kind: 'gemm',
      operands: [0, 1],
      batch: [groups],
      m: perOut,
      n: perIn * sizeOf(kernel),
      k: sizeOf([g.shape[0] as number, ...places]),
      a: ([group], m, k) => {
        const [image, ...place] = unravel(k, [g.shape[0] as number, ...places])
        return [image as I.Index, I.add(I.scale(group as I.Index, perOut), m), ...place]
      },
      b: ([group], k, n) => {
        const [image, ...place] = unravel(k, [g.shape[0] as number, ...places])
        const [channel, ...tap] = unravel(n, [perIn, ...kernel])
        return [
          image as I.Index,
          I.add(I.scale(group as I.Index, perIn), channel as I.Index),
          ...windowIndex(place, tap, stride, dilation),
        ]
      },
      out: ([group], m, n) => [I.add(I.scale(group as I.Index, perOut), m), ...unravel(n, [perIn, ...kernel])],
    }
  },
}
