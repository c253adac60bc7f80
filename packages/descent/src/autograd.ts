/**
 * The reverse walk. Each tensor that came from an operation on tensors with gradients keeps a record of it; walking
 * the records backwards from a result, each operation's `vjp` turns the cotangent of its output into those of its
 * inputs. The rules are Tensor operations, so the walk works while tracing, and can itself be differentiated.
 */
import type { Tensor } from './tensor.ts'
import { activeTrace } from './trace.ts'

/** How a tensor came to be. */
export interface Derivation {
  readonly sequence: number
  readonly name: string
  readonly inputs: readonly Tensor[]
  vjp(cotangent: Tensor, out: Tensor): readonly (Tensor | null)[]
}

let recording = true
let sequence = 0

export function isRecording(): boolean {
  return recording
}

export function nextSequence(): number {
  return sequence++
}

function withRecording<T>(on: boolean, fn: () => T): T {
  const before = recording
  recording = on
  try {
    return fn()
  } finally {
    recording = before
  }
}

/**
 * Runs `fn` without recording for gradients: for evaluation and for updates of parameters.
 *
 * @example
 * ```ts
 * import { noGrad, tensor } from 'descent'
 * const w = tensor([1, 2], { requiresGrad: true })
 * const y = noGrad(() => w.mul(2))
 * console.log(y.requiresGrad) // → false
 * ```
 */
export function noGrad<T>(fn: () => T): T {
  return withRecording(false, fn)
}

/** Runs `fn` recording for gradients, inside of `noGrad` too. */
export function enableGrad<T>(fn: () => T): T {
  return withRecording(true, fn)
}

/**
 * The cotangents of `targets`, given those of `roots`; null where no root depends on a target. What tensors of `end` came
 * from is not looked at.
 */
export function cotangents(
  roots: readonly Tensor[],
  seeds: readonly Tensor[],
  targets: readonly Tensor[],
  end: readonly Tensor[] = [],
): (Tensor | null)[] {
  const inside = (xs: readonly Tensor[]): readonly Tensor[] => activeTrace()?.inside(xs) ?? xs
  const found = propagate(inside(roots), seeds, inside(end))
  return inside(targets).map((target) => found.get(target) ?? null)
}

/** Adds the gradient of `root` to the `.grad` of every leaf that it depends on. */
export function backward(root: Tensor, seed: Tensor): void {
  noGrad(() => {
    for (const [tensor, cotangent] of propagate([root], [seed], [])) {
      if (tensor.derivation || !tensor.requiresGrad) continue
      const trace = activeTrace()
      trace?.accumulates(tensor)
      const sum = tensor.grad ? tensor.grad.add(cotangent) : cotangent
      tensor.grad = trace ? sum.distinctIn(trace) : sum
    }
  })
}

function propagate(roots: readonly Tensor[], seeds: readonly Tensor[], end: readonly Tensor[]): Map<Tensor, Tensor> {
  const sums = new Map<Tensor, Tensor>()
  const add = (tensor: Tensor, part: Tensor): void => {
    const sum = sums.get(tensor)
    sums.set(tensor, sum ? sum.add(part) : part)
  }
  roots.forEach((root, i) => {
    add(root, seeds[i] as Tensor)
  })
  for (const out of derivedTensors(roots, end)) {
    const cotangent = sums.get(out)
    const derivation = out.derivation
    if (!cotangent || !derivation) continue
    const parts = derivation.vjp(cotangent, out)
    derivation.inputs.forEach((input, i) => {
      const part = parts[i]
      if (part && input.requiresGrad) add(input, part)
    })
  }
  return sums
}

/** All tensors with a derivation that `roots` came from, latest first. */
function derivedTensors(roots: readonly Tensor[], end: readonly Tensor[]): Tensor[] {
  const seen = new Set<Tensor>()
  const last = new Set(end)
  const stack = [...roots]
  while (stack.length > 0) {
    const tensor = stack.pop() as Tensor
    if (seen.has(tensor) || !tensor.derivation || last.has(tensor)) continue
    seen.add(tensor)
    for (const input of tensor.derivation.inputs) if (input.requiresGrad) stack.push(input)
  }
  return [...seen].sort((a, b) => (b.derivation?.sequence ?? 0) - (a.derivation?.sequence ?? 0))
}
