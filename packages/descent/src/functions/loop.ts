/** Loops as functions write them: a body over tensors, traced once for each key. Their results have no gradient. */
import { applyOp, deviceOf } from '../apply.ts'
import { noGrad } from '../autograd.ts'
import type { Shape } from '../dtype.ts'
import { sizeOf } from '../dtype.ts'
import { type LoopBody, type LoopInput, loop as loopOp, slotSizes } from '../ops/loop.ts'
import { Tensor } from '../tensor.ts'
import { outsideTrace, Trace, withTrace } from '../trace.ts'

/** A loop over `steps` steps. Equal `key`s mean equal loops: their body is traced once. */
export interface LoopSpec {
  readonly key: string
  readonly steps: number
  readonly reverse: boolean
  /** What the first step finds of each carry. */
  readonly carry: readonly Tensor[]
  /** Each [steps, ...]. */
  readonly sequences: readonly Tensor[]
  readonly constants: readonly Tensor[]
  /** From the carry, this step's slices and the constants to the next carry and further results, each as its parts. */
  readonly body: (carry: Tensor[], slices: Tensor[], constants: Tensor[]) => LoopStep
}

export interface LoopStep {
  readonly carry: readonly (readonly Tensor[])[]
  readonly results: readonly (readonly Tensor[])[]
}

/** All steps' carries and results, each as a vector of `steps` slots. */
export interface LoopResult {
  /** All of them, one after the other. */
  readonly flat: Tensor
  readonly carry: readonly Tensor[]
  readonly results: readonly Tensor[]
}

const bodies = new Map<string, LoopBody>()
const MOST_BODIES = 256

export function loop(spec: LoopSpec): LoopResult {
  const { steps, reverse, carry, sequences, constants } = spec
  const inputs = [...carry, ...sequences, ...constants]
  const shapes = inputs.map(({ shape }) => `[${shape}]`)
  const key = `${spec.key} ${steps}${reverse ? ' reverse' : ''} ${shapes.join('')}`
  const body = (): LoopBody => {
    let made = bodies.get(key)
    if (!made) {
      if (bodies.size >= MOST_BODIES) bodies.clear()
      made = traced(spec)
      bodies.set(key, made)
    }
    return made
  }
  const first = inputs[0] as Tensor
  const flat = noGrad(() => applyOp(deviceOf(first), loopOp, { key, steps, reverse, body }, inputs))
  let at = 0
  const regions = slotSizes(body()).map((size) => {
    const region = flat.slice([at, at + steps * size])
    at += steps * size
    return region
  })
  return { flat, carry: regions.slice(0, carry.length), results: regions.slice(carry.length) }
}

function traced({ carry, sequences, constants, body }: LoopSpec): LoopBody {
  const trace = new Trace()
  const input = (shape: Shape): Tensor => Tensor.traced(trace, trace.input('f32', shape))
  const step = outsideTrace(() =>
    withTrace(trace, () =>
      noGrad(() =>
        body(
          carry.map(({ shape }) => input(shape)),
          sequences.map(({ shape }) => input(shape.slice(1))),
          constants.map(({ shape }) => input(shape)),
        ),
      ),
    ),
  )
  if (trace.captured.some((storage) => storage !== null))
    throw new Error('the body of a loop reads a tensor from outside')
  const regions = [...step.carry, ...step.results].map((parts) => ({ parts: parts.map((part) => part.nodeIn(trace)) }))
  for (const [i, { shape }] of carry.entries()) {
    const size = regions[i]?.parts.reduce((sum, part) => sum + sizeOf(part.shape), 0)
    if (size !== sizeOf(shape))
      throw new Error(`carry ${i} of a loop begins with [${shape}] and goes on with ${size} elements`)
  }
  const inputs: LoopInput[] = [
    ...carry.map((_, region): LoopInput => ({ kind: 'carry', region })),
    ...sequences.map((): LoopInput => ({ kind: 'sequence' })),
    ...constants.map((): LoopInput => ({ kind: 'constant' })),
  ]
  return { graph: trace.graph, inputs, regions }
}
