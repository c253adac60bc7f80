import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { contiguousStrides, sizeOf } from '../dtype.ts'
import { kernelKey } from '../kernel/key.ts'
import { add, mul, tanh } from '../ops/elementwise.ts'
import { expand, pad, permute, reshape, slice } from '../ops/movement.ts'
import { sum } from '../ops/reduce.ts'
import { fuse } from './fuse.ts'
import { Graph, type Leaf, type Node, type Source } from './graph.ts'
import { KnownKernels } from './known-kernels.ts'
import { lowerGroup } from './lower.ts'
import { materialize } from './materialize.ts'

type Choice = readonly [operation: number, first: number, second: number, detail: number]

const shapes = [[4, 6], [6], [24], [], [6, 4]] as const

/** Views of two storages for each shape: the beginning, the end, and turned around. */
function leaves(graph: Graph): Node[] {
  return shapes.flatMap((shape) => {
    const strides = contiguousStrides(shape)
    const turned = strides.map((stride) => -stride)
    return [0, 1].flatMap(() => {
      const source = graph.source('f32', sizeOf(shape) + 3, true)
      return [
        graph.leaf(source, shape, strides, 0),
        graph.leaf(source, shape, strides, 3),
        graph.leaf(source, shape, turned, sizeOf(shape) + 2),
      ]
    })
  })
}

const same = (x: Node, y: Node): boolean => String(x.shape) === String(y.shape)

const steps: readonly ((graph: Graph, x: Node, y: Node, detail: number) => Node | null)[] = [
  (graph, x, y, i) => (same(x, y) ? graph.apply(add, {}, [graph.apply(mul, {}, [x, y]), i > 1 ? x : y]) : null),
  (graph, x) => graph.apply(tanh, {}, [x]),
  (graph, x, y) => (same(x, y) ? graph.apply(add, {}, [x, y]) : null),
  (graph, x, y) => (same(x, y) ? graph.apply(mul, {}, [x, y]) : null),
  (graph, x, _, i) => (x.shape.length > 0 ? graph.apply(sum, { axes: [i % x.shape.length] }, [x]) : null),
  (graph, x) => graph.apply(reshape, { shape: [sizeOf(x.shape)] }, [x]),
  (graph, x) => (sizeOf(x.shape) === 24 ? graph.apply(reshape, { shape: [4, 6] }, [x]) : null),
  (graph, x) => (x.shape.length === 2 ? graph.apply(permute, { dims: [1, 0] }, [x]) : null),
  (graph, x, y) =>
    sizeOf(x.shape) === 1 ? graph.apply(expand, { shape: y.shape }, [graph.apply(reshape, { shape: [] }, [x])]) : null,
  (graph, x, _, i) =>
    x.shape.length === 1
      ? graph.apply(pad, { padding: [{ low: i % 2, high: 1, interior: 0 }], value: i - 1 }, [x])
      : null,
  (graph, x) =>
    x.shape[0] === 6 && x.shape.length === 1
      ? graph.apply(slice, { specs: [{ start: 5, step: -1, length: 6 }] }, [x])
      : null,
]

const choice = fc.tuple(fc.nat(steps.length - 1), fc.nat(60), fc.nat(60), fc.nat(3))

/** The values of a program over storages of its own. */
function valuesOf(graph: Graph, choices: readonly Choice[]): Node[] {
  const values = leaves(graph)
  for (const [operation, first, second, detail] of choices) {
    const [x, y] = [values[first % values.length] as Node, values[second % values.length] as Node]
    const made = steps[operation]?.(graph, x, y, detail)
    if (made && sizeOf(made.shape) <= 100) values.push(made)
  }
  return values
}

const programs = fc.tuple(fc.array(choice, { minLength: 1, maxLength: 15, size: 'max' }), fc.nat(14), choice)

test('a kernel known from an earlier group is what lowering this group gives', () => {
  fc.assert(
    fc.property(programs, ([choices, place, other]) => {
      // Two programs that differ in one choice.
      const graph = new Graph()
      const [operation, first] = choices[place % choices.length] as Choice
      const changed = choices.with(place % choices.length, [operation, first, other[2], other[3]])
      const values = [...valuesOf(graph, choices), ...valuesOf(graph, changed)]
      const outputs = values.map((node) => graph.copy(node))
      const program = materialize(outputs)
      // States that some of the leaves are read from, and that some of the outputs are the new values of.
      const inPlace = new Map<Node, Source>()
      for (const { id, leaf, shape } of values.filter((node) => node.leaf)) {
        const state = outputs.find((node) => !inPlace.has(node) && String(node.shape) === String(shape))
        if (state && id % 6 === 0) inPlace.set(state, (leaf as Leaf).source)
      }
      const kernels = new KnownKernels(program, inPlace, new Set(outputs))
      const groups = new Set(fuse(program, kernels, new Set(), inPlace).values())
      for (const group of groups) {
        const isNeeded = (node: Node): boolean =>
          outputs.includes(node) || (program.readers.get(node) ?? []).some((reader) => !group.roles.has(reader))
        const { roots, cost } = program
        const stored = new Set(group.members.filter(isNeeded))
        const fresh = lowerGroup(group, { roots, cost, stored, inPlace, checks: [] })
        const known = kernels.lower(group, [])
        assert.ok(fresh && known)
        assert.equal(kernelKey(known.kernel), kernelKey(fresh.kernel))
        assert.deepEqual(
          known.targets.map((t) => fresh.targets.indexOf(t)),
          [...fresh.targets.keys()],
        )
        assert.equal(known.size, fresh.size)
      }
    }),
    { numRuns: 1000 },
  )
})
