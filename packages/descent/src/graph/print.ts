/** The traced program as text: a line a node. */
import type { Node } from './graph.ts'

export function printGraph(nodes: readonly Node[]): string {
  const lines = nodes.map((node) => {
    const inputs = node.inputs.map((x) => `%${x.id}`).join(', ')
    const { lowering } = node
    const attrs =
      lowering.kind === 'loop'
        ? ` ${lowering.loop.count} times:\n${lowering.loop.body.text.replace(/^/gm, '  ')}`
        : node.attrs && ` ${node.attrs}`
    return `%${node.id}: ${node.dtype}[${node.shape.join(', ')}] = ${node.op}(${inputs})${attrs}`
  })
  return lines.join('\n')
}
