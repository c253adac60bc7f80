/**
 * scan: a function that is traced once and run for each slice of its sequences. The loop is one operation of the graph (see
 * ops/loop.ts), and its gradient is another loop, over the function's gradient, the other way round.
 */
import { applyOp, deviceOf } from './apply.ts'
import { cotangents, enableGrad, isRecording, noGrad } from './autograd.ts'
import { currentDevice } from './backend.ts'
import { contiguousStrides, type Meta, type Shape, sizeOf } from './dtype.ts'
import { ShapeError, TraceError } from './errors.ts'
import type { Node, Source } from './graph/graph.ts'
import { printGraph } from './graph/print.ts'
import { type LoopAttrs, type LoopBody, loop, type Region, regionsOf, slotOf } from './ops/loop.ts'
import { Tensor } from './tensor.ts'
import { activeTrace, Trace, withBody } from './trace.ts'

/** What an iteration makes of the carries and of a slice of each sequence. */
export type ScanBody = (
  carry: readonly Tensor[],
  slices: readonly Tensor[],
) => { readonly carry: readonly Tensor[]; readonly outputs?: readonly Tensor[] }

export interface ScanOptions {
  /** Begins with the last slices; outputs stay in the order of the slices. Default false. */
  readonly reverse?: boolean
  /** How many iterations; needed only where there are no sequences. */
  readonly length?: number
}

/** What a scan gives. */
export interface ScanResult {
  /** After the last iteration. */
  readonly carry: readonly Tensor[]
  /** Each [T, ...]. */
  readonly outputs: readonly Tensor[]
}

/**
 * A loop over T steps as one operation: `body` is called once, to see what it does, and what it did is then run T times, by one
 * call into compiled code. It gets the carries and slice t of each sequence [T, ...], and returns the next carries, of the same
 * shapes, and outputs, which are stacked to [T, ...]. Carries and outputs are f32. Tensors that the body uses from around it
 * are the same in every step. Differentiable, any number of times (all results have gradients where any input has); the values between are computed again on the way
 * back, from the carries, which are kept.
 *
 * Throws ShapeError where T is 0, where sequences differ in length and where a carry changes its shape, and TraceError where
 * the body reads a value, writes a tensor, draws random numbers or scans itself. Source: jax.lax.scan.
 *
 * @example
 * ```ts
 * import { ones, scan, tensor } from 'descent'
 * const { carry, outputs } = scan(
 *   ([sum], [x]) => {
 *     const next = sum.mul(0.5).add(x)
 *     return { carry: [next], outputs: [next.mul(10)] }
 *   },
 *   [ones([])],
 *   [tensor([1, 2, 3])],
 * )
 * console.log(carry[0].item()) // → 4.375
 * console.log(outputs[0].toArray()) // → [ 15, 27.5, 43.75 ]
 * ```
 */
export function scan(
  body: ScanBody,
  carry: readonly Tensor[],
  sequences: readonly Tensor[] = [],
  { reverse = false, length }: ScanOptions = {},
): ScanResult {
  sequences.forEach(sliceMeta)
  const count = length ?? sequences[0]?.shape[0]
  if (count === undefined) throw new ShapeError('scan: without sequences it needs to know how many steps: { length }.')
  const run = runLoop({
    count,
    carries: carry.map((initial) => ({ initial, reverse })),
    sequences: sequences.map((values) => ({ values, reverse })),
    reverseOutputs: () => reverse,
    body,
  })
  return { carry: carry.map((_, i) => run.last(i)), outputs: run.outputs() }
}

/** A loop as its operation sees it; `reverse`: it takes or leaves its slices from the last to the first. */
export interface LoopSpec {
  readonly count: number
  readonly carries: readonly { readonly initial: Tensor; readonly reverse: boolean }[]
  readonly sequences: readonly { readonly values: Tensor; readonly reverse: boolean }[]
  readonly reverseOutputs: (output: number) => boolean
  /** Whether all values of the carries stay; without it, if gradients may be asked for. */
  readonly kept?: boolean
  readonly body: ScanBody
}

