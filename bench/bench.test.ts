import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { limitModule } from '../packages/descent/src/devices/wasm/limits.ts'
import { choose, parseArguments } from './arguments.ts'
import { fastDevices } from './devices.ts'
import { limitMs, machineLimits } from './limits.ts'
import { summary } from './measure.ts'
import { headings, layout, row } from './table.ts'
import { shortest } from './wasm-limits.ts'
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
  assert.throws(() => choose(workloads, ['W10']), /no workload W10.*W1, W2_b32/)
})

test('arguments that make no sense are refused', () => {
  assert.deepEqual(parseArguments(['W1', '--threads', '1', '--json']), {
    names: ['W1'],
    devices: null,
    threads: 1,
    json: true,
    alone: false,
  })
  assert.deepEqual(parseArguments(['--device', 'wasm,x64,wasm']).devices, ['wasm', 'x64'])
  assert.throws(() => parseArguments(['--threads', '0']), /--threads 0/)
  assert.throws(() => parseArguments(['--device', 'wasm,abacus']), /--device abacus/)
})

test('a limit is the slower of arithmetic and memory', () => {
  const limits = { threads: 1, flops: 50e9, bytes: 20e9 }
  assert.equal(limitMs({ flops: 50e6, bytes: 0 }, limits), 1)
  assert.equal(limitMs({ flops: 50e6, bytes: 40e6 }, limits), 2)
})

test("the machine's limits are what any measure has reached", () => {
  const wasm = { threads: 2, flops: 115e9, bytes: 37e9 }
  assert.deepEqual(machineLimits({ x64: null, wasm }), wasm)
  const x64 = { threads: 2, flops: 223e9, bytes: 36e9 }
  assert.deepEqual(machineLimits({ x64, wasm }), { threads: 2, flops: 223e9, bytes: 37e9 })
})

test('the module that measures the limits is valid', () => {
  assert.ok(WebAssembly.validate(limitModule()))
})

test('a repetition lasts from the first start to the last end', () => {
  // Two repetitions of two threads, start and end of each: at the same time, and one after the other.
  assert.equal(shortest(Float64Array.of(0, 10, 1, 11, 20, 25, 26, 32), 2), 11)
})

test('others than the first device have their time and how many times as long that is', () => {
  const workload = { name: 'W1', about: '', flops: 50e6, bytes: 0 }
  const x64 = { median: 2, min: 1.5, n: 9 }
  const [wasm, peer] = [4, 5].map((median) => ({ median, min: 4, n: 9 }) as const) as [typeof x64, typeof x64]
  const limits = { threads: 1, flops: 50e9, bytes: 1 }
  assert.deepEqual(headings(['x64', 'wasm'], ['a', 'b']), [
    '',
    'limit',
    'x64',
    'min',
    'share',
    'wasm',
    'share',
    'a',
    'b',
  ])
  const cells = row(workload, [x64, wasm], [peer, 'no gradient'], limits)
  assert.deepEqual(cells, ['W1', '1.0', '2.0', '1.5', '50 %', '4.0 (2.00×)', '25 %', '5.0 (2.50×)', 'no gradient'])
  const alone = row(workload, ['has crashed'], [peer], limits)
  assert.deepEqual(alone, ['W1', '1.0', 'has crashed', '–', '–', '5.0'])
})

test('a table is laid out in columns', () => {
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

/** Runs the bench alone on one thread; gives its lines of JSON. */
function jsonLines(...args: string[]): Record<string, unknown>[] {
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    [run, '--alone', '--json', '--threads', '1', ...args],
    { encoding: 'utf8' },
  )
  assert.equal(status, 0, stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('--json prints one object a line and nothing else, for every fast device', () => {
  const lines = jsonLines('W1')
  assert.deepEqual(Object.keys(lines[0] ?? {}), ['workload', 'peer', 'device', 'threads', 'median_ms', 'min_ms', 'n'])
  assert.deepEqual(
    lines.map(({ workload, peer, device, threads }) => [workload, peer, device, threads]),
    fastDevices().map((device) => ['W1', 'descent', device, 1]),
  )
})

test('making a plan is timed in a process of its own', () => {
  const [line] = jsonLines('COMPILE_W4_warm', '--device', 'wasm')
  assert.deepEqual([line?.workload, line?.device, line?.n], ['COMPILE_W4_warm', 'wasm', 7])
  assert.ok((line?.median_ms as number) > 1)
})
