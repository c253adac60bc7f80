/**
 * Machine code that walks a plan's table (schedule.ts): alone, or as one of several threads. Both are functions of the
 * System V convention that return 1 if a check has failed (then the steps after it have not been run), else 0.
 */
import {
  type Assembler,
  at,
  cc,
  R10,
  R12,
  R13,
  R14,
  R15,
  RAX,
  RBP,
  RBX,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
} from '../assembler/assembler.ts'
import { control } from './control.ts'
import { futexWait, futexWakeAll, spinAgain, startSpin } from './futex.ts'
import { stageFields, tableFields, taskFields } from './schedule.ts'

const saved = [RBX, RBP, R12, R13, R14, R15]
/** With what is saved it keeps rsp at a multiple of 16. */
const frame = { start: 0, end: 8, bind: 16, scratch: 24, beside: 32, bytes: 40 } as const

/** What stays in registers during the walk. */
const [stage, scratch, stagesLeft, errorRecord] = [RBX, RBP, R12, R13]

/** (rdi: table, rsi: scratch) → failed. All of the work on the calling thread. */
export function emitSolo(asm: Assembler): void {
  const [task, tasksLeft] = [R14, R15]
  walk(asm, () => {
    const [nextTask, noTasks] = [asm.newLabel(), asm.newLabel()]
    asm.mov32(tasksLeft, at(stage, stageFields.tasks))
    asm.lea(task, at(stage, stageFields.firstTask))
    asm.test(tasksLeft, tasksLeft)
    asm.jcc(cc.e, noTasks)
    asm.bind(nextTask)
    asm.movImm(RAX, 0)
    asm.mov32(RCX, at(task, taskFields.chunks))
    callTask(asm, task)
    asm.aluImm('add', task, taskFields.bytes)
    asm.aluImm('sub', tasksLeft, 1)
    asm.jcc(cc.ne, nextTask)
    asm.bind(noTasks)
  })
}

/**
 * (rdi: table, rsi: scratch, rdx: control block, rcx: address of the number of the processor on which not to wait awake) → failed.
 * What this thread gets of the work; returns when all is done.
 */
export function emitTakePart(asm: Assembler): void {
  const [block, task] = [R14, R15]
  walk(
    asm,
    () => takeStage(asm, block, task),
    () => {
      asm.mov(block, RDX)
      asm.store64(at(RSP, frame.beside), RCX)
    },
  )
}

function takeStage(asm: Assembler, block: number, task: number): void {
  const [nextClaim, noneLeft] = [asm.newLabel(), asm.newLabel()]
  const [wait, awake, allDone] = [asm.newLabel(), asm.newLabel(), asm.newLabel()]
  asm.bind(nextClaim)
  // Looking before adding keeps the counter's cache line shared where nothing is left.
  asm.mov32(RCX, at(stage, stageFields.claims))
  asm.alu32('cmp', RCX, at(stage, stageFields.next))
  asm.jcc(cc.be, noneLeft)
  asm.movImm(RAX, 1)
  asm.lockXadd32(at(stage, stageFields.next), RAX)
  asm.alu('cmp', RAX, RCX)
  asm.jcc(cc.ae, noneLeft)
  findTask(asm, task)
  callTask(asm, task)
  asm.movImm(RAX, 1)
  asm.lockXadd32(at(stage, stageFields.done), RAX)
  asm.aluImm('add', RAX, 1)
  asm.alu32('cmp', RAX, at(stage, stageFields.claims))
  asm.jcc(cc.ne, nextClaim)
  // Who has done the last claim wakes those that sleep for it.
  asm.aluMemImm32('cmp', at(block, control.nappers), 0)
  asm.jcc(cc.e, allDone)
  asm.lea(RDI, at(stage, stageFields.done))
  futexWakeAll(asm)
  asm.jmp(allDone)

  asm.bind(noneLeft)
  jumpIfDone(asm, allDone)
  startSpin(asm)
  asm.bind(wait)
  jumpIfDone(asm, allDone)
  asm.mov(RSI, at(RSP, frame.beside))
  spinAgain(asm, block, wait, at(RSI))
  asm.lockAdd32Imm(at(block, control.nappers), 1)
  jumpIfDone(asm, awake)
  asm.lea(RDI, at(stage, stageFields.done))
  asm.movImm(R10, 0)
  futexWait(asm)
  asm.bind(awake)
  asm.lockSub32Imm(at(block, control.nappers), 1)
  asm.jmp(wait)
  asm.bind(allDone)
}

