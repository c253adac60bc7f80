/**
 * The traced program: nodes in order of creation, each an operation on earlier nodes. Equal operations on equal
 * inputs are one node, and sums over very long axes are split in two, so that they can be computed in parts.
 */
import type { DType, Meta, Shape } from '../dtype.ts'
import { sizeOf } from '../dtype.ts'
import { add } from '../ops/elementwise.ts'
import { matmul } from '../ops/matmul.ts'
import { expand, permute, reshape, slice } from '../ops/movement.ts'
import { attrsText, type Lowering, type OpDef } from '../ops/op.ts'
import { hasChecks } from './checks.ts'
import { emptyLowering, isEmpty, restOf } from './empty.ts'
import { liesInMemory } from './part.ts'
import { type Rewrite, simplify } from './simplify.ts'

export interface Node {
  readonly id: number
  /** The operation's name, for printing and as part of its identity. */
  readonly op: string
  readonly attrs: string
  /** The same number for nodes of one graph that compute alike: the same operation with the same attributes. */
  readonly rule: number
  readonly inputs: readonly Node[]
  readonly shape: Shape
  readonly dtype: DType
  readonly lowering: Lowering
  /** Set for leaves: which source, seen how. */
  readonly leaf: Leaf | null
  /** Set for numbers known while tracing. */
  readonly constant: number | null
}

/** One storage that a program reads or writes. */
export interface Source {
  readonly id: number
  readonly dtype: DType
  readonly length: number
  /** It lives longer than a run (a parameter), rather than being handed over (a batch). */
  readonly resident: boolean
}

export interface Leaf {
  readonly source: Source
  readonly strides: readonly number[]
  readonly offset: number
}

/** Where rows are few and longer than this, a reduction is split: enough parts for every core. */
const LONG = 32768
const FEW_ROWS = 16
const PART = 8192

const LEAF: Lowering = { kind: 'leaf' }

export class Graph {
  readonly nodes: Node[] = []
  readonly sources: Source[] = []
  /** The nodes whose values are errors where they are out of range. */
  readonly checking: Node[] = []
  readonly #rules = new Map<string, number>()
  readonly #known = new Map<string, Node>()

  source(dtype: DType, length: number, resident: boolean): Source {
    const source = { id: this.sources.length, dtype, length, resident }
    this.sources.push(source)
    return source
  }

  leaf(source: Source, shape: Shape, strides: readonly number[], offset: number): Node {
    const rule = this.#rule(`leaf ${source.id} [${shape}] [${strides}] ${offset}`)
    const key = String(rule)
    let node = this.#known.get(key)
    if (!node) {
      const meta = { shape, dtype: source.dtype }
      node = this.#add('leaf', `source ${source.id}`, rule, [], meta, LEAF, { source, strides, offset }, null)
      this.#known.set(key, node)
    }
    return node
  }

