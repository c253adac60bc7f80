/**
 * Values without elements: they are computed by nobody, and what others make of them is known while tracing. So no
 * device meets a loop over nothing.
 */
import type { Meta } from '../dtype.ts'
import type { Lowering } from '../ops/op.ts'
import type { Node } from './graph.ts'

/** What stands for an operation some of whose inputs have no elements, though its result has. */
export type Rest =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'inputs'; readonly inputs: readonly Node[] }

export function isEmpty({ shape }: Meta): boolean {
  return shape.includes(0)
}

/** Null where the operation stays as it is. */
export function restOf(op: string, attrs: unknown, inputs: readonly Node[], lowering: Lowering): Rest | null {
  if (lowering.kind === 'gemm') return lowering.k === 0 ? { kind: 'number', value: 0 } : null
  if (!inputs.some(isEmpty)) return null
  if (lowering.kind === 'reduce') return { kind: 'number', value: lowering.op === 'prod' ? 1 : 0 }
  // Nothing is added to the initial values.
  if (lowering.kind === 'scatter') return { kind: 'node', node: inputs[0] as Node }
  if (op === 'cat') return { kind: 'inputs', inputs: inputs.filter((x) => !isEmpty(x)) }
  if (op === 'pad') return { kind: 'number', value: (attrs as { value: number }).value }
  return null
}

/** How a value without elements would be computed. */
export function emptyLowering({ dtype }: Meta): Lowering {
  return {
    kind: 'map',
    form: 'pointwise',
    cost: 0,
    inMemory: [],
    value: () => ({ kind: 'const', dtype, value: 0 }),
  }
}