export function runLoop({ count, carries, sequences, reverseOutputs, kept, body }: LoopSpec): LoopRun {
  if (!Number.isInteger(count) || count < 1)
    throw new ShapeError(`scan: ${count} steps are not possible; it needs at least one.`)
  const outer = activeTrace()
  if (outer instanceof BodyTrace) throw new TraceError('scan: a loop inside of the body of a loop is not possible.')
  const trace = new BodyTrace(outer)
  const { made, own } = withBody(trace, () =>
    noGrad(() => {
      const own = carries.map(({ initial }) => trace.proxy(initial))
      const slices = sequences.map(({ values }, i) => trace.proxy(sliceMeta(values, i)))
      return { made: body(own, slices), own }
    }),
  )
  outer?.guards.push(...trace.guards)
  if (made.carry.length !== own.length)
    throw new ShapeError(`scan: there are ${own.length} carries, but the body returns ${made.carry.length}.`)
  const results = trace.inside([...made.carry, ...(made.outputs ?? [])]).map((x) => x.nodeIn(trace))
  const captured = [...trace.constants.keys()]
  const inputs = [...carries.map((c) => c.initial), ...sequences.map((s) => s.values), ...captured]
  const keeps = kept ?? (isRecording() && inputs.some((x) => x.requiresGrad))
  const attrs: LoopAttrs = {
    count,
    carries: carries.map(({ initial: { shape }, reverse }) => ({ shape, reverse, kept: keeps })),
    sequences: sequences.map(({ reverse }) => ({ reverse })),
    outputs: results.slice(own.length).map(({ shape }, i) => ({ shape, reverse: reverseOutputs(i) })),
    body: new TracedBody(trace, results, body, captured),
  }
  const [first] = inputs
  return new LoopRun(applyOp(first ? deviceOf(first) : currentDevice(), loop, attrs, inputs), attrs)
}

function sliceMeta({ shape, dtype, requiresGrad }: Tensor, i: number): Meta & { requiresGrad: boolean } {
  if (shape.length === 0)
    throw new ShapeError(`scan: sequence ${i} is a scalar; it needs a first dimension, that of the steps.`)
  return { shape: shape.slice(1), dtype, requiresGrad }
}

/** The regions of a loop's result, or of its cotangent, as tensors. */
export class LoopRun {
  readonly flat: Tensor
  readonly attrs: LoopAttrs
  readonly #regions: readonly Region[]

  constructor(flat: Tensor, attrs: LoopAttrs) {
    this.flat = flat
    this.attrs = attrs
    this.#regions = regionsOf(attrs)
  }

  #region(i: number, first: number, count: number): Tensor {
    const { carries, outputs } = this.attrs
    const { shape } = (carries[i] ?? outputs[i - carries.length]) as { shape: Shape }
    const { start, size } = this.#regions[i] as Region
    const from = start + first * size
    return this.flat.slice([from, from + count * size]).reshape([count, ...shape])
  }

  /** A carry as the iterations found it, or left it: [count, ...], in the order of the slices. It must be kept. */
  carry(i: number, when: 'before' | 'after'): Tensor {
    const { carries, count } = this.attrs
    const reverse = carries[i]?.reverse ?? false
    return this.#region(i, Number(reverse !== (when === 'after')), count)
  }

  last(i: number): Tensor {
    const carry = this.attrs.carries[i] as LoopAttrs['carries'][number]
    return this.#region(i, slotOf(carry, this.attrs.count, this.attrs.count), 1).reshape(carry.shape)
  }

  output(i: number): Tensor {
    return this.#region(this.attrs.carries.length + i, 0, this.attrs.count)
  }

  outputs(): Tensor[] {
    return this.attrs.outputs.map((_, i) => this.output(i))
  }
}

/** The trace of a body: tensors from outside become constants of the loop as they are used. */
class BodyTrace extends Trace {
  readonly sources: Source[] = []
  readonly constants = new Map<Tensor, Tensor>()
  readonly #outer: Trace | null

  constructor(outer: Trace | null) {
    super()
    this.#outer = outer
  }

  proxy({ shape, dtype, requiresGrad }: Meta & { readonly requiresGrad: boolean }): Tensor {
    const source = this.graph.source(dtype, sizeOf(shape), false)
    this.sources.push(source)
    const proxy = Tensor.traced(this, this.graph.leaf(source, shape, contiguousStrides(shape), 0))
    return requiresGrad ? proxy.requiresGrad_() : proxy
  }

