import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { choose, parseArguments } from './arguments.ts'
import { limitModule, limitMs } from './limits.ts'
import { summary } from './measure.ts'
import { layout, row } from './table.ts'
import { prepare, workloads } from './workloads/index.ts'

const run = fileURLToPath(new URL('./run.ts', import.meta.url))

test('the median is the middle, and the mean of the two middle ones', () => {
  assert.deepEqual(summary([5, 1, 3]), { median: 3, min: 1, n: 3 })
  assert.deepEqual(summary([4, 1, 3, 2]), { median: 2.5, min: 1, n: 4 })
})

test('names choose workloads by the part before the underscore', () => {
  assert.deepEqual(
    choose(workloads, ['W2', 'W5_cnn']).map(({ name }) => name),
    ['W2_b32', 'W2_b256', 'W5_cnn'],
  )
  assert.equal(choose(workloads, []).length, workloads.length)
  assert.throws(() => choose(workloads, ['W9']), /no workload W9.*W1, W2_b32/)
})

test('arguments that make no sense are refused', () => {
  assert.deepEqual(parseArguments(['W1', '--threads', '1', '--json']), {
    names: ['W1'],
    device: 'wasm',
    threads: 1,
    json: true,
    alone: false,
  })
  assert.throws(() => parseArguments(['--threads', '0']), /--threads 0/)
  assert.throws(() => parseArguments(['--device', 'abacus']), /--device abacus/)
})

test('a limit is the slower of arithmetic and memory', () => {
  const limits = { threads: 1, flops: 50e9, bytes: 20e9 }
  assert.equal(limitMs({ flops: 50e6, bytes: 0 }, limits), 1)
  assert.equal(limitMs({ flops: 50e6, bytes: 40e6 }, limits), 2)
})

test('the module that measures the limits is valid', () => {
  assert.ok(WebAssembly.validate(limitModule()))
})

test('a cell gives the peer its time and how many times ours', () => {
  const workload = { name: 'W1', about: '', flops: 50e6, bytes: 0 }
  const own = { median: 2, min: 1.5, n: 9 }
  const cells = row(workload, own, [{ median: 5, min: 4, n: 9 }, 'no gradient'], { threads: 1, flops: 50e9, bytes: 1 })
  assert.deepEqual(cells, ['W1', '2.0', '1.5', '1.0', '50 %', '5.0 (2.50×)', 'no gradient'])
  assert.equal(
    layout([
      ['a', 'bb'],
      ['aaa', 'b'],
    ]),
    'a    bb\naaa   b',
  )
})

test('small workloads run', () => {
  for (const workload of workloads) {
    if (!['W1', 'W2_b32', 'W5_mlp', 'GEMM_32x784x128'].includes(workload.name)) continue
    const step = prepare(workload.name)
    step()
    step()
  }
})

test('--json prints one object a line and nothing else', () => {
  const { stdout, status } = spawnSync(process.execPath, [run, 'W1', '--alone', '--json', '--threads', '1'], {
    encoding: 'utf8',
  })
  assert.equal(status, 0)
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(Object.keys(lines[0] ?? {}), ['workload', 'peer', 'device', 'threads', 'median_ms', 'min_ms', 'n'])
  assert.deepEqual(
    lines.map(({ workload, peer, device, threads }) => [workload, peer, device, threads]),
    [['W1', 'descent', 'wasm', 1]],
  )
})
