/** What every device must do with plans that hold loops: tests that a device's own test file calls for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { contiguousStrides, type DType, type Shape, sizeOf } from '../../dtype.ts'
import { IndexError } from '../../errors.ts'
import { Graph, type Node } from '../../graph/graph.ts'
import { buildPlan } from '../../graph/plan.ts'
import { add, maximum, minimum } from '../../ops/elementwise.ts'
import { gather } from '../../ops/indexing.ts'
import { type LoopAttrs, loop } from '../../ops/loop.ts'
import { matmul } from '../../ops/matmul.ts'
import { expand } from '../../ops/movement.ts'
import type { Device } from '../device.ts'
import { referenceDevice } from '../reference/device.ts'
import { Dice } from './random-kernel.ts'

interface Case {
  readonly count: number
  readonly rows: number
  readonly columns: number
  readonly reverse: boolean
  readonly kept: boolean
  /** The weight stands on the left of the product. */
  readonly left: boolean
  readonly seed: number
}

const cases: fc.Arbitrary<Case> = fc.record({
  count: fc.integer({ min: 1, max: 5 }),
  rows: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(65)),
  columns: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(128)),
  reverse: fc.boolean(),
  kept: fc.boolean(),
  left: fc.boolean(),
  seed: fc.integer(),
})

/** state ← clamp(state · weight, or weight · state, + slice + table[places], −8, 8); output: state before + place. */
function planOf({ count, rows, columns, reverse, kept, left }: Case) {
  const width = left ? rows : columns
  const body = new Graph()
  const inner = (shape: Shape, dtype: DType = 'f32'): Node =>
    body.leaf(body.source(dtype, sizeOf(shape), false), shape, contiguousStrides(shape), 0)
  const shape = [rows, columns]
  const nodes = [inner(shape), inner(shape), inner(shape, 'i32'), inner([width, width]), inner([7, columns])]
  const [state, slice, places, weight, table] = nodes as [Node, Node, Node, Node, Node]
  const every = (value: number): Node => body.apply(expand, { shape }, [body.constant('f32', value)])
  const found = body.apply(gather, { axis: 0, label: 'place' }, [table, places])
  const sum = body.apply(add, {}, [
    body.apply(matmul, {}, left ? [weight, state] : [state, weight]),
    body.apply(add, {}, [slice, found]),
  ])
  const next = body.apply(minimum, {}, [body.apply(maximum, {}, [sum, every(-8)]), every(8)])
  const attrs: LoopAttrs = {
    count,
    carries: [{ shape, reverse, kept }],
    sequences: [{ reverse }, { reverse: !reverse }],
    outputs: [{ shape, reverse }],
    body: {
      graph: body,
      inputs: body.sources,
      results: [next, body.apply(add, {}, [state, found])],
      text: '',
      toJSON: () => '',
      vjp: () => [],
    },
  }
  const graph = new Graph()
  const outer = (own: Shape, dtype: DType = 'f32'): Node =>
    graph.leaf(graph.source(dtype, sizeOf(own), false), own, contiguousStrides(own), 0)
  const inputs = [
    outer(shape),
    outer([count, ...shape]),
    outer([count, ...shape], 'i32'),
    outer([width, width]),
    outer([7, columns]),
  ]
  return buildPlan({ graph, outputs: [graph.apply(loop, attrs, inputs)], updates: [] })
}

/** Places lie below `limit`. */
function run(device: Device, c: Case, limit = 7): Float32Array[] {
  const { plan, arguments: given } = planOf(c)
  const storages = plan.buffers.flatMap(({ place, dtype, length }) => {
    if (place.kind !== 'argument') return []
    const source = given[place.position]
    const dice = new Dice(c.seed + (typeof source === 'number' ? 0 : (source?.id ?? 0)))
    const values = Array.from({ length }, () => (dtype === 'i32' ? dice.below(limit) : dice.below(5) - 2))
    const storage = device.adopt(dtype, dtype === 'i32' ? Int32Array.from(values) : Float32Array.from(values))
    return [{ position: place.position, storage }]
  })
  const args = storages.sort((a, b) => a.position - b.position).map(({ storage }) => storage)
  const runner = device.prepare(plan)
  // The second run finds the memory as the first has left it.
  return [0, 1].map(() => {
    runner.run(args)
    const result = args[given.indexOf(0)] as (typeof args)[number]
    return Float32Array.from(device.read(result, 0, result.length))
  })
}

/** `label` says which device it is; loops of more multiply-adds than `most` are left out. */
export function testWholeLoops(label: string, device: () => Device, { runs = 40, most = Infinity } = {}): void {
  const products = ({ count, rows, columns, left }: Case): number => count * rows * columns * (left ? rows : columns)
  const wanted = cases.filter((c) => products(c) <= most)
  const agree = (c: Case): void => {
    const want = run(referenceDevice(), c)
    const got = run(device(), c)
    assert.deepEqual(
      got.map((values) => Array.from(values, (x) => x + 0)),
      want.map((values) => Array.from(values, (x) => x + 0)),
    )
  }
  const usual: Case = { count: 4, rows: 3, columns: 20, reverse: false, kept: true, left: false, seed: 3 }
  test(`${label}: loops agree with the reference device`, () => {
    fc.assert(fc.property(wanted, agree), { numRuns: runs })
  })

  test(`${label}: loops with products that are packed in blocks`, () => {
    for (const c of [
      { ...usual, count: 2, rows: 20, columns: 40 },
      { ...usual, count: 2, rows: 40, columns: 20, left: true },
      { ...usual, rows: 20, columns: 300 },
      { ...usual, rows: 300, columns: 20, left: true },
      { ...usual, rows: 130, columns: 70, kept: false, left: true },
    ])
      if (products(c) <= most) agree(c)
  })

  test(`${label}: a check that fails in some iteration ends the loop`, () => {
    assert.throws(() => run(device(), usual, 9), IndexError)
    agree(usual)
  })
}
