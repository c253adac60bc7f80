/** Random graphs give the same on every device, eager and compiled; `npm run fuzz` tries many more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IndexError, setDevice } from '../src/index.ts'
import { operations } from '../src/ops/index.ts'
import { check, graphOf, report } from './check.ts'
import { workingDevices } from './devices.ts'
import { generate } from './generate.ts'
import { run } from './interpret.ts'
import { judge } from './judge.ts'
import { Oracle } from './oracle.ts'
import type { Program, TensorInput } from './program.ts'
import { countOperations } from './reached.ts'

const SEED = 11
const GRAPHS = Number(process.env.FUZZ_GRAPHS ?? 200)

test('random graphs give on every device what they should, and reach every operation', () => {
  const counts = countOperations()
  const devices = workingDevices()
  for (let graph = 0; graph < GRAPHS; graph++) {
    const program = graphOf(SEED, graph)
    const found = check(program, devices)
    if (found) assert.fail(report(program, found, `seed ${SEED}, graph ${graph}`))
  }
  const missing = operations.filter(({ name }) => !counts.has(name)).map(({ name }) => name)
  assert.deepEqual(missing, [])
})

test('the same seed makes the same graph', () => {
  assert.deepEqual(generate(77), generate(77))
})

const input = (id: number, values: readonly number[], more: Partial<TensorInput> = {}): TensorInput => ({
  kind: 'tensor',
  id,
  shape: [values.length],
  dtype: 'f32',
  fill: { values },
  seed: 0,
  requiresGrad: false,
  ...more,
})
const plain: Omit<Program, 'inputs' | 'body'> = { setup: [], args: [], outputs: [9], zeroGrad: false, calls: 1 }

test('graphs of small whole numbers are exact, others are not', () => {
  const sum = { id: 9, on: 0, call: 'sum', params: [] }
  assert.ok(new Oracle({ ...plain, inputs: [input(0, [1, 2.5, -3])], body: [sum] }).exact)
  assert.ok(!new Oracle({ ...plain, inputs: [input(0, [1, 0.1])], body: [sum] }).exact)
  assert.ok(!new Oracle({ ...plain, inputs: [input(0, [1, 0])], body: [{ ...sum, call: 'exp' }] }).exact)
})

test('an error of rounding is no failure, a wrong value and a wrong bit of an exact graph are', () => {
  const got = (values: number[]) => ({
    results: [
      { name: 'output 0 of call 1', dtype: 'f32' as const, shape: [2], values },
      { name: 'v0 afterwards', dtype: 'f32' as const, shape: [2], values: inputs[0]?.fill.values ?? [] },
    ],
    error: null,
    empty: false,
    largeAngles: false,
  })
  // 1 + ε − 1: the rounding of the sum is as large as what is left of it.
  const inputs = [{ ...input(0, [1e-3, 2]), fill: { values: [Math.fround(1e-3), 2] } }]
  const body = [
    { id: 1, on: 0, call: 'add', params: [1000] },
    { id: 9, on: 1, call: 'sub', params: [1000] },
  ]
  const oracle = new Oracle({ ...plain, inputs, body })
  assert.equal(judge(oracle, 'wasm', 'eager', got([0.0010375976, 2])), null)
  assert.match(judge(oracle, 'wasm', 'eager', got([0.1, 2]))?.text ?? '', /element 0 of \[2\] is 0.1, expected 0.00/)
  const exact = new Oracle({ ...plain, inputs: [input(0, [1, 2])], body: [{ id: 9, on: 0, call: 'neg', params: [] }] })
  const right = run(exact.program, 'wasm', 'eager')
  assert.equal(judge(exact, 'wasm', 'eager', right), null)
  const [output, ...others] = right.results
  assert.ok(output)
  const wrong = { ...right, results: [{ ...output, values: [-1, -2.0000002384185791] }, ...others] }
  assert.match(judge(exact, 'wasm', 'eager', wrong)?.text ?? '', /expected -2 exactly/)
})

test('an index out of range is the same error everywhere', () => {
  const body = [{ id: 9, on: 0, call: 'gather', params: [0, { ref: 1 }] }]
  const index = input(1, [0, 3], { dtype: 'i32' })
  const program: Program = { ...plain, inputs: [input(0, [1, 2]), index], body }
  const oracle = new Oracle(program)
  assert.equal(oracle.plain.error?.name, new IndexError('', 0, 0).name)
  for (const device of workingDevices()) {
    for (const mode of ['eager', 'compiled'] as const)
      assert.equal(judge(oracle, device, mode, run(program, device, mode)), null)
    assert.ok(judge(oracle, device, 'eager', { results: [], error: null, empty: false, largeAngles: false }))
  }
  setDevice('reference')
})
