/**
 * What every kernel becomes: one or more WebAssembly functions
 *
 *     (start: i32, end: i32, bind: i32, scratch: i32) -> ()
 *
 * that run the chunks start … end - 1 of a phase. `bind` is the byte address of a table of i32 words: the byte
 * addresses of the kernel's local buffers 0 … n - 1, then (flat kernels) the size of the launch, then (where
 * sharedBytes > 0) the byte address of the launch's shared scratch memory, then (where there are tables) the byte
 * address of the kernel's tables. `scratch` is the calling thread's own
 * scratch memory, `scratchBytes` long, aligned to 64; what it holds between two calls is not defined.
 *
 * The chunks of one phase may run in any order and on any thread; a phase begins when the one before it has ended.
 * What a kernel computes depends neither on how chunks are grouped into calls nor on the thread.
 *
 * Every buffer, arena and scratch area has 16 bytes before and after it that may be read (not written).
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { FunctionBuilder, ModuleBuilder } from './encode.ts'

export interface Phase {
  readonly body: FunctionBuilder
  /** How many chunks there are: `size` is the launch's size, null but for flat kernels. */
  chunks(size: number | null): number
}

export interface EmittedKernel {
  readonly phases: readonly Phase[]
  /** Scratch memory shared by all threads that run a launch. */
  readonly sharedBytes: number
  /** Scratch memory that each thread needs. */
  readonly scratchBytes: number
  /** Constant data that the kernel reads: the device copies it to an address of its own, a multiple of 16. */
  readonly tables?: Int32Array
  /** Rough nanoseconds on one thread: whether to wake the others. */
  work(size: number | null): number
}

/** What holds for all kernels of one module. */
export interface Target {
  readonly module: ModuleBuilder
  /** Whether vectors have a fused multiply-add. */
  readonly relaxedSimd: boolean
  /** Byte address of two i32 words: the first failed check's id + 1 (0: none), and the value that it saw. */
  readonly errorAddress: number
}

export type EmitKernel<K extends Kernel> = (kernel: K, target: Target) => EmittedKernel

/** The parameters of a body. */
export const startParam = 0
export const endParam = 1
export const bindParam = 2
export const scratchParam = 3

export function newBody(target: Target): FunctionBuilder {
  return target.module.function(['i32', 'i32', 'i32', 'i32'])
}
