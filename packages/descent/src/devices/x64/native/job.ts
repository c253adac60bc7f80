/**
 * Machine code of a pool's threads: the main thread's run of a job that others may join, and the life of a worker. No
 * JavaScript runs in a worker. A job is open from when its table's counters are zero until the main thread has finished
 * it; a worker may join late, or never.
 */
import {
  type Assembler,
  at,
  cc,
  R10,
  R12,
  R13,
  R14,
  RAX,
  RBP,
  RBX,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
} from '../assembler/assembler.ts'
import { control, slot } from './control.ts'
import { blockSignals, futexWait, futexWakeAll, readTicks, spinAgain, startSpin } from './futex.ts'
import { stageFields, tableFields } from './schedule.ts'

/** An odd number, so that rsp is a multiple of 16 after they were pushed. */
const saved = [RBX, RBP, R12, R13, R14]
const ETIMEDOUT = 110

/** (rdi: control block). Returns when no worker is in a job. */
export function emitSettle(asm: Assembler): void {
  const block = RBX
  const [wait, settled] = [asm.newLabel(), asm.newLabel()]
  const jumpIfSettled = (): void => {
    asm.mov32(RDX, at(block, control.active))
    asm.test(RDX, RDX)
    asm.jcc(cc.e, settled)
  }
  asm.push(block)
  asm.mov(block, RDI)
  jumpIfSettled()
  startSpin(asm)
  asm.bind(wait)
  jumpIfSettled()
  spinAgain(asm, block, wait)
  jumpIfSettled()
  // Who leaves wakes nobody: it is rare that one takes so long (it has lost its core), and a short nap will do.
  asm.lea(RDI, at(block, control.active))
  asm.lea(R10, at(block, control.nap))
  futexWait(asm)
  asm.jmp(wait)
  asm.bind(settled)
  asm.pop(block)
  asm.ret()
}

/**
 * (rdi: control block, rsi: table, rdx: scratch, rcx: stride) → failed. By all threads that are awake, this one included;
 * if a check has failed, no worker is in the job any more.
 */
export function emitShared(asm: Assembler, settle: number, takePart: number): void {
  const [block, table, scratch, stride, failed] = [RBX, RBP, R12, R13, R14]
  const [awake, done] = [asm.newLabel(), asm.newLabel()]
  for (const register of saved) asm.push(register)
  asm.mov(block, RDI)
  asm.mov(table, RSI)
  asm.mov(scratch, RDX)
  asm.mov(stride, RCX)
  asm.call(settle)
  clearCounters(asm, table)
  asm.store64(at(block, control.table), table)
  asm.store64(at(block, control.scratch), scratch)
  asm.store64(at(block, control.stride), stride)
  readTicks(asm)
  asm.store32(at(block, control.processor), RCX)
  asm.store32Imm(at(block, control.open), 1)
  asm.lockAdd32Imm(at(block, control.generation), 1)
  asm.aluMemImm32('cmp', at(block, control.sleepers), 0)
  asm.jcc(cc.e, awake)
  asm.lea(RDI, at(block, control.generation))
  futexWakeAll(asm)
  asm.bind(awake)
  asm.mov(RDI, table)
  asm.mov(RSI, scratch)
  asm.mov(RDX, block)
  asm.lea(RCX, at(block, control.noProcessor))
  asm.call(takePart)
  asm.mov(failed, RAX)
  // A full barrier: a worker that enters from now on is seen by `settle`, or sees that it is too late.
  asm.movImm(RAX, 0)
  asm.xchg32(at(block, control.open), RAX)
  asm.test(failed, failed)
  asm.jcc(cc.e, done)
  // Else the caller would clear the error record, and one that is late would go on with the next step.
  asm.mov(RDI, block)
  asm.call(settle)
  asm.bind(done)
  asm.mov(RAX, failed)
  for (const register of saved.toReversed()) asm.pop(register)
  asm.ret()
}

function clearCounters(asm: Assembler, table: number): void {
  const [stage, left] = [RDX, RCX]
  const [next, cleared] = [asm.newLabel(), asm.newLabel()]
  asm.mov(left, at(table, tableFields.stages))
  asm.lea(stage, at(table, tableFields.firstStage))
  asm.test(left, left)
  asm.jcc(cc.e, cleared)
  asm.bind(next)
  // Both at once: `done` follows `next`.
  asm.store64Imm(at(stage, stageFields.next), 0)
  asm.mov32(RAX, at(stage, stageFields.bytes))
  asm.alu('add', stage, RAX)
  asm.aluImm('sub', left, 1)
  asm.jcc(cc.ne, next)
  asm.bind(cleared)
}

/** (rdi: slot). What a worker does: join jobs, until it is no longer wanted or was idle for long. */
export function emitWorker(asm: Assembler, takePart: number): void {
  const [self, block, thread, generation] = [RBX, RBP, R12, R13]
  const [join, left, spin] = [asm.newLabel(), asm.newLabel(), asm.newLabel()]
  const [sleep, changed, end] = [asm.newLabel(), asm.newLabel(), asm.newLabel()]
  for (const register of saved) asm.push(register)
  asm.mov(self, RDI)
  asm.mov(block, at(self, slot.control))
  asm.mov32(thread, at(self, slot.thread))
  asm.aluImm('sub', RSP, 16)
  blockSignals(asm, RSP)
  asm.aluImm('add', RSP, 16)

  asm.bind(join)
  asm.mov32(generation, at(block, control.generation))
  asm.lockAdd32Imm(at(block, control.active), 1)
  asm.aluMemImm32('cmp', at(block, control.open), 0)
  asm.jcc(cc.e, left)
  asm.alu32('cmp', thread, at(block, control.threads))
  asm.jcc(cc.ae, left)
  asm.mov(RDI, at(block, control.table))
  asm.mov(RSI, thread)
  asm.imul(RSI, at(block, control.stride))
  asm.alu('add', RSI, at(block, control.scratch))
  asm.mov(RDX, block)
  asm.lea(RCX, at(block, control.processor))
  asm.call(takePart)
  asm.bind(left)
  asm.lockSub32Imm(at(block, control.active), 1)

  startSpin(asm)
  asm.bind(spin)
  asm.alu32('cmp', generation, at(block, control.generation))
  asm.jcc(cc.ne, changed)
  spinAgain(asm, block, spin, at(block, control.processor))
  asm.bind(sleep)
  asm.lockAdd32Imm(at(block, control.sleepers), 1)
  asm.lea(RDI, at(block, control.generation))
  asm.mov32(RDX, generation)
  asm.lea(R10, at(block, control.idle))
  futexWait(asm)
  asm.lockSub32Imm(at(block, control.sleepers), 1)
  asm.alu32('cmp', generation, at(block, control.generation))
  asm.jcc(cc.ne, changed)
  asm.aluImm('cmp', RAX, -ETIMEDOUT)
  asm.jcc(cc.ne, sleep)
  asm.jmp(end)
  asm.bind(changed)
  asm.alu32('cmp', thread, at(block, control.threads))
  asm.jcc(cc.b, join)

  asm.bind(end)
  asm.store32Imm(at(self, slot.taken), 0)
  asm.lockSub32Imm(at(block, control.alive), 1)
  for (const register of saved.toReversed()) asm.pop(register)
  asm.ret()
}
