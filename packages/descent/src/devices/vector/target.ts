/**
 * What a machine brings to the emitters that all machines share, and what every kernel becomes: one or more functions
 *
 *     (start: int, end: int, bind: int, scratch: int) -> ()
 *
 * that run the chunks start … end - 1 of a phase. `bind` is the address of a table of addresses (`Code.loadAddress`): of
 * the kernel's local buffers 0 … n - 1, then (flat kernels) the size of the launch in place of an address, then (where
 * sharedBytes > 0) of the launch's shared scratch memory, then (where there are tables) of the kernel's tables.
 * `scratch` is the calling thread's own scratch memory, `scratchBytes` long, aligned to 64; what it holds between two
 * calls is not defined.
 *
 * The chunks of one phase may run in any order and on any thread; a phase begins when the one before it has ended.
 * What a kernel computes depends neither on how chunks are grouped into calls nor on the thread.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Callable, Code, Kind } from './code.ts'
import type { GemmMachine } from './gemm-machine.ts'

export interface Phase {
  readonly body: Callable
  /** How many chunks there are: `size` is the launch's size, null but for flat kernels. */
  chunks(size: number | null): number
  /** In a loop it runs in the first iteration only: what it reads stays, and so does what it leaves in shared memory. */
  readonly once?: true
}

export function chunksOf(phase: Phase, size: number | null, iteration: number): number {
  return phase.once && iteration > 0 ? 0 : phase.chunks(size)
}

export interface EmittedKernel {
  readonly phases: readonly Phase[]
  /** Scratch memory shared by all threads that run a launch. */
  readonly sharedBytes: number
  /** Scratch memory that each thread needs. */
  readonly scratchBytes: number
  /** Constant data that the kernel reads: the device copies it to an address of its own, a multiple of 64. */
  readonly tables?: Int32Array
  /** Rough nanoseconds on one thread: whether to wake the others. */
  work(size: number | null): number
}

/** What holds for all kernels of one program. */
export interface Target {
  /** Lanes of a vector: 4, 8 or 16. */
  readonly lanes: number
  /** Whether vectors have a fused multiply-add. */
  readonly fused: boolean
  /**
   * Whether one instruction can add two numbers, one of them times 4, to an address: then addresses are added up where used,
   * and may lie below the buffer that an instruction's offset leads into. Else they may not: WebAssembly does not wrap
   * the sum of an address and an offset.
   */
  readonly scaledAddresses: boolean
  /** Whether constants need no local to be at hand in a loop: the function keeps them where it likes. */
  readonly freeConstants: boolean
  /** How many vectors go together in loops where that hides latency. */
  readonly copies: number
  /** Buffers of so many bytes are written past the caches (`Code.streamVector`): they are gone before they are read. */
  readonly streamBytes: number
  /** Whether `Code.prefetch` is of any use. */
  readonly prefetches: boolean
  readonly gemm: GemmMachine
  /** A new function of the program. */
  newFunction(parameters: readonly Kind[]): Code
}

export type EmitKernel<K extends Kernel> = (kernel: K, target: Target) => EmittedKernel

/** The parameters of a body. */
export const startParam = 0
export const endParam = 1
export const bindParam = 2
export const scratchParam = 3

export function newBody(target: Target): Code {
  return target.newFunction(['int', 'int', 'int', 'int'])
}
