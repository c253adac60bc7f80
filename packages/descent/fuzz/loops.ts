/**
 * Loops that graphs call by name, since a body is no data. While the oracle watches they are written out, step by step, so that
 * it sees every value, and so that scan is compared with what it stands for.
 */

import { type ScanBody, scan, stack, type Tensor } from '../src/index.ts'
import { gru, lstm, plain, type Rule } from '../src/nn/recurrent/rules.ts'
import { runSequence } from '../src/nn/recurrent/sequence.ts'

let writtenOut = false

export function writingOut<T>(fn: () => T): T {
  const before = writtenOut
  writtenOut = true
  try {
    return fn()
  } finally {
    writtenOut = before
  }
}

/** The last carries, then the outputs. */
function fold(body: ScanBody, carry: readonly Tensor[], sequences: readonly Tensor[], reverse: boolean): Tensor[] {
  if (!writtenOut) {
    const result = scan(body, carry, sequences, { reverse })
    return [...result.carry, ...result.outputs]
  }
  const count = sequences[0]?.shape[0] ?? 0
  const outputs: (readonly Tensor[])[] = []
  let states = carry
  for (let i = 0; i < count; i++) {
    const t = reverse ? count - 1 - i : i
    const made = body(
      states,
      sequences.map((x) => x.slice(t)),
    )
    states = made.carry
    outputs[t] = made.outputs ?? []
  }
  const stacked = (outputs[0] ?? []).map((_, i) => stack(outputs.map((list) => list[i] as Tensor)))
  return [...states, ...stacked]
}

/**
 * All that a loop gives has gradients where any of its inputs has, and all these get one, if only zero: what is not used has a
 * cotangent of zeros, which are multiplied as other numbers are.
 */
function linked(results: Tensor[], inputs: readonly Tensor[]): Tensor[] {
  if (!writtenOut) return results
  const nothing = [...inputs, ...results]
    .filter((x) => x.requiresGrad)
    .map((x) => x.lt(0).logicalAnd(x.ge(0)).where(x, 0).sum())
    .reduce<Tensor | null>((a, b) => a?.add(b) ?? b, null)
  return nothing ? results.map((x) => x.add(nothing)) : results
}

type Body = (state: Tensor, x: Tensor, other: Tensor) => { state: Tensor; output: Tensor }

/** state and slice have the same shape, but for `embed`, whose slices are places in `other`. */
const bodies = {
  sum: (state, x) => ({ state: state.add(x), output: state.sub(x) }),
  largest: (state, x, other) => ({ state: state.maximum(x), output: state.mul(other) }),
  turned: (state, x) => ({ state: x, output: state.add(x.flip(-1)).sum(-1) }),
  kept: (state, x, other) => ({ state, output: x.mul(other).add(state.mean()) }),
  running: (state, x) => ({ state: state.add(x.cumsum(-1)), output: x.sort().values }),
  product: (state, x, other) => ({ state: state.matmul(other).mul(0.25).add(x), output: other.matmul(other.t()) }),
  bent: (state, x, other) => ({ state: state.matmul(other).add(x).tanh(), output: state.relu().mul(x) }),
  embed: (state, x, other) => {
    const found = other.indexSelect(0, x)
    return { state: state.mul(0.5).add(found), output: found.mul(state) }
  },
} satisfies Record<string, Body>

export type BodyName = keyof typeof bodies
export const bodyNames = Object.keys(bodies) as BodyName[]

export function loopOf(name: BodyName, initial: Tensor, sequence: Tensor, other: Tensor, reverse: boolean): Tensor[] {
  const body: ScanBody = ([state], [x]) => {
    const made = bodies[name](state as Tensor, x as Tensor, other)
    return { carry: [made.state], outputs: [made.output] }
  }
  return linked(fold(body, [initial], [sequence], reverse), [
    initial,
    sequence,
    ...(bodies[name].length > 2 ? [other] : []),
  ])
}

const rules: Readonly<Record<string, Rule>> = { rnn: plain('tanh'), lstm, gru }

/** The output of all steps, then the last states. */
export function recurrent(
  name: string,
  x: Tensor,
  initial: readonly Tensor[],
  weight: Tensor,
  bias: Tensor,
  projection: Tensor | null,
  reverse: boolean,
): Tensor[] {
  const rule = rules[name] as Rule
  if (!writtenOut) {
    const { output, states } = runSequence(
      rule,
      x,
      initial,
      { weight, bias: rule.biased ? bias : null, projection },
      reverse,
    )
    return [output, ...states]
  }
  const body: ScanBody = (states, [slice]) => {
    const product = (states[0] as Tensor).matmul(weight.t())
    const made = rule.step(slice as Tensor, rule.biased ? product.add(bias) : product, states)
    const [whole, ...others] = made.states as [Tensor, ...Tensor[]]
    const h = projection ? whole.matmul(projection.t()) : whole
    return { carry: [h, ...others], outputs: [h] }
  }
  const weights = [weight, ...(rule.biased ? [bias] : []), ...(projection ? [projection] : [])]
  const results = linked(fold(body, initial, [x], reverse), [x, ...initial, ...weights])
  return [results.at(-1) as Tensor, ...results.slice(0, -1)]
}