  constant(dtype: DType, value: number): Node {
    const rule = this.#rule(`constant ${dtype} ${Object.is(value, -0) ? '-0' : value}`)
    const key = String(rule)
    let node = this.#known.get(key)
    if (!node) {
      const lowering: Lowering = {
        kind: 'map',
        form: 'pointwise',
        cost: 0,
        inMemory: [],
        value: () => ({ kind: 'const', dtype, value }),
      }
      node = this.#add(
        'constant',
        Object.is(value, -0) ? '-0' : String(value),
        rule,
        [],
        { shape: [], dtype },
        lowering,
        null,
        value,
      )
      this.#known.set(key, node)
    }
    return node
  }

  apply<A>(op: OpDef<A>, attrs: A, inputs: readonly Node[]): Node {
    const text = attrsText(attrs)
    const rule = this.#rule(text === '' ? op.name : `${op.name} ${text}`)
    const key = keyOf(rule, inputs)
    let node = this.#known.get(key)
    if (!node) {
      node = this.#applied(op, attrs, text, rule, inputs)
      this.#known.set(key, node)
    }
    return node
  }

  #applied<A>(op: OpDef<A>, attrs: A, text: string, rule: number, inputs: readonly Node[]): Node {
    const meta = op.infer(inputs, attrs)
    if (isEmpty(meta)) return this.#empty(meta)
    const rewrite = simplify(op.name, attrs, inputs, meta.shape)
    if (rewrite) return this.#rewritten(rewrite)
    const lowering = op.lower(inputs, attrs, meta)
    const rest = restOf(op.name, attrs, inputs, lowering)
    if (rest?.kind === 'node') return rest.node
    if (rest?.kind === 'inputs') return this.apply(op, attrs, rest.inputs)
    if (rest) return this.apply(expand, { shape: meta.shape }, [this.constant(meta.dtype, rest.value)])
    if (lowering.kind === 'reduce') {
      const split = this.#splitReduction(op, lowering.axes, inputs[0] as Node)
      if (split) return split
    }
    // A sort finds its input row-major in a buffer of its own; a loop, row-major in memory.
    const asItIs = (x: Node): boolean =>
      lowering.kind === 'argsort' ? !x.leaf && x.constant === null : lowering.kind !== 'loop' || liesInMemory(x)
    const ready = inputs.map((x) => (asItIs(x) ? x : this.copy(x)))
    return this.#add(op.name, text, rule, ready, meta, lowering, null, null)
  }

  #empty(meta: Meta): Node {
    const rule = this.#rule(`empty ${meta.dtype} [${meta.shape}]`)
    return this.#add('empty', '', rule, [], meta, emptyLowering(meta), null, null)
  }

  #rewritten(rewrite: Rewrite): Node {
    switch (rewrite.kind) {
      case 'node':
        return rewrite.node
      case 'number':
        return this.apply(expand, { shape: rewrite.shape }, [this.constant('f32', rewrite.value)])
      case 'permute':
        return this.apply(permute, { dims: rewrite.dims }, [rewrite.x])
      case 'slice': {
        const [first, ...rest] = rewrite.of.map((x) => this.apply(slice, { specs: rewrite.specs }, [x]))
        return rest.reduce((sum, x) => this.apply(add, {}, [sum, x]), first as Node)
      }
      case 'swappedProduct':
        return this.apply(matmul, {}, [this.#turned(rewrite.b), this.#turned(rewrite.a)])
    }
  }

  #turned(x: Node): Node {
    const last = x.shape.length - 1
    const dims = x.shape.map((_, d) => (d === last ? last - 1 : d === last - 1 ? last : d))
    return this.apply(permute, { dims }, [x])
  }

  /** The same values in a buffer of their own. */
  copy(x: Node): Node {
    const lowering: Lowering = {
      kind: 'map',
      form: 'pointwise',
      cost: 1,
      inMemory: [],
      value: (at, context) => context.read(0, at),
    }
    return this.#add('copy', '', this.#rule('copy'), [x], x, lowering, null, null)
  }

  #rule(text: string): number {
    let rule = this.#rules.get(text)
    if (rule === undefined) {
      rule = this.#rules.size
      this.#rules.set(text, rule)
    }
    return rule
  }

  #add(
    op: string,
    attrs: string,
    rule: number,
    inputs: readonly Node[],
    { shape, dtype }: Meta,
    lowering: Lowering,
    leaf: Leaf | null,
    constant: number | null,
  ): Node {
    const node: Node = { id: this.nodes.length, op, attrs, rule, inputs, shape, dtype, lowering, leaf, constant }
    this.nodes.push(node)
    if (hasChecks(node)) this.checking.push(node)
    return node
  }

  /** sum over [.., S, ..] as the sum over parts of S; the parts do not depend on the number of threads. */
  #splitReduction<A>(op: OpDef<A>, axes: readonly number[], x: Node): Node | null {
    const extents = axes.map((d) => x.shape[d] as number)
    const length = sizeOf(extents)
    const rows = sizeOf(x.shape) / Math.max(length, 1)
    if (length < LONG || rows > FEW_ROWS || op.name.startsWith('arg')) return null
    const longest = axes[extents.indexOf(Math.max(...extents))] as number
    const extent = x.shape[longest] as number
    const parts = divisorNear(extent, Math.max(2, Math.round(length / PART)))
    if (parts === null) return null
    const spread = [...x.shape.slice(0, longest), parts, extent / parts, ...x.shape.slice(longest + 1)]
    const inner = axes.map((d) => (d > longest ? d + 1 : d === longest ? longest + 1 : d))
    const kept = x.shape.map((e, d) => (axes.includes(d) ? 1 : e))
    const shaped = this.apply(reshape, { shape: spread }, [x])
    const partial = this.#reduceNode(op, inner, shaped)
    const whole = this.#reduceNode(op, [longest], partial)
    return this.apply(reshape, { shape: kept }, [whole])
  }

  #reduceNode<A>(op: OpDef<A>, axes: readonly number[], x: Node): Node {
    const attrs = { axes }
    const shape = x.shape.map((extent, d) => (axes.includes(d) ? 1 : extent))
    const name = op.name === 'amax' ? 'max' : op.name === 'amin' ? 'min' : op.name
    const lowering: Lowering = { kind: 'reduce', op: name as 'sum' | 'prod' | 'max' | 'min', axes }
    const text = attrsText(attrs)
    const rule = this.#rule(`${op.name} ${text}`)
    const key = keyOf(rule, [x])
    let node = this.#known.get(key)
    if (!node) {
      node = this.#add(op.name, text, rule, [x], { shape, dtype: x.dtype }, lowering, null, null)
      this.#known.set(key, node)
    }
    return node
  }
}

/** A node's identity: its rule and its inputs. */
function keyOf(rule: number, inputs: readonly Node[]): string {
  let key = String(rule)
  for (const { id } of inputs) key += ` ${id}`
  return key
}

function divisorNear(extent: number, target: number): number | null {
  for (let distance = 0; distance < target; distance++) {
    for (const candidate of [target - distance, target + distance]) {
      if (candidate > 1 && candidate < extent && extent % candidate === 0) return candidate
    }
  }
  return null
}
