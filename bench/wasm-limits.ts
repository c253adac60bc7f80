/**
 * What the machine can do at most in WebAssembly, by all threads at the same time: each runs the module of the library's
 * own measure (devices/wasm/limits.ts: multiply-adds, and the triad a[i] = b[i] + s·c[i]) on memory of its own.
 */
import { Worker } from 'node:worker_threads'
import { arrayBytes, limitModule, pages, turnFlops } from '../packages/descent/src/devices/wasm/limits.ts'
import type { Limits } from './limits.ts'

const iterations = 100_000
const repetitions = 120

/**
 * A worker's program. Every repetition begins when all threads are there; `times` takes its start and its end, in
 * milliseconds of a clock that threads share.
 */
const program = `
const { workerData: { bytes, arrayBytes, pages, iterations, repetitions, gate, times, thread, threads } } = require('node:worker_threads')
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
new Uint8Array(memory.buffer).fill(0)
const { multiplyAdd, triad } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports
const clock = () => Number(process.hrtime.bigint()) / 1e6
let met = 0
const measure = (run, at) => {
  for (let r = 0; r < repetitions; r++) {
    Atomics.add(gate, 0, 1)
    met += threads
    while (Atomics.load(gate, 0) < met);
    const place = 2 * (at + r * threads + thread)
    times[place] = clock()
    run()
    times[place + 1] = clock()
  }
}
for (let i = 0; i < 20; i++) multiplyAdd(iterations / 20)
triad(arrayBytes)
measure(() => multiplyAdd(iterations), 0)
measure(() => triad(arrayBytes), repetitions * threads)
`

export async function measureWasmLimits(threads: number): Promise<Limits> {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const times = new Float64Array(new SharedArrayBuffer(2 * 2 * repetitions * threads * 8))
  const shared = { bytes: limitModule(), arrayBytes, pages, iterations, repetitions }
  await Promise.all(
    Array.from({ length: threads }, (_, thread) => {
      const worker = new Worker(program, { eval: true, workerData: { ...shared, gate, times, thread, threads } })
      return new Promise<unknown>((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    }),
  )
  const [arithmetic, traffic] = [times.subarray(0, times.length / 2), times.subarray(times.length / 2)]
  return {
    threads,
    flops: (threads * iterations * turnFlops) / (shortest(arithmetic, threads) / 1000),
    bytes: (threads * 3 * arrayBytes) / (shortest(traffic, threads) / 1000),
  }
}

/**
 * The shortest repetition, from the first thread's start to the last one's end: threads that a busy machine runs one after
 * the other do not share its memory, and their rates must not be added up.
 */
export function shortest(times: Float64Array, threads: number): number {
  let least = Number.POSITIVE_INFINITY
  for (let at = 0; at < times.length; at += 2 * threads) {
    const repetition = times.subarray(at, at + 2 * threads)
    least = Math.min(least, Math.max(...repetition) - Math.min(...repetition))
  }
  return least
}
