/**
 * Rewrites as a program is traced: numbers are computed at once, turned matrices turn back, and what changes nothing
 * is left out. Each rule gives the same values to the last bit.
 */
import { sameShape } from '../dtype.ts'
import type { Padding, SliceSpec } from '../ops/movement.ts'
import type { Node } from './graph.ts'

/** A rewritten node: an existing one, a number, or another operation in its place. */
export type Rewrite =
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'number'; readonly value: number; readonly shape: readonly number[] }
  | { readonly kind: 'permute'; readonly x: Node; readonly dims: readonly number[] }
  | { readonly kind: 'swappedProduct'; readonly a: Node; readonly b: Node }
  /** Of two values: the sum of their slices. */
  | { readonly kind: 'slice'; readonly of: readonly Node[]; readonly specs: readonly SliceSpec[] }

const round = Math.fround
const folds: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => round(a + b),
  sub: (a, b) => round(a - b),
  mul: (a, b) => round(a * b),
  div: (a, b) => round(round(a) / round(b)),
  neg: (a) => -a,
}

export function simplify(
  op: string,
  attrs: unknown,
  inputs: readonly Node[],
  shape: readonly number[],
): Rewrite | null {
  const [x, y] = inputs
  if (!x) return null
  switch (op) {
    case 'cast':
      return x.dtype === (attrs as { dtype: string }).dtype ? { kind: 'node', node: x } : null
    case 'reshape':
    case 'expand':
      return sameShape(x.shape, shape) ? { kind: 'node', node: x } : null
    case 'permute':
      return permuted(x, (attrs as { dims: readonly number[] }).dims)
    case 'slice':
      return sliced(x, (attrs as { specs: readonly SliceSpec[] }).specs, shape)
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'neg':
      return folded(op, x, y, shape)
    default:
      return null
  }
}

/** The number that a node holds everywhere, if it is known. */
function numberOf(x: Node): number | null {
  if (x.dtype !== 'f32') return null
  if (x.constant !== null) return x.constant
  const [only] = x.inputs
  return (x.op === 'reshape' || x.op === 'expand') && only ? numberOf(only) : null
}

function folded(op: string, x: Node, y: Node | undefined, shape: readonly number[]): Rewrite | null {
  const a = numberOf(x)
  const b = y ? numberOf(y) : 0
  if (a === null || b === null) return null
  return { kind: 'number', value: (folds[op] as (a: number, b: number) => number)(a, b), shape }
}

function permuted(x: Node, dims: readonly number[]): Rewrite | null {
  if (dims.every((d, i) => d === i)) return { kind: 'node', node: x }
  if (x.op === 'permute') {
    const inner = (JSON.parse(x.attrs) as { dims: readonly number[] }).dims
    return { kind: 'permute', x: x.inputs[0] as Node, dims: dims.map((d) => inner[d] as number) }
  }
  const last = dims.length - 1
  const swapsLast = dims.every((d, i) => d === (i === last ? last - 1 : i === last - 1 ? last : i))
  if (x.op === 'matmul' && swapsLast) return { kind: 'swappedProduct', a: x.inputs[0] as Node, b: x.inputs[1] as Node }
  return null
}

/** Parts of what gradients of parts were put together from. */
function sliced(x: Node, specs: readonly SliceSpec[], shape: readonly number[]): Rewrite | null {
  if (specs.every(({ start, step }) => start === 0 && step === 1) && sameShape(x.shape, shape))
    return { kind: 'node', node: x }
  if (x.op === 'add' && isPadded(x)) return { kind: 'slice', of: x.inputs, specs }
  if (x.op !== 'pad') return null
  const { padding, value } = JSON.parse(x.attrs) as { padding: readonly Padding[]; value: number | string }
  const [of] = x.inputs as [Node]
  let inside = true
  for (const [d, { start, step, length }] of specs.entries()) {
    const { low, interior } = padding[d] as Padding
    if (interior > 0 || length === 0) return null
    const [first, last] = [start - low, start + (length - 1) * step - low]
    const [from, to] = [Math.min(first, last), Math.max(first, last)]
    const extent = of.shape[d] as number
    if ((to < 0 || from >= extent) && x.dtype === 'f32') return { kind: 'number', value: Number(value), shape }
    inside &&= from >= 0 && to < extent
  }
  if (!inside) return null
  return {
    kind: 'slice',
    of: [of],
    specs: specs.map((s, d) => ({ ...s, start: s.start - (padding[d] as Padding).low })),
  }
}

function isPadded({ op, inputs }: Node): boolean {
  return op === 'pad' || (op === 'add' && inputs.every(isPadded))
}
