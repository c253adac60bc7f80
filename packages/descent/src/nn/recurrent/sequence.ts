/**
 * A recurrent layer over all steps in one direction: a loop forwards, and for the gradient a loop back over what the first one has
 * kept. The weights' gradients are one product each, over all steps at once, after the loop.
 */
import { withVjp } from '../../apply.ts'
import { cotangents, isRecording } from '../../autograd.ts'
import { LoopRun, type LoopSpec, runLoop } from '../../scan.ts'
import type { Tensor } from '../../tensor.ts'
import type { Rule } from './rules.ts'

export interface Direction {
  /** [T, N, H]: h after each step. */
  readonly output: Tensor
  /** The states after the last step, each [N, H]. */
  readonly states: readonly Tensor[]
}

/** What a step does with h, which has P elements where `projection` makes it smaller, else H. */
export interface HiddenWeights {
  /** [gates·H, P]. */
  readonly weight: Tensor
  /** [gates·H], where the rule wants one. */
  readonly bias: Tensor | null
  /** [P, H]: h is this times what the rule makes. */
  readonly projection: Tensor | null
}

/** x [T, N, gates·H] is the projection of the input with its bias. */
export function runSequence(
  rule: Rule,
  x: Tensor,
  initial: readonly Tensor[],
  hidden: HiddenWeights,
  reverse: boolean,
): Direction {
  const { weight, bias, projection } = hidden
  const inputs = [x, ...initial, weight, ...(bias ? [bias] : []), ...(projection ? [projection] : [])]
  const saves = isRecording() && inputs.some((input) => input.requiresGrad)
  const spec: LoopSpec = {
    count: x.shape[0] as number,
    carries: initial.map((state) => ({ initial: state, reverse })),
    sequences: [{ values: x, reverse }],
    reverseOutputs: () => reverse,
    // The output is h after each step.
    kept: (carry) => saves || carry === 0,
    body: (states, [slice]) => {
      const product = (states[0] as Tensor).matmul(weight.t())
      const step = rule.step(slice as Tensor, bias ? product.add(bias) : product, states)
      if (!projection) return { carry: step.states, outputs: saves ? step.saved : [] }
      const [whole, ...others] = step.states as [Tensor, ...Tensor[]]
      return { carry: [whole.matmul(projection.t()), ...others], outputs: saves ? [...step.saved, whole] : [] }
    },
  }
  let run: LoopRun | null = null
  const flat = withVjp(
    rule.name,
    inputs,
    () => {
      run = runLoop(spec)
      return run.flat
    },
    (g, out) => {
      // The loop below keeps no record: for gradients of gradients it is the general rule's turn.
      if (isRecording()) return cotangents([runLoop(spec).flat], [g], inputs, inputs)
      return back(rule, new LoopRun(out.detach(), attrs), new LoopRun(g, attrs), inputs, hidden, reverse)
    },
  )
  const { attrs } = run as unknown as LoopRun
  const done = new LoopRun(flat, attrs)
  return { output: done.carry(0, 'after'), states: initial.map((_, i) => done.last(i)) }
}

function back(
  rule: Rule,
  run: LoopRun,
  g: LoopRun,
  inputs: readonly Tensor[],
  { weight, bias, projection }: HiddenWeights,
  reverse: boolean,
): (Tensor | null)[] {
  const { states } = rule
  const count = run.attrs.count
  const outputs = run.outputs()
  const saved = projection ? outputs.slice(0, -1) : outputs
  const numbers = Array.from({ length: states }, (_, i) => i)
  const sequences = [
    g.carry(0, 'after'),
    ...saved,
    ...numbers.map((i) => run.carry(i, 'before')),
    ...numbers.map((i) => run.carry(i, 'after')),
  ]
  const loop = runLoop({
    count,
    // h gets its cotangents step by step, the other states only after the last.
    carries: numbers.map((i) => ({ initial: i === 0 ? g.last(i).zerosLike() : g.last(i), reverse: !reverse })),
    sequences: sequences.map((values) => ({ values, reverse: !reverse })),
    reverseOutputs: () => !reverse,
    kept: () => false,
    body: ([dh, ...others], [dOut, ...slices]) => {
      const own = (dh as Tensor).add(dOut as Tensor)
      const d = [projection ? own.matmul(projection) : own, ...others]
      const [first, second] = [saved.length, saved.length + states]
      const made = rule.back(d, slices.slice(0, first), slices.slice(first, second), slices.slice(second))
      const through = made.product.matmul(weight)
      const [kept, ...rest] = made.states
      return {
        carry: [kept ? through.add(kept) : through, ...(rest as Tensor[])],
        outputs: [made.x, ...(made.product === made.x ? [] : [made.product]), ...(projection ? [own] : [])],
      }
    },
  })
  const found = loop.outputs()
  const dh = projection ? (found.pop() as Tensor) : null
  const [dx, product = dx] = found as [Tensor, Tensor?]
  const rows = (x: Tensor): Tensor => x.reshape([-1, x.shape.at(-1) as number])
  const gradients = [
    dx,
    ...numbers.map((i) => loop.last(i)),
    weight.requiresGrad
      ? rows(product)
          .t()
          .matmul(rows(run.carry(0, 'before')))
      : null,
    ...(bias ? [rows(product).sum(0)] : []),
    dh &&
      rows(dh)
        .t()
        .matmul(rows(outputs.at(-1) as Tensor)),
  ]
  return inputs.map((_, i) => gradients[i] ?? null)
}
