/** Kernels of one operation: running sums, scatters and sorts. */
import { contiguousStrides, sizeOf } from '../dtype.ts'
import * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { Axis } from '../kernel/kernel.ts'
import type { Builder, Lowered } from './builder.ts'
import type { Node } from './graph.ts'

export function lowerSingle(builder: Builder): Lowered {
  const [node] = builder.group.members as [Node]
  const { lowering } = node
  switch (lowering.kind) {
    case 'scan': {
      const axes = node.shape.map((extent) => builder.axis(extent))
      const at = axes.map((axis) => I.variable(axis.id, axis.size))
      const value = builder.read(node.inputs[0] as Node, at, false)
      const { buffer, index } = builder.store(node, at, value)
      const rows = axes.filter((_, d) => d !== lowering.axis)
      const axis = axes[lowering.axis] as Axis
      return builder.finish(
        { kind: 'scan', buffers: builder.buffers(), rows, axis, op: lowering.op, value, buffer, index },
        null,
      )
    }
    case 'scatter':
      return lowerScatter(builder, node, lowering.axis, lowering.label)
    case 'argsort': {
      const length = node.shape.at(-1) ?? 1
      const rows = sizeOf(node.shape) / Math.max(length, 1)
      const input = node.inputs[0] as Node
      builder.local(builder.home(input), 'read')
      builder.local({ scratch: input.dtype, length: sizeOf(node.shape) }, 'write')
      builder.local(builder.home(node), 'write')
      return builder.finish(
        { kind: 'sort', buffers: builder.buffers(), rows, length, descending: lowering.descending },
        null,
      )
    }
    default:
      throw new Error(`${node.op} is not a kernel of its own`)
  }
}

function lowerScatter(builder: Builder, node: Node, axis: number, label: string): Lowered {
  const [initialNode, indexNode, sourceNode] = node.inputs as readonly [Node, Node, Node]
  const fill = builder.axis(node.shape[axis] as number)
  const source = builder.axis(indexNode.shape[axis] as number)
  const rows = node.shape.map((extent, d) => (d === axis ? null : builder.axis(extent)))
  const place = (along: Axis): I.Index[] => rows.map((row) => I.variable((row ?? along).id, (row ?? along).size))
  const initial = builder.read(initialNode, place(fill), false)
  const { buffer, index } = builder.store(node, place(fill), initial)
  const at = place(source)
  let inside: E.Expr | null = null
  rows.forEach((row, d) => {
    const extent = indexNode.shape[d] as number
    if (!row || extent >= row.size) return
    const condition = E.binary('lt', E.indexValue(at[d] as I.Index), E.i32(extent))
    inside = inside ? E.binary('and', inside, condition) : condition
  })
  const guarded = inside !== null
  const zero: E.Expr = { kind: 'const', dtype: node.dtype, value: 0 }
  const value = builder.read(sourceNode, at, guarded)
  const found = builder.read(indexNode, at, guarded)
  const id = builder.options.checks.length
  const size = node.shape[axis] as number
  builder.options.checks.push({ label, size })
  const position: E.Expr = {
    kind: 'check',
    dtype: 'i32',
    x: inside ? E.select(inside, found, E.i32(0)) : found,
    size,
    id,
  }
  const strides = contiguousStrides(node.shape)
  return builder.finish(
    {
      kind: 'scatter',
      buffers: builder.buffers(),
      rows: rows.filter((row) => row !== null),
      buffer,
      fill,
      index,
      initial,
      source,
      base: I.dot(
        place(fill).map((i, d) => (d === axis ? I.constant(0) : i)),
        strides,
      ),
      stride: strides[axis] as number,
      position,
      value: inside ? E.select(inside, value, zero) : value,
    },
    null,
  )
}
