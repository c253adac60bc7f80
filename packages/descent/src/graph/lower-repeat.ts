/** A loop for a plan: the plan of its body, and where each buffer of that lies at every turn. */
import { sizeOf } from '../dtype.ts'
import { type LoopBody, slotSizes } from '../ops/loop.ts'
import { homeOf, type LowerOptions, type Target } from './builder.ts'
import type { Node, Source } from './graph.ts'
import { inMemory } from './in-memory.ts'
import { buildPlan, type Planned } from './plan.ts'

/** Elements of a buffer, from an offset on. */
export interface Place {
  readonly target: Target
  readonly offset: number
}

export interface LoweredRepeat {
  readonly body: Planned
  readonly turns: number
  readonly targets: readonly Target[]
  /** Where argument `position` of the body's plan lies at turn number `turn`. */
  place(position: number, turn: number): Place
  /** Memory for what the body keeps for itself. */
  own(buffer: number): Target
}

export function lowerRepeat(node: Node, options: Pick<LowerOptions, 'inPlace'>): LoweredRepeat {
  const { lowering } = node
  if (lowering.kind !== 'loop') throw new Error(`${node.op} is not a loop`)
  const { steps, reverse, body } = lowering
  const planned = plannedBody(body)
  const sizes = slotSizes(body)
  const starts = sizes.map((_, region) => steps * sizes.slice(0, region).reduce((a, b) => a + b, 0))
  const result = homeOf(node, options)
  const inputs = node.inputs.map((input): Place => {
    const { node: base, offset } = inMemory(input)
    if (!base.leaf) return { target: homeOf(base, options), offset }
    return { target: base.leaf.source, offset: base.leaf.offset + offset }
  })
  const slot = (region: number, step: number): Place => ({
    target: result,
    offset: (starts[region] as number) + step * (sizes[region] as number),
  })
  const outputs = body.regions.flatMap(({ parts }, region) => {
    let within = 0
    return parts.map((part) => {
      const place = { region, within }
      within += sizeOf(part.shape)
      return place
    })
  })
  const scratch = planned.plan.buffers.map(({ dtype, length }): Target => ({ scratch: dtype, length }))
  return {
    body: planned,
    turns: steps,
    targets: [...new Set([result, ...inputs.map(({ target }) => target)])],
    place(position, turn) {
      const step = reverse ? steps - 1 - turn : turn
      const argument = planned.arguments[position] as Source | number
      if (typeof argument === 'number') {
        const { region, within } = outputs[argument] as (typeof outputs)[number]
        const { target, offset } = slot(region, step)
        return { target, offset: offset + within }
      }
      const kind = body.inputs[argument.id] as LoopBody['inputs'][number]
      const { target, offset } = inputs[argument.id] as Place
      switch (kind.kind) {
        case 'constant':
          return { target, offset }
        case 'sequence':
          return { target, offset: offset + step * argument.length }
        case 'carry':
          return turn === 0 ? { target, offset } : slot(kind.region, reverse ? step + 1 : step - 1)
      }
    },
    own: (buffer) => scratch[buffer] as Target,
  }
}

const plans = new WeakMap<LoopBody, Planned>()

function plannedBody(body: LoopBody): Planned {
  let planned = plans.get(body)
  if (!planned) {
    const outputs = body.regions.flatMap(({ parts }) => parts)
    planned = buildPlan({ graph: body.graph, outputs, updates: [] })
    if (planned.plan.checks.length > 0) throw new Error('the body of a loop cannot check indices')
    plans.set(body, planned)
  }
  return planned
}
