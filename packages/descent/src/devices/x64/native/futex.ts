/**
 * How machine code waits: awake for a while, which answers in a fraction of a microsecond, and then asleep on a word in
 * memory (futex(2)), which leaves the core to others. No wake-up is lost, since each step of both sides is a full barrier: the
 * sleeper counts itself, then sleeps if the word is still as it was; the other changes the word by a locked instruction,
 * then wakes if it counts sleepers.
 */
import { type Assembler, at, cc, type Mem, R8, R10, RAX, RCX, RDI, RDX, RSI } from '../assembler/assembler.ts'
import { control } from './control.ts'

const systemCall = { rt_sigprocmask: 14, futex: 202 } as const
const FUTEX_WAIT_PRIVATE = 128
const FUTEX_WAKE_PRIVATE = 129
const SIG_BLOCK = 0

/** rdi: address of the word, rdx: what it was, r10: address of the longest time or 0. Changes rax (0 or -errno), rcx, rsi, r11. */
export function futexWait(asm: Assembler): void {
  asm.movImm(RSI, FUTEX_WAIT_PRIVATE)
  asm.movImm(RAX, systemCall.futex)
  asm.syscall()
}

/** rdi: address of the word. Changes rax, rcx, rdx, rsi, r11. */
export function futexWakeAll(asm: Assembler): void {
  asm.movImm(RSI, FUTEX_WAKE_PRIVATE)
  asm.movImm(RDX, 2 ** 31 - 1)
  asm.movImm(RAX, systemCall.futex)
  asm.syscall()
}

/** Where waiting awake keeps the time at which it began. */
const since = R8

/** Begins to wait awake. Changes rax, rcx, rdx, r8. */
export function startSpin(asm: Assembler): void {
  readTicks(asm)
  asm.mov(since, RAX)
}

/**
 * Jumps to `again`, which looks whether there still is something to wait for, until so many ticks have passed as the
 * control block says. Changes rax, rcx, rdx.
 *
 * `beside`: address of a processor's number, see `readTicks`. On that one the thread does not wait awake: whoever it waits
 * for could not run there meanwhile.
 */
export function spinAgain(asm: Assembler, block: number, again: number, beside?: Mem): void {
  const over = asm.newLabel()
  asm.pause()
  readTicks(asm)
  if (beside) {
    asm.alu32('cmp', RCX, beside)
    asm.jcc(cc.e, over)
  }
  asm.alu('sub', RAX, since)
  asm.alu('cmp', RAX, at(block, control.spinTicks))
  asm.jcc(cc.b, again)
  asm.bind(over)
}

/**
 * rax: the time stamp counter; to count turns would measure nothing, for a `pause` takes 40 to 140 cycles, by the processor.
 * ecx: the number of the processor (core and node, as Linux puts them into TSC_AUX). Changes rdx.
 */
export function readTicks(asm: Assembler): void {
  asm.reserve()
  for (const byte of [0x0f, 0x01, 0xf9]) asm.byte(byte) // rdtscp
  asm.shiftGp('shl', RDX, 32)
  asm.alu('or', RAX, RDX)
}

/**
 * Keeps the process's signals from this thread: their handlers are Node's, for Node's threads. The C library's own (32 to
 * 34: timers, cancellation, and setuid, which waits for every thread) pass. `free`: address of 8 bytes for the set.
 */
export function blockSignals(asm: Assembler, free: number): void {
  asm.store32Imm(at(free), 0x7fffffff)
  asm.store32Imm(at(free, 4), -4)
  asm.movImm(RDI, SIG_BLOCK)
  asm.mov(RSI, free)
  asm.movImm(RDX, 0)
  asm.movImm(R10, 8)
  asm.movImm(RAX, systemCall.rt_sigprocmask)
  asm.syscall()
}
