/**
 * The functions of one plan on their way to machine code: the target that all emitters write to, and the assembly of
 * what they wrote.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Kind } from '../vector/code.ts'
import { emitKernel } from '../vector/emit-kernel.ts'
import type { GemmMachine } from '../vector/gemm-machine.ts'
import type { EmittedKernel, Target } from '../vector/target.ts'
import { type Allocation, allocate, type Machine, RegisterPressure } from './allocate.ts'
import { Assembler } from './assembler/assembler.ts'
import { encode } from './encode.ts'
import { X64Function } from './function.ts'
import { gemmMachine } from './gemm-machine.ts'
import { machines } from './machine.ts'
import type { X64Callable } from './writer.ts'

/** A function that is written in machine instructions at once. */
export interface RawFunction extends X64Callable {
  readonly title: string
  readonly emit: (asm: Assembler) => void
}

type Part = { readonly f: X64Function; allocation: Allocation | null } | { readonly raw: RawFunction }

export interface MachineCode {
  readonly bytes: Uint8Array
  /** Where a function begins, in bytes from the start. */
  readonly offsetOf: (index: number) => number
  readonly listing: readonly string[]
}

export class X64Program implements Target {
  readonly wide: boolean
  readonly lanes: number
  readonly fused = true
  readonly scaledAddresses = true
  readonly freeConstants = true
  readonly prefetches = true
  /** How many vectors go together where that hides latency. */
  copies = 4
  readonly streamBytes: number
  readonly gemm: GemmMachine
  readonly #errors: number
  readonly #machine: Machine
  #parts: Part[] = []

  /**
   * `wide`: AVX-512; `errors`: address of the error record (see native/schedule.ts); `l2Bytes`: a core's cache;
   * `streamBytes`: see Target.
   */
  constructor(
    wide: boolean,
    errors: number,
    machine: Machine = wide ? machines.wide : machines.narrow,
    l2Bytes = 1 << 20,
    streamBytes = Infinity,
  ) {
    this.wide = wide
    this.#machine = machine
    this.lanes = wide ? 16 : 8
    this.#errors = errors
    this.streamBytes = streamBytes
    this.gemm = gemmMachine(this, l2Bytes)
  }

  newFunction(parameters: readonly Kind[]): X64Function {
    const f = new X64Function(this.#parts.length, parameters, this.wide, this.#errors)
    this.#parts.push({ f, allocation: null })
    return f
  }
  newRaw(parameters: number, title: string, emit: (asm: Assembler) => void): RawFunction {
    const raw = { index: this.#parts.length, parameters, title, emit }
    this.#parts.push({ raw })
    return raw
  }

  /**
   * Writes a kernel's functions. If their vectors do not fit the registers, they are written again with fewer at a time; only
   * where even one is too much may loops keep vectors in memory.
   */
  emit(kernel: Kernel): EmittedKernel {
    const before = this.#parts.length
    for (const [copies, strict] of [
      [4, true],
      [1, true],
      [1, false],
    ] as const) {
      this.copies = copies
      try {
        const emitted = emitKernel(kernel, this)
        for (const part of this.#parts.slice(before))
          if ('f' in part) part.allocation = allocate(part.f, part.f.code, this.#machine, strict)
        return emitted
      } catch (error) {
        if (!(error instanceof RegisterPressure) || !strict) throw error
        this.#forget(before)
      }
    }
    throw new Error('unreachable')
  }
  #forget(from: number): void {
    this.#parts = this.#parts.slice(0, from)
    this.gemm.forget?.(from)
  }

  /** All functions as one piece of code that may lie anywhere. */
  assemble(listing = false): MachineCode {
    const asm = new Assembler({ listing })
    const entries = this.#parts.map(() => asm.newLabel())
    const entry = (index: number): number => entries[index] as number
    for (const [index, part] of this.#parts.entries()) {
      asm.align(32)
      if ('raw' in part) {
        asm.note(`function ${index}: ${part.raw.title}`)
        asm.bind(entry(index))
        part.raw.emit(asm)
      } else {
        const spilled = part.allocation?.spilled ?? 0
        asm.note(`function ${index}${spilled > 0 ? `, ${spilled} vectors in memory inside of loops` : ''}`)
        asm.bind(entry(index))
        encode(part.f, part.allocation as Allocation, asm, entry)
      }
    }
    const bytes = asm.finish()
    return { bytes, offsetOf: (index) => asm.offsetOf(entry(index)), listing: asm.lines }
  }
}
