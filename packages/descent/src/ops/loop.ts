/**
 * A loop as one operation, like `lax.scan`: in each iteration the body, a graph of its own, makes the next carries and a
 * slice of each output from the carries, a slice of each sequence, and constants. Its one result is flat and holds, region after
 * region, each carry (all its values, or, unless it is kept, the last two) and each output stacked along a first axis.
 *
 * inputs: the initial carries; the sequences [count, ...]; the constants.
 */
import type { Meta, Shape } from '../dtype.ts'
import { sameShape, sizeOf } from '../dtype.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Graph, Node, Source } from '../graph/graph.ts'
import type { Part } from '../kernel/kernel.ts'
import type { Tensor } from '../tensor.ts'
import { type OpDef, shapeText } from './op.ts'

/** What an iteration computes. Equal bodies have equal text, which is what JSON makes of them. */
export interface LoopBody {
  readonly graph: Graph
  /** Of the carries, of the slices, of the constants. */
  readonly inputs: readonly Source[]
  /** The next carries, then the slices of the outputs. */
  readonly results: readonly Node[]
  readonly text: string
  toJSON(): string
  vjp: NonNullable<OpDef<LoopAttrs>['vjp']>
}

export interface LoopAttrs {
  readonly count: number
  /** `reverse`: slice 0 belongs to the last iteration. */
  readonly carries: readonly { readonly shape: Shape; readonly reverse: boolean; readonly kept: boolean }[]
  readonly sequences: readonly { readonly reverse: boolean }[]
  readonly outputs: readonly { readonly shape: Shape; readonly reverse: boolean }[]
  readonly body: LoopBody
}

/** Where in the flat result a carry or an output lies: `slots` values of `size` elements. */
export interface Region {
  readonly start: number
  readonly size: number
  readonly slots: number
}

/** Regions begin at multiples of a cache line. */
const ALIGNMENT = 16

export function regionsOf({ count, carries, outputs }: LoopAttrs): Region[] {
  let end = 0
  const place = (shape: Shape, slots: number): Region => {
    const region = { start: end, size: sizeOf(shape), slots }
    end = Math.ceil((end + region.size * slots) / ALIGNMENT) * ALIGNMENT
    return region
  }
  return [
    ...carries.map(({ shape, kept }) => place(shape, kept ? count + 1 : 2)),
    ...outputs.map(({ shape }) => place(shape, count)),
  ]
}

/** The slot of a carry that holds its initial value (`at` 0) or its last (`at` count). */
export function slotOf({ kept, reverse }: LoopAttrs['carries'][number], at: number, count: number): number {
  return kept ? (reverse ? count - at : at) : at % 2
}

/** The slice of count stacked values, the first of which begins at `start`. */
export function sliceOf(start: number, size: number, count: number, reverse: boolean): Part {
  return {
    length: size,
    start: reverse ? start + (count - 1) * size : start,
    stride: reverse ? -size : size,
    period: null,
  }
}

/** Where iteration 0 finds a carry, and how that moves; `next`: where it leaves the carry for the next. */
export function carryOf(
  { start, size }: Region,
  carry: LoopAttrs['carries'][number],
  next: boolean,
  count: number,
): Part {
  const slot = slotOf(carry, next ? 1 : 0, count)
  const stride = carry.kept ? (carry.reverse ? -size : size) : next ? -size : size
  return { length: size, start: start + slot * size, stride, period: carry.kept ? null : 2 }
}

export const loop: OpDef<LoopAttrs> = {
  name: 'loop',
  infer: (inputs, attrs) => {
    const { count, carries, sequences, body } = attrs
    carries.forEach(({ shape }, i) => {
      requireFloat(`carry ${i}`, inputs[i] as Meta)
      const next = body.results[i] as Meta
      requireFloat(`the next value of carry ${i}`, next)
      if (!sameShape(shape, next.shape)) {
        throw new ShapeError(
          `scan: carry ${i} is ${shapeText(shape)}, but the body makes ${shapeText(next.shape)} of it; it must keep its shape.`,
        )
      }
    })
    body.results.slice(carries.length).forEach((output, i) => {
      requireFloat(`output ${i}`, output)
    })
    sequences.forEach((_, i) => {
      const { shape } = inputs[carries.length + i] as Meta
      if (shape[0] !== count)
        throw new ShapeError(`scan: sequence ${i} is ${shapeText(shape)}, but the loop has ${count} steps.`)
    })
    const last = regionsOf(attrs).at(-1) as Region
    return { shape: [last.start + last.size * last.slots], dtype: 'f32' }
  },
  vjp: (g, inputs, out, attrs) => attrs.body.vjp(g, inputs as readonly Tensor[], out, attrs),
  lower: (_inputs, attrs) => ({ kind: 'loop', loop: attrs }),
}

function requireFloat(what: string, { dtype, shape }: Meta): void {
  if (dtype !== 'f32')
    throw new DTypeError(`scan: ${what} is ${dtype} ${shapeText(shape)}; carries and outputs must be f32.`)
}
