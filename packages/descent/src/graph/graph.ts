/**
 * The traced program: nodes in order of creation, each an operation on earlier nodes. Equal operations on equal
 * inputs are one node, and sums over very long axes are split in two, so that they can be computed in parts.
 */
import type { DType, Meta, Shape } from '../dtype.ts'
import { sizeOf } from '../dtype.ts'
import { matmul } from '../ops/matmul.ts'
import { expand, permute, reshape } from '../ops/movement.ts'
import type { Lowering, OpDef } from '../ops/op.ts'
import { type Rewrite, simplify } from './simplify.ts'

export interface Node {
  readonly id: number
  /** The operation's name, for printing and as part of its identity. */
  readonly op: string
  readonly attrs: string
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

export class Graph {
  readonly nodes: Node[] = []
  readonly sources: Source[] = []
  readonly #known = new Map<string, Node>()

  source(dtype: DType, length: number, resident: boolean): Source {
    const source = { id: this.sources.length, dtype, length, resident }
    this.sources.push(source)
    return source
  }

  leaf(source: Source, shape: Shape, strides: readonly number[], offset: number): Node {
    return this.#intern(`leaf ${source.id} [${shape}] [${strides}] ${offset}`, {
      op: 'leaf',
      attrs: `source ${source.id}`,
      inputs: [],
      shape,
      dtype: source.dtype,
      lowering: { kind: 'leaf' },
      leaf: { source, strides, offset },
      constant: null,
    })
  }

  constant(dtype: DType, value: number): Node {
    return this.#intern(`constant ${dtype} ${Object.is(value, -0) ? '-0' : value}`, {
      op: 'constant',
      attrs: String(value),
      inputs: [],
      shape: [],
      dtype,
      lowering: {
        kind: 'map',
        form: 'pointwise',
        cost: 0,
        inMemory: [],
        value: () => ({ kind: 'const', dtype, value }),
      },
      leaf: null,
      constant: value,
    })
  }

  apply<A>(op: OpDef<A>, attrs: A, inputs: readonly Node[]): Node {
    const meta = op.infer(inputs, attrs)
    const rewrite = simplify(op.name, attrs, inputs, meta.shape)
    if (rewrite) return this.#rewritten(rewrite)
    const lowering = op.lower(inputs, attrs, meta)
    if (lowering.kind === 'reduce') {
      const split = this.#splitReduction(op, lowering.axes, inputs[0] as Node)
      if (split) return split
    }
    // A sort finds its input row-major in a buffer of its own.
    const ready =
      lowering.kind === 'argsort' ? inputs.map((x) => (x.leaf || x.constant !== null ? this.copy(x) : x)) : inputs
    return this.#node(op.name, attrs, ready, meta, lowering)
  }

  #rewritten(rewrite: Rewrite): Node {
    switch (rewrite.kind) {
      case 'node':
        return rewrite.node
      case 'number':
        return this.apply(expand, { shape: rewrite.shape }, [this.constant('f32', rewrite.value)])
      case 'permute':
        return this.apply(permute, { dims: rewrite.dims }, [rewrite.x])
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
    return this.#add({
      op: 'copy',
      attrs: '',
      inputs: [x],
      shape: x.shape,
      dtype: x.dtype,
      lowering,
      leaf: null,
      constant: null,
    })
  }

  #node(op: string, attrs: unknown, inputs: readonly Node[], meta: Meta, lowering: Lowering): Node {
    const text = JSON.stringify(attrs)
    return this.#intern(`${op} ${text} ${inputs.map((x) => x.id).join(' ')}`, {
      op,
      attrs: text === '{}' ? '' : text,
      inputs,
      shape: meta.shape,
      dtype: meta.dtype,
      lowering,
      leaf: null,
      constant: null,
    })
  }

  #intern(key: string, node: Omit<Node, 'id'>): Node {
    const known = this.#known.get(key)
    if (known) return known
    const added = this.#add(node)
    this.#known.set(key, added)
    return added
  }

  #add(node: Omit<Node, 'id'>): Node {
    const added: Node = { id: this.nodes.length, ...node }
    this.nodes.push(added)
    return added
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
    return this.#node(op.name, attrs, [x], { shape, dtype: x.dtype }, lowering)
  }
}

function divisorNear(extent: number, target: number): number | null {
  for (let distance = 0; distance < target; distance++) {
    for (const candidate of [target - distance, target + distance]) {
      if (candidate > 1 && candidate < extent && extent % candidate === 0) return candidate
    }
  }
  return null
}
