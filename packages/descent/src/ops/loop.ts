/**
 * The same computation over and over along the first axis of sequences: what recurrent layers are made of. Its body is
 * traced once into a graph of its own; a plan runs the body's kernels once a step, each time on other parts of the same
 * buffers.
 *
 * A body reads the carry (what the step before left), a slice of every sequence, and constants; it writes the next
 * carry and slices of further results. The result of the operation is one flat f32 vector: region after region, each
 * with a slot for every step.
 */
import { type Meta, type Shape, sizeOf } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { type OpDef, shapeText } from './op.ts'

/** What one input of a body is, in the order of its graph's sources and of the operation's inputs. */
export type LoopInput =
  /** At the first step the operation's input, then what region `region` got the step before. */
  | { readonly kind: 'carry'; readonly region: number }
  /** At each step the slice of the operation's input [steps, ...]. */
  | { readonly kind: 'sequence' }
  | { readonly kind: 'constant' }

/** Where a body's results go: the parts of a slot, one after the other. */
export interface LoopRegion {
  readonly parts: readonly Node[]
}

export interface LoopBody {
  readonly graph: Graph
  readonly inputs: readonly LoopInput[]
  readonly regions: readonly LoopRegion[]
}

export interface LoopAttrs {
  /** Equal exactly for equal loops. */
  readonly key: string
  readonly steps: number
  /** From the last step to the first. */
  readonly reverse: boolean
  readonly body: () => LoopBody
}

/** Elements of a slot of each region. */
export function slotSizes({ regions }: LoopBody): number[] {
  return regions.map(({ parts }) => parts.reduce((sum, part) => sum + sizeOf(part.shape), 0))
}

export const loop: OpDef<LoopAttrs> = {
  name: 'loop',
  infer: (inputs, { steps, body }) => {
    const made = body()
    for (const [i, input] of made.inputs.entries())
      requireFit(inputs[i] as Meta, input, made.graph.sources[i]?.length ?? 0, steps)
    return { shape: [steps * slotSizes(made).reduce((a, b) => a + b, 0)], dtype: 'f32' }
  },
  lower: (_inputs, { steps, reverse, body }) => ({ kind: 'loop', steps, reverse, body: body() }),
}

function requireFit({ shape }: { readonly shape: Shape }, { kind }: LoopInput, size: number, steps: number): void {
  if (sizeOf(shape) === (kind === 'sequence' ? steps * size : size)) return
  throw new ShapeError(`loop: a ${kind} of ${shapeText(shape)} does not fit a body that takes ${size} elements.`)
}
