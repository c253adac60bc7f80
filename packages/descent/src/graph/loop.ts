/** How a loop becomes a part of a plan: its initial carries are copied into its result, then its body's steps run again and again. */
import { sizeOf } from '../dtype.ts'
import { type Expr, walkExprs } from '../kernel/expr.ts'
import type { Check, Kernel, Launch, Part } from '../kernel/kernel.ts'
import { carryOf, type LoopAttrs, type Region, regionsOf, sliceOf, slotOf } from '../ops/loop.ts'
import type { Target } from './builder.ts'
import { isEmpty } from './empty.ts'
import type { Node, Source } from './graph.ts'
import { partOf } from './part.ts'
import type { Planned, Program } from './plan.ts'

/** Like a Launch, but of a kernel that has no number yet, and bound to targets. */
export interface LoopLaunch {
  readonly kernel: Kernel
  readonly size: number | null
  readonly targets: readonly Target[]
  readonly parts: readonly Part[]
}

export interface LoweredLoop {
  readonly count: number
  /** Run before the loop. */
  readonly start: readonly LoopLaunch[]
  readonly steps: readonly (readonly LoopLaunch[])[]
}

interface Bound {
  readonly target: Target
  readonly part: Part
}

/** `homeOf`: where the values of a root are kept; `plan` makes a plan of the body, adding to the checks. */
export function lowerLoop(
  node: Node,
  loop: LoopAttrs,
  roots: ReadonlySet<Node>,
  homeOf: (root: Node) => Target,
  plan: (program: Program, checks: Check[]) => Planned,
  checks: Check[],
): LoweredLoop {
  const { count, carries, sequences, outputs, body } = loop
  const regions = regionsOf(loop)
  const result = homeOf(node)
  const input = (i: number): { target: Target; offset: number; size: number } => {
    const x = node.inputs[i] as Node
    const { base, offset } = partOf(x, roots)
    return { target: base.leaf ? base.leaf.source : homeOf(base), offset, size: sizeOf(x.shape) }
  }
  const start: LoopLaunch[] = []
  const sources = new Map<Source, Bound>()
  body.inputs.forEach((source, i) => {
    const { target, offset, size } = input(i)
    const whole = { length: size, start: offset, stride: 0, period: null }
    const carry = carries[i]
    if (carry) {
      const region = regions[i] as Region
      const slot = region.start + slotOf(carry, 0, count) * region.size
      if (size > 0) {
        const parts = [whole, { ...whole, start: slot }]
        start.push({ kernel: copyKernel, size, targets: [target, result], parts })
      }
      sources.set(source, { target: result, part: carryOf(region, carry, false, count) })
      return
    }
    const sequence = sequences[i - carries.length]
    const part = sequence ? sliceOf(offset, size / count, count, sequence.reverse) : whole
    sources.set(source, { target, part })
  })
  const constants = new Set(body.inputs.slice(carries.length + sequences.length).map((s) => sources.get(s) as Bound))
  const written = body.results.map((_, i): Bound => {
    const region = regions[i] as Region
    const carry = carries[i]
    if (carry) return { target: result, part: carryOf(region, carry, true, count) }
    const { reverse } = outputs[i - carries.length] as LoopAttrs['outputs'][number]
    return { target: result, part: sliceOf(region.start, region.size, count, reverse) }
  })
  const planned = plan({ graph: body.graph, outputs: body.results, updates: [] }, checks)
  const bound = planned.plan.buffers.map(({ dtype, length, place }): Bound => {
    if (place.kind === 'argument') {
      const argument = planned.arguments[place.position] as Source | number
      return typeof argument === 'number' ? (written[argument] as Bound) : (sources.get(argument) as Bound)
    }
    return { target: { scratch: dtype, length }, part: { length, start: 0, stride: 0, period: null } }
  })
  const launch = ({ kernel, buffers, size }: Launch): LoopLaunch => ({
    kernel: withFixed(planned.plan.kernels[kernel] as Kernel, (i) =>
      constants.has(bound[buffers[i] as number] as Bound),
    ),
    size,
    targets: buffers.map((b) => (bound[b] as Bound).target),
    parts: buffers.map((b) => (bound[b] as Bound).part),
  })
  return { count, start, steps: planned.plan.steps.map((step) => step.map(launch)) }
}

/** Says which operand of a matrix product reads nothing but constants of the loop. */
function withFixed(kernel: Kernel, isConstant: (buffer: number) => boolean): Kernel {
  if (kernel.kind !== 'gemm') return kernel
  const isFixed = (operand: Expr): boolean => {
    let fixed = true
    walkExprs([operand], (e) => {
      if ((e.kind === 'load' || e.kind === 'gather') && !isConstant(e.buffer)) fixed = false
    })
    return fixed
  }
  if (isFixed(kernel.b)) return { ...kernel, fixed: 'b' }
  return isFixed(kernel.a) ? { ...kernel, fixed: 'a' } : kernel
}

/** One for initial values of any size. */
const copyKernel: Kernel = {
  kind: 'loops',
  buffers: [
    { dtype: 'f32', access: 'read', length: 0 },
    { dtype: 'f32', access: 'write', length: 0 },
  ],
  rows: [{ id: 0, size: 0 }],
  stages: [
    {
      axes: [],
      reductions: [],
      stores: [
        {
          buffer: 1,
          index: { offset: 0, terms: [{ coefficient: 1, atom: { kind: 'variable', id: 0, size: 0 } }] },
          value: {
            kind: 'load',
            dtype: 'f32',
            buffer: 0,
            index: { offset: 0, terms: [{ coefficient: 1, atom: { kind: 'variable', id: 0, size: 0 } }] },
            guarded: false,
          },
        },
      ],
    },
  ],
  flat: true,
}

/** What a loop must find in memory, beside the roots that there are. */
export function basesOf(node: Node, roots: ReadonlySet<Node>): Node[] {
  return node.inputs
    .filter((x) => !isEmpty(x))
    .map((x) => partOf(x, roots).base)
    .filter((base) => !base.leaf)
}
