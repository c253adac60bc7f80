/**
 * What the machine can do at most, measured with loops in machine code: multiply-adds a second in registers, and bytes a
 * second of the triad a[i] = b[i] + s·c[i] (12 bytes an element; McCalpin, "STREAM", 1995) over arrays larger than the
 * caches. All threads work at the same time, each time on what the next of them takes; the best of several runs counts.
 */
import type { Limits } from '../limits.ts'
import {
  Assembler,
  at,
  type Bytes,
  cc,
  indexed,
  type Mem,
  RAX,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
} from './assembler/assembler.ts'
import { x64Device } from './device.ts'
import { type ExecutableBlock, place } from './native/executable.ts'
import { PAGE, roundUp } from './native/pages.ts'
import { type Region, reserve } from './native/region.ts'
import { type BoundLaunch, layoutSchedule } from './native/schedule.ts'
import { ThreadPool } from './native/threads.ts'

/** Enough to hide the latency of two multiply-adds a cycle, few enough for AVX2's sixteen registers. */
const sums = 12
const unroll = 4
/** Half a millisecond or so for each piece of work: more than it costs to hand it out, less than the end may be late. */
const iterations = 12_000
const pieces = 8
const largestArray = 32 * 2 ** 20
/** Between arrays: at equal offsets within their pages, loads would be taken to depend on stores (4K aliasing). */
const gap = 33 * 64
const bindBytes = 3 * 8
const [milliseconds, runs] = [80, 5]

/** Throws where the device x64 does not work. Takes about a quarter of a second. */
export function measureLimits(threads: number): Limits {
  const device = x64Device()
  if (typeof device === 'string') throw new Error(device)
  const bytes: Bytes = device.wide ? 64 : 32
  const pool = new ThreadPool(threads, 1000)
  const arrays = new Arrays(pool.threads)
  try {
    const arithmetic = bestSeconds(pool, arrays, multiplyAdds(bytes))
    bestSeconds(pool, arrays, fill(bytes, arrays.pieceBytes), 0)
    const memory = bestSeconds(pool, arrays, triad(bytes, arrays.pieceBytes))
    const operations = pool.threads * pieces * iterations * unroll * sums * 2 * (bytes / 4)
    const moved = pool.threads * pieces * 3 * arrays.pieceBytes
    return { threads, flops: operations / arithmetic, bytes: moved / memory }
  } finally {
    pool.settle()
    arrays.region.release()
  }
}

/** The triad alone, for measures that take turns with it. `run` gives the seconds that it took for its `bytes`. */
export interface Triad {
  readonly bytes: number
  run(): number
  close(): void
}

/** Throws where the device x64 does not work. */
export function openTriad(threads: number): Triad {
  const device = x64Device()
  if (typeof device === 'string') throw new Error(device)
  const bytes: Bytes = device.wide ? 64 : 32
  const pool = new ThreadPool(threads)
  const arrays = new Arrays(pool.threads)
  bestSeconds(pool, arrays, fill(bytes, arrays.pieceBytes), 0)
  const block = place(triad(bytes, arrays.pieceBytes).finish())
  const table = arrays.schedule(block.address)
  return {
    bytes: pool.threads * pieces * 3 * arrays.pieceBytes,
    run() {
      const start = performance.now()
      pool.run(table, { base: 0, stride: 0 })
      return (performance.now() - start) / 1000
    },
    close() {
      pool.settle()
      block.release()
      arrays.region.release()
    },
  }
}

/** What the loops find in memory: a record of errors, the addresses of arrays, a plan's table, three arrays a thread. */
class Arrays {
  readonly region: Region
  /** Bytes of an array that are one piece of work. */
  readonly pieceBytes: number
  readonly #threads: number
  readonly #bindsAt = 64
  readonly #tableAt: number