  override inside(inputs: readonly Tensor[]): readonly Tensor[] {
    return inputs.map((x) => {
      if (x.isTracedBy(this)) return x
      let proxy = this.constants.get(x)
      if (!proxy) {
        proxy = this.proxy(x)
        this.constants.set(x, proxy)
      }
      return proxy
    })
  }

  override gradientOf(...given: Parameters<Trace['gradientOf']>): Tensor | null {
    return this.#outer ? this.#outer.gradientOf(...given) : given[1]
  }

  override update(): never {
    throw new TraceError(
      'scan: the body writes into a tensor, or draws random numbers. Make it a carry, or draw them all before the loop.',
    )
  }

  override accumulates(): never {
    throw new TraceError('scan: backward() inside of the body is not possible; call it on what scan returns.')
  }
}

class TracedBody implements LoopBody {
  readonly graph
  readonly inputs
  readonly results: readonly Node[]
  readonly #run: ScanBody
  readonly #captured: readonly Tensor[]
  #text: string | null = null

  constructor(trace: BodyTrace, results: readonly Node[], run: ScanBody, captured: readonly Tensor[]) {
    this.graph = trace.graph
    this.inputs = trace.sources
    this.results = results
    this.#run = run
    this.#captured = captured
  }

  get text(): string {
    this.#text ??= `${printGraph(this.graph.nodes)}\nresults: ${this.results.map(({ id }) => `%${id}`).join(', ')}`
    return this.#text
  }

  toJSON(): string {
    return this.text
  }

  vjp(g: Tensor, inputs: readonly Tensor[], out: Tensor, attrs: LoopAttrs): (Tensor | null)[] {
    const { count, carries, sequences, outputs } = attrs
    const [n, m] = [carries.length, sequences.length]
    const [values, cotangent] = [new LoopRun(out, attrs), new LoopRun(g, attrs)]
    const given = inputs.slice(n, n + m)
    const wanted = given.map((x, i) => (x.requiresGrad ? i : -1)).filter((i) => i >= 0)
    const constants = this.#captured.filter((x) => x.requiresGrad)
    const before = carries.map(({ reverse }, i) => ({ values: values.carry(i, 'before'), reverse: !reverse }))
    const body: ScanBody = (carry, slices) =>
      enableGrad(() => {
        const own = slices.slice(0, n).map(tracked)
        const x = slices.slice(n, n + m).map((slice, i) => (given[i]?.requiresGrad ? tracked(slice) : slice))
        const later = slices.slice(n + m, n + m + n)
        const made = this.#run(own, x)
        const roots = [...made.carry, ...(made.outputs ?? [])]
        const seeds = [...carry.slice(0, n), ...slices.slice(n + m + n)]
        const targets = [...own, ...wanted.map((i) => x[i] as Tensor), ...constants]
        const found = cotangents(roots, seeds, targets)
        const grad = (i: number): Tensor => found[i] ?? (targets[i] as Tensor).detach().zerosLike()
        return {
          carry: [
            ...later.map((g, i) => grad(i).add(g)),
            ...constants.map((_, i) => (carry[n + i] as Tensor).add(grad(n + wanted.length + i))),
          ],
          outputs: wanted.map((_, i) => grad(n + i)),
        }
      })
    const back = runLoop({
      count,
      carries: [
        ...carries.map((_, i) => ({ initial: cotangent.last(i), reverse: false })),
        ...constants.map((x) => ({ initial: x.detach().zerosLike(), reverse: false })),
      ],
      sequences: [
        ...before,
        ...given.map((x, i) => ({ values: x, reverse: !sequences[i]?.reverse })),
        ...carries.map(({ reverse }, i) => ({ values: cotangent.carry(i, 'before'), reverse: !reverse })),
        ...outputs.map(({ reverse }, i) => ({ values: cotangent.output(i), reverse: !reverse })),
      ],
      reverseOutputs: (i) => !sequences[wanted[i] as number]?.reverse,
      body,
    })
    return [
      ...carries.map((_, i) => back.last(i)),
      ...given.map((_, i) => (wanted.includes(i) ? back.output(wanted.indexOf(i)) : null)),
      ...this.#captured.map((x) => (x.requiresGrad ? back.last(n + constants.indexOf(x)) : null)),
    ]
  }
}

/** For gradients with respect to it: the tensor itself where it has some already. */
function tracked(x: Tensor): Tensor {
  return x.requiresGrad ? x : x.detach().requiresGrad_()
}
