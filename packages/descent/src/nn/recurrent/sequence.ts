/**
 * One direction of one recurrent layer over a whole sequence: all products with the input at once, then one compiled
 * loop over the steps. The way back is a loop too, which leaves the cotangents of all gates, from which the gradients of
 * the weights follow by one product each. The gradient itself has no gradient (Error), as in cuDNN.
 */
import { withVjp } from '../../apply.ts'
import { isRecording } from '../../autograd.ts'
import { type LoopResult, loop } from '../../functions/loop.ts'
import { cat } from '../../functions/movement.ts'
import type { Tensor } from '../../tensor.ts'
import { type CellKind, cellOf } from './cell.ts'

export interface Weights {
  /** [G·H, I] */
  readonly input: Tensor
  /** [G·H, H] */
  readonly hidden: Tensor
  /** [G·H] each; null without. */
  readonly inputBias: Tensor | null
  readonly hiddenBias: Tensor | null
}

export interface Passed {
  /** [T, N, H] */
  readonly output: Tensor
  /** After the last step, [N, H] each: the state, and for LSTM the cell. */
  readonly last: readonly Tensor[]
}

/** x [T, N, I], states [N, H]: one, for LSTM two. */
export function pass(
  kind: CellKind,
  x: Tensor,
  states: readonly Tensor[],
  { input, hidden, inputBias, hiddenBias }: Weights,
  reverse: boolean,
): Passed {
  const cell = cellOf(kind)
  const [steps, count] = x.shape as readonly [number, number]
  const width = hidden.shape[1] as number
  // A bias of the state's share that is only added to the input's can be added there.
  const early = kind !== 'gru' && hiddenBias
  const product = x.matmul(input.t())
  const biased = inputBias ? product.add(early ? inputBias.add(hiddenBias) : inputBias) : product
  const late = early ? null : hiddenBias
  const inputs = [biased, hidden, ...(late ? [late] : []), ...states]
  const shape = [steps, count, width]

  const saves = isRecording() && inputs.some(({ requiresGrad }) => requiresGrad)
  let made: LoopResult | null = null
  const flat = withVjp(
    kind,
    inputs,
    () => {
      made = forwards(kind, biased, states, hidden, late, reverse, saves)
      return made.flat.slice([0, cell.states * steps * count * width]).reshape([cell.states * steps, count, width])
    },
    (g) => {
      if (g.requiresGrad) throw new Error(`${kind}: gradients of gradients of recurrent layers are not supported.`)
      const back = backwards(kind, g, made as LoopResult, states, hidden, shape, reverse)
      return [back.biased, back.hidden, ...(late ? [back.bias] : []), ...back.states]
    },
  )
  const regions = Array.from({ length: cell.states }, (_, i) => flat.slice([i * steps, (i + 1) * steps]))
  const last = regions.map((region) => region.slice(reverse ? 0 : steps - 1))
  return { output: regions[0] as Tensor, last }
}

function forwards(
  kind: CellKind,
  biased: Tensor,
  states: readonly Tensor[],
  hidden: Tensor,
  late: Tensor | null,
  reverse: boolean,
  saves: boolean,
): LoopResult {
  const cell = cellOf(kind)
  const width = hidden.shape[1] as number
  return loop({
    key: `${kind}${late ? ' biased' : ''}${saves ? ' saves' : ''}`,
    steps: biased.shape[0] as number,
    reverse,
    carry: states,
    sequences: [biased],
    constants: [hidden, ...(late ? [late] : [])],
    body: (before, [x], [weight, bias]) => {
      const product = (before[0] as Tensor).matmul((weight as Tensor).t())
      const share = bias ? product.add(bias) : product
      const { carry, kept } = cell.forward((x as Tensor).split(width, -1), share.split(width, -1), before)
      return { carry: carry.map((part) => [part]), results: saves ? kept.map((part) => [part]) : [] }
    },
  })
}

function backwards(
  kind: CellKind,
  g: Tensor,
  { carry: passed, results: kept }: LoopResult,
  states: readonly Tensor[],
  hidden: Tensor,
  shape: readonly number[],
  reverse: boolean,
) {
  const cell = cellOf(kind)
  const [steps, count, width] = shape as readonly [number, number, number]
  const { gates } = cell
  const cotangents = Array.from({ length: cell.states }, (_, i) => g.slice([i * steps, (i + 1) * steps]))
  const after = passed.map((region) => region.reshape(shape))
  const before = after.map((region, i) => {
    const first = (states[i] as Tensor).unsqueeze(0)
    return reverse ? cat([region.slice([1, steps]), first]) : cat([first, region.slice([0, steps - 1])])
  })
  const none = g.detach().slice(0).zerosLike()
  const needed = kind === 'lstm' ? [before[1], after[1]] : kind === 'gru' ? [before[0]] : [after[0]]
  const {
    carry: [hiddenShare, ...directs],
    results,
  } = loop({
    key: `${kind} back`,
    steps,
    reverse: !reverse,
    carry: [none.expand([gates, count, width]), ...(cell.direct ? [none] : [])],
    sequences: [...cotangents, ...(needed as Tensor[]), ...kept.map((region) => region.reshape(shape))],
    constants: [hidden],
    body: ([share, ...direct], slices, [weight]) => {
      const gatesOf = (share as Tensor).permute([1, 0, 2]).reshape([count, gates * width])
      const dh = gatesOf.matmul(weight as Tensor).add(slices[0] as Tensor)
      const more = slices.slice(1, cell.states)
      const [first, second] = slices.slice(cell.states) as [Tensor, Tensor]
      const own = slices.slice(cell.states + needed.length)
      // The cell's cotangent from outside is that of its slot, as the state's.
      const later = direct.map((part, i) => (more[i] ? part.add(more[i]) : part))
      const at =
        kind === 'lstm' ? { before: [first, first], after: [first, second] } : { before: [first], after: [first] }
      const back = cell.backward(dh, later, at.before, at.after, own)
      return { carry: [back.hidden, ...back.direct.map((part) => [part])], results: back.input.map((part) => [part]) }
    },
  })
  const shares = (hiddenShare as Tensor).reshape([steps, gates, count, width])
  const rows = (x: Tensor): Tensor => x.permute([0, 2, 1, 3]).reshape([steps * count, gates * width])
  const dHidden = rows(shares)
  // GRU's last gate multiplies the state's share by the reset gate: the input's share has a cotangent of its own there.
  const dInput = results[0]
    ? cat([dHidden.slice(null, [0, (gates - 1) * width]), results[0].reshape([steps * count, width])], 1)
    : dHidden
  const edge = reverse ? steps - 1 : 0
  const toState = shares
    .slice(edge)
    .permute([1, 0, 2])
    .reshape([count, gates * width])
    .matmul(hidden)
  const direct = directs[0]?.reshape(shape).slice(edge)
  return {
    biased: dInput.reshape([steps, count, gates * width]),
    hidden: dHidden.t().matmul((before[0] as Tensor).reshape([steps * count, width])),
    bias: dHidden.sum(0),
    states: kind === 'lstm' ? [toState, direct as Tensor] : [direct ? toState.add(direct) : toState],
  }
}