  constructor(threads: number) {
    this.#threads = threads
    // Machines with very many threads may have less memory than that for each.
    const { freemem } = process.getBuiltinModule('node:os')
    const arrayBytes = Math.min(largestArray, freemem() / (6 * threads))
    this.pieceBytes = Math.max(1, Math.floor(arrayBytes / pieces / PAGE)) * PAGE
    const stride = pieces * this.pieceBytes + gap
    this.#tableAt = this.#bindsAt + roundUp(threads * bindBytes, 64)
    const arraysAt = roundUp(this.#tableAt + this.#table(0, 0).length, 64)
    this.region = reserve(arraysAt + 3 * threads * stride)
    const binds = new BigUint64Array(this.region.view(), this.#bindsAt, 3 * threads)
    for (const i of binds.keys()) binds[i] = BigInt(this.region.address + arraysAt + i * stride)
  }

  /** The address of a plan's table that has every piece done once by the function at an address. */
  schedule(functionAddress: number): number {
    const table = this.#table(functionAddress, this.region.address)
    new Uint8Array(this.region.view(), this.#tableAt, table.length).set(table)
    return this.region.address + this.#tableAt
  }

  #table(address: number, base: number): Uint8Array {
    const launches = Array.from({ length: this.#threads }, (_, thread): BoundLaunch => {
      const bind = base + this.#bindsAt + thread * bindBytes
      return { phases: [{ address, chunks: pieces }], bind, work: Infinity }
    })
    return layoutSchedule([launches], base).table
  }
}

function bestSeconds(pool: ThreadPool, arrays: Arrays, code: Assembler, least = runs): number {
  const block: ExecutableBlock = place(code.finish())
  const table = arrays.schedule(block.address)
  const run = (): number => {
    const start = performance.now()
    pool.run(table, { base: 0, stride: 0 })
    return performance.now() - start
  }
  let best = run()
  const until = performance.now() + (least > 0 ? milliseconds : 0)
  for (let i = 0; i < least || performance.now() < until; i++) best = Math.min(best, run())
  pool.settle()
  block.release()
  return best / 1000
}

/** Parameters as a function finds them, see native/schedule.ts. */
const [start, end, bind] = [8, 16, 24].map((offset) => at(RSP, offset)) as [Mem, Mem, Mem]

function multiplyAdds(bytes: Bytes): Assembler {
  const asm = new Assembler()
  const [x, y] = [sums, sums + 1]
  splat(asm, bytes, x, 1e-3)
  splat(asm, bytes, y, 1e-3)
  for (let sum = 0; sum < sums; sum++) asm.move('vmovaps', bytes, sum, x)
  asm.mov(RCX, end)
  asm.alu('sub', RCX, start)
  asm.imulImm(RCX, RCX, iterations)
  repeat(asm, cc.ne, () => {
    for (let u = 0; u < unroll; u++) {
      for (let sum = 0; sum < sums; sum++) asm.vector('vfmadd231ps', bytes, sum, x, y)
    }
    asm.aluImm('sub', RCX, 1)
  })
  return asm
}

/** a = b + s·c */
function triad(bytes: Bytes, pieceBytes: number): Assembler {
  const asm = new Assembler()
  const scale = 4
  splat(asm, bytes, scale, 3)
  eachVector(asm, bytes, pieceBytes, ([a, b, c], u) => {
    asm.move('vmovups', bytes, u, c)
    asm.vector('vfmadd213ps', bytes, u, scale, b)
    asm.store('vmovups', bytes, a, u)
  })
  return asm
}

/** Pages that were never written are all the same page of zeros, which is in the cache. */
function fill(bytes: Bytes, pieceBytes: number): Assembler {
  const asm = new Assembler()
  splat(asm, bytes, 0, 1)
  eachVector(asm, bytes, pieceBytes, (arrays) => {
    for (const element of arrays) asm.store('vmovups', bytes, element, 0)
  })
  return asm
}

/** `once` for each vector of the pieces; it is told where the vector lies in each of the three arrays. */
function eachVector(
  asm: Assembler,
  bytes: Bytes,
  pieceBytes: number,
  once: (arrays: readonly [Mem, Mem, Mem], u: number) => void,
): void {
  const [a, b, c, offset, last] = [RSI, RDI, RDX, RAX, RCX]
  asm.imulImm(offset, start, pieceBytes)
  asm.imulImm(last, end, pieceBytes)
  asm.mov(RDX, bind)
  asm.mov(a, at(RDX, 0))
  asm.mov(b, at(RDX, 8))
  asm.mov(c, at(RDX, 16))
  repeat(asm, cc.b, () => {
    for (let u = 0; u < unroll; u++) {
      const element = (array: number): Mem => indexed(array, offset, 1, u * bytes)
      once([element(a), element(b), element(c)], u)
    }
    asm.aluImm('add', offset, unroll * bytes)
    asm.alu('cmp', offset, last)
  })
}

/** The end of a function: a loop for as long as the condition holds behind its body. */
function repeat(asm: Assembler, condition: number, body: () => void): void {
  const again = asm.newLabel()
  asm.align(32)
  asm.bind(again)
  body()
  asm.jcc(condition, again)
  asm.vzeroupper()
  asm.ret()
}

function splat(asm: Assembler, bytes: Bytes, register: number, value: number): void {
  const [word] = new Uint32Array(Float32Array.of(value).buffer) as unknown as [number]
  asm.movImm(RAX, word)
  asm.vmovd(register, RAX)
  asm.move('vbroadcastss', bytes, register, register)
}
