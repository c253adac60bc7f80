import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { tanh } from '../ops/elementwise.ts'
import { cat } from '../ops/movement.ts'
import { Ancestry } from './ancestry.ts'
import { Graph, type Node } from './graph.ts'
import { type Group, groupOf } from './group.ts'

/** Roots that read some of those before, as numbers. */
const reading = fc.array(fc.array(fc.nat(100), { maxLength: 3 }), { minLength: 2, maxLength: 40 })

function program(choices: readonly (readonly number[])[]): { roots: Node[]; reads: Node[][] } {
  const graph = new Graph()
  const source = graph.source('f32', 100, true)
  const roots: Node[] = []
  const reads: Node[][] = []
  for (const [r, choice] of choices.entries()) {
    const leaf = graph.leaf(source, [4], [1], r)
    const read = roots.length === 0 ? [] : [...new Set(choice.map((c) => roots[c % roots.length] as Node))]
    reads.push(read)
    roots.push(
      read.length > 0 ? graph.apply(cat, { axis: 0 }, [...read, leaf]) : graph.copy(graph.apply(tanh, {}, [leaf])),
    )
  }
  return { roots, reads }
}

test('a group waits for exactly those that some way of reading leads to, however groups are joined', () => {
  fc.assert(
    fc.property(reading, fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 }), (choices, joins) => {
      const { roots, reads } = program(choices)
      const readers = new Map<Node, Node[]>()
      roots.forEach((root, r) => {
        for (const read of reads[r] as Node[]) readers.set(read, [...(readers.get(read) ?? []), root])
      })
      const groups = new Map<Node, Group>()
      const ancestry = new Ancestry(roots, readers)
      const waitsFor = (from: Group, to: Group, seen = new Set<Group>()): boolean => {
        if (seen.has(from)) return false
        seen.add(from)
        for (const member of from.members) {
          for (const read of reads[roots.indexOf(member)] as Node[]) {
            const group = groups.get(read) as Group
            if (group !== from && (group === to || waitsFor(group, to, seen))) return true
          }
        }
        return false
      }
      roots.forEach((root, r) => {
        const single = groupOf(root, 1)
        ancestry.add(single, reads[r] as Node[], groups)
        groups.set(root, single)
        const other = groups.get(roots[(joins[r] as number) % (r + 1)] as Node) as Group
        const between = [...new Set(groups.values())].some((group) => {
          const isThird = group !== single && group !== other
          return (
            isThird &&
            [[single, other] as const, [other, single] as const].some(
              ([a, b]) => waitsFor(a, group) && waitsFor(group, b),
            )
          )
        })
        if (other !== single && !between) {
          const members = [...other.members, root]
          const joined: Group = { ...single, members, roles: new Map(members.map((node) => [node, 'full'])) }
          ancestry.join(other, single, joined)
          for (const node of members) groups.set(node, joined)
        }
        const all = [...new Set(groups.values())]
        for (const a of all) for (const b of all) if (a !== b) assert.equal(ancestry.waitsFor(a, b), waitsFor(a, b))
      })
    }),
    { numRuns: 200 },
  )
})