/** A function that does `atStage` for one stage after the other, until a step has ended with a failed check. */
function walk(asm: Assembler, atStage: () => void, atStart?: () => void): void {
  const [nextStage, goOn] = [asm.newLabel(), asm.newLabel()]
  const [finished, failed, leave] = [asm.newLabel(), asm.newLabel(), asm.newLabel()]
  for (const register of saved) asm.push(register)
  asm.aluImm('sub', RSP, frame.bytes)
  asm.mov(scratch, RSI)
  asm.mov(stagesLeft, at(RDI, tableFields.stages))
  asm.mov(errorRecord, at(RDI, tableFields.errorRecord))
  asm.lea(stage, at(RDI, tableFields.firstStage))
  atStart?.()
  asm.test(stagesLeft, stagesLeft)
  asm.jcc(cc.e, finished)

  asm.bind(nextStage)
  atStage()
  asm.aluMemImm32('cmp', at(stage, stageFields.endsStep), 0)
  asm.jcc(cc.e, goOn)
  asm.aluMemImm32('cmp', at(errorRecord), 0)
  asm.jcc(cc.ne, failed)
  asm.bind(goOn)
  asm.mov32(RAX, at(stage, stageFields.bytes))
  asm.alu('add', stage, RAX)
  asm.aluImm('sub', stagesLeft, 1)
  asm.jcc(cc.ne, nextStage)

  asm.bind(finished)
  asm.movImm(RAX, 0)
  asm.jmp(leave)
  asm.bind(failed)
  asm.movImm(RAX, 1)
  asm.bind(leave)
  // The SSE code of others would be slow while upper halves of vectors are in use.
  asm.vzeroupper()
  asm.aluImm('add', RSP, frame.bytes)
  for (const register of saved.toReversed()) asm.pop(register)
  asm.ret()
}

/** rax: a claim of the stage → `task`: whose it is, rax: its first chunk, rcx: its end. */
function findTask(asm: Assembler, task: number): void {
  const [search, found] = [asm.newLabel(), asm.newLabel()]
  asm.lea(task, at(stage, stageFields.firstTask))
  asm.bind(search)
  asm.mov32(RCX, at(task, taskFields.claims))
  asm.alu('cmp', RAX, RCX)
  asm.jcc(cc.b, found)
  asm.alu('sub', RAX, RCX)
  asm.aluImm('add', task, taskFields.bytes)
  asm.jmp(search)
  asm.bind(found)
  asm.mov32(RCX, at(task, taskFields.grain))
  asm.imul(RAX, RCX)
  asm.alu('add', RCX, RAX)
  asm.mov32(RDX, at(task, taskFields.chunks))
  asm.alu('cmp', RCX, RDX)
  asm.cmov(cc.a, RCX, RDX)
}

/** rax: first chunk, rcx: end. */
function callTask(asm: Assembler, task: number): void {
  asm.store64(at(RSP, frame.start), RAX)
  asm.store64(at(RSP, frame.end), RCX)
  asm.mov(RCX, at(task, taskFields.bind))
  asm.store64(at(RSP, frame.bind), RCX)
  asm.store64(at(RSP, frame.scratch), scratch)
  asm.mov(RAX, at(task, taskFields.function))
  asm.callGp(RAX)
}

/** rdx: how many claims of the stage are done. */
function jumpIfDone(asm: Assembler, allDone: number): void {
  asm.mov32(RDX, at(stage, stageFields.done))
  asm.alu32('cmp', RDX, at(stage, stageFields.claims))
  asm.jcc(cc.ae, allDone)
}
