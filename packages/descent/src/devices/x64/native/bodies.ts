/** For tests and measurements: small kernels in machine code, and the memory in which they run. */
import { Assembler, at, cc, indexed, type Mem, R8, RAX, RCX, RDI, RDX, RSI, RSP } from '../assembler/assembler.ts'
import { place } from './executable.ts'
import { nativeOrThrow } from './koffi.ts'
import { type Region, reserve } from './region.ts'
import { type BoundLaunch, layoutSchedule } from './schedule.ts'

/** Parameters as a function finds them, see schedule.ts. */
const [start, end, bind, scratch] = [8, 16, 24, 32].map((offset) => at(RSP, offset)) as [Mem, Mem, Mem, Mem]
const [chunk, last, base] = [RAX, RCX, RDX]
/** Bytes of an element. */
const i32 = 4

/** A function that does `once` (chunk in rax, bind address in rdx; rsi, rdi and r8 are free) for each of its chunks. */
export function body(once: (asm: Assembler) => void): number {
  const asm = new Assembler()
  const [next, done] = [asm.newLabel(), asm.newLabel()]
  asm.mov(chunk, start)
  asm.mov(last, end)
  asm.mov(base, bind)
  asm.bind(next)
  asm.alu('cmp', chunk, last)
  asm.jcc(cc.ae, done)
  once(asm)
  asm.aluImm('add', chunk, 1)
  asm.jmp(next)
  asm.bind(done)
  // One more is counted in the scratch memory for each call, and all that may be clobbered is.
  asm.mov(R8, scratch)
  asm.lockAdd32Imm(at(R8), 1)
  for (const register of [RAX, RCX, RDX, RSI, RDI, 8, 9, 10, 11]) asm.movImm(register, -1)
  for (const parameter of [start, end, bind, scratch]) asm.store64(parameter, RAX)
  asm.ret()
  return place(asm.finish()).address
}

/** buffer[chunk] += chunk + 1 */
export const addChunk = (asm: Assembler): void => {
  asm.lea(RSI, at(chunk, 1))
  asm.aluMem32('add', indexed(base, chunk, i32), RSI)
}

/** buffer[chunk] += 1 */
export const count = (asm: Assembler): void => {
  asm.aluMemImm32('add', indexed(base, chunk, i32), 1)
}

/** buffer[chunks + chunk] += buffer[(chunk + 7) mod chunks] */
export const addOther =
  (chunks: number) =>
  (asm: Assembler): void => {
    const wrapped = asm.newLabel()
    asm.lea(RSI, at(chunk, 7))
    asm.aluImm('cmp', RSI, chunks)
    asm.jcc(cc.b, wrapped)
    asm.aluImm('sub', RSI, chunks)
    asm.bind(wrapped)
    asm.mov32(RDI, indexed(base, RSI, i32))
    asm.aluMem32('add', indexed(base, chunk, i32, chunks * 4), RDI)
  }

/** Takes about `turns` times a nanosecond and a half. */
export const takeTime =
  (turns: number) =>
  (asm: Assembler): void => {
    const turn = asm.newLabel()
    asm.movImm(RSI, turns)
    asm.bind(turn)
    asm.imul(RDI, RDI)
    asm.aluImm('sub', RSI, 1)
    asm.jcc(cc.ne, turn)
  }

/** Fails check 4 at chunk 5, unless one has failed. */
export const failAtFive =
  (record: number) =>
  (asm: Assembler): void => {
    const fine = asm.newLabel()
    asm.aluImm('cmp', chunk, 5)
    asm.jcc(cc.ne, fine)
    asm.movImm(RSI, record)
    asm.store32Imm(at(RSI, 4), 5)
    asm.store32Imm(at(RSI), 5)
    asm.bind(fine)
  }

/** Memory for one plan: `values` i32, an error record, a table, and scratch memory for 8 threads. */
export class Workbench {
  readonly region: Region
  readonly values: Int32Array
  readonly record: Int32Array
  readonly scratch: Int32Array
  readonly valuesAddress: number
  readonly recordAddress: number
  readonly scratchArea: { readonly base: number; readonly stride: number }
  readonly #tableAt: number

  constructor(values: number, tableBytes = 65536) {
    const bytes = Math.ceil((values * 4) / 64) * 64
    this.region = reserve(bytes + 64 + 8 * 64 + tableBytes)
    const { address } = this.region
    const buffer = this.region.view()
    this.valuesAddress = address
    this.values = new Int32Array(buffer, 0, values)
    this.recordAddress = address + bytes
    this.record = new Int32Array(buffer, bytes, 2)
    this.scratchArea = { base: address + bytes + 64, stride: 64 }
    this.scratch = new Int32Array(buffer, bytes + 64, 8 * 16)
    this.#tableAt = address + bytes + 64 + 8 * 64
  }

  /** The address of a table that does these steps; the next call overwrites it. */
  table(steps: readonly (readonly BoundLaunch[])[]): number {
    nativeOrThrow().copyTo(this.#tableAt, layoutSchedule(steps, this.recordAddress).table)
    return this.#tableAt
  }

  /** A launch of one phase that is cut into claims of one chunk. */
  launch(address: number, chunks: number): BoundLaunch {
    return { phases: [{ address, chunks }], bind: this.valuesAddress, work: chunks * 4000 }
  }

  /** How many calls each thread has made. */
  calls(): number[] {
    return Array.from({ length: 8 }, (_, thread) => this.scratch[thread * 16] as number)
  }
}
