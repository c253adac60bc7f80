/**
 * Writes the instructions of one function: registers, what waits on the stack, locals and control flow. Whole numbers: see
 * whole-writer.ts; vectors: function.ts.
 *
 * Registers are numbered as they are made; parameters are the first. A local is a register that may be written again.
 */
import type { Callable, Kind, Label, Written } from '../vector/code.ts'
import { type Address, classes, conditions, Instruction, none, type Op } from './instruction.ts'
import { type Entry, reads, sumOf } from './stack.ts'

interface Control {
  readonly kind: 'block' | 'loop' | 'if'
  readonly label: number
  /** For `if`: where its false branch begins, or -1 once that has been written. */
  otherwise: number
  result: number
}

/** A function that can be called by the others of its program. */
export interface X64Callable extends Callable {
  readonly parameters: number
}

export const mostInt = 0x7fffffff

export abstract class Writer implements X64Callable {
  readonly index: number
  readonly parameters: number
  /** Machine class of each register. */
  readonly classOf: number[] = []
  /** What runs first: constants that all of the function shares. */
  readonly prologue: Instruction[] = []
  protected readonly stack: Entry[] = []
  /** The code that was being written when each entry was pushed: only there may it be computed. */
  readonly #owners: Written[] = []
  #code: Instruction[] = []
  #whole: readonly Instruction[] | null = null
  #labels = 0
  readonly #control: Control[] = []

  constructor(index: number, parameters: readonly Kind[]) {
    this.index = index
    this.parameters = parameters.length
    for (const kind of parameters) this.local(kind)
  }

  /** The machine class of a kind. */
  protected abstract machineClass(kind: Kind): number
  /** The vector that an entry stands for, in a register. */
  protected abstract wordsIn(words: Uint32Array): number

  // Registers and instructions.
  register(machineClass: number): number {
    this.classOf.push(machineClass)
    return this.classOf.length - 1
  }
  local(kind: Kind): number {
    return this.register(this.machineClass(kind))
  }
  /** Locals cost nothing: which machine register they share is decided later. */
  release(): void {}
  borrow(write: () => void): void {
    write()
  }

  apart(): Written {
    return []
  }
  redirect(code: Written): Written {
    const before = this.#code
    this.#code = code as Instruction[]
    return before
  }
  append(code: Written): this {
    for (const instruction of code as Instruction[]) this.#code.push(instruction)
    return this
  }
  /** The whole function. */
  get code(): readonly Instruction[] {
    if (this.stack.length > 0) throw new Error('values were left on the stack')
    this.#whole ??= [...this.prologue, ...this.#code]
    return this.#whole
  }

  protected add(instruction: Instruction): Instruction {
    this.#code.push(instruction)
    return instruction
  }
  protected write(op: Op, name = ''): Instruction {
    const instruction = new Instruction(op)
    instruction.name = name
    return this.add(instruction)
  }
  /** The same with a new register for its result, which is pushed. */
  protected result(op: Op, machineClass: number, name = ''): Instruction {
    const instruction = this.write(op, name)
    instruction.dst = this.register(machineClass)
    this.push(instruction.dst)
    return instruction
  }
  protected push(register: number): void {
    this.put({ kind: 'register', register, local: false })
  }
  protected put(...entries: Entry[]): void {
    for (const entry of entries) {
      this.stack.push(entry)
      this.#owners.push(this.#code)
    }
  }
  protected pop(): Entry {
    const entry = this.stack.pop()
    this.#owners.pop()
    if (!entry) throw new Error('the stack is empty')
    return entry
  }

  /** The entry's value in a register. */
  protected inRegister(entry: Entry): number {
    switch (entry.kind) {
      case 'register':
        return entry.register
      case 'words':
        return this.wordsIn(entry.words)
      case 'number': {
        const i = this.write('int.constant')
        i.imm = entry.value
        i.dst = this.register(classes.gp)
        return i.dst
      }
      case 'sum': {
        if (entry.index === none && entry.disp === 0 && entry.base !== none) return entry.base
        const i = this.write('int.lea')
        this.setAddress(i, entry)
        i.dst = this.register(classes.gp)
        return i.dst
      }
      case 'test': {
        const i = this.write('int.test')
        this.setTest(i, entry)
        i.dst = this.register(classes.gp)
        return i.dst
      }
    }
  }
  protected popRegister(): number {
    return this.inRegister(this.pop())
  }
  protected popAddress(offset: number): Address {
    const entry = this.pop()
    const sum = sumOf(entry) ?? (sumOf({ kind: 'register', register: this.inRegister(entry), local: false }) as Address)
    return { base: sum.base, index: sum.index, scale: sum.scale, disp: sum.disp + offset }
  }
  protected setAddress(i: Instruction, { base, index, scale, disp }: Address): Instruction {
    i.base = base
    i.index = index
    i.scale = scale
    i.disp = disp
    return i
  }
  private setTest(i: Instruction, { cc, a, b, value }: Extract<Entry, { kind: 'test' }>): void {
    i.cc = cc
    i.a = a
    i.b = b
    i.value = value
  }

  get(local: number): this {
    this.put({ kind: 'register', register: local, local: true })
    return this
  }
  set(local: number): this {
    const entry = this.pop()
    this.save(local)
    const last = this.#code.at(-1)
    if (entry.kind === 'register' && !entry.local && last?.dst === entry.register && last.op !== 'gather') {
      last.dst = local
      return this
    }
    this.assign(local, entry)
    return this
  }
  tee(local: number): this {
    return this.set(local).get(local)
  }
  /** What waits on the stack and reads this register is computed before the register changes. */
  private save(register: number): void {
    for (const [at, entry] of this.stack.entries()) {
      if (this.#owners[at] !== this.#code || !reads(entry, register)) continue
      const from = this.inRegister(entry)
      const kept = from === register ? this.copy(from) : from
      this.stack[at] = { kind: 'register', register: kept, local: false }
    }
  }
  protected copy(from: number): number {
    const to = this.register(this.classOf[from] as number)
    this.assign(to, { kind: 'register', register: from, local: true })
    return to
  }
  protected assign(local: number, entry: Entry): void {
    if (entry.kind === 'number') {
      const i = this.write('int.constant')
      i.imm = entry.value
      i.dst = local
    } else if (entry.kind === 'sum' && !(entry.index === none && entry.disp === 0)) {
      const i = this.write('int.lea')
      this.setAddress(i, entry)
      i.dst = local
    } else if (entry.kind === 'test') {
      const i = this.write('int.test')
      this.setTest(i, entry)
      i.dst = local
    } else {
      const from = this.inRegister(entry)
      const machineClass = this.classOf[local]
      const moves = { [classes.gp]: 'int.move', [classes.vector]: 'move', [classes.mask]: 'maskMove' } as const
      const i = this.write(moves[machineClass as 0 | 1 | 2], machineClass === classes.vector ? 'vmovaps' : '')
      i.a = from
      i.dst = local
    }
  }

  // Control flow.
  private newLabel(): number {
    return this.#labels++
  }
  private place(op: 'label' | 'loop', label: number): void {
    this.write(op).imm = label
  }
  block(): Label {
    return this.open('block')
  }
  loop(): Label {
    const label = this.open('loop')
    this.place('loop', (this.#control[label] as Control).label)
    return label
  }
  if(result?: 'int'): Label {
    const condition = this.pop()
    const label = this.open('if')
    const control = this.#control[label] as Control
    control.otherwise = this.newLabel()
    if (result) control.result = this.register(classes.gp)
    this.jumpIf(condition, control.otherwise, true)
    return label
  }
  private open(kind: Control['kind']): Label {
    // What waits is computed here, not in one branch only.
    for (const [at, entry] of this.stack.entries()) {
      if (this.#owners[at] !== this.#code || entry.kind === 'number' || entry.kind === 'words') continue
      if (entry.kind === 'register' && !entry.local) continue
      const from = this.inRegister(entry)
      const fresh = entry.kind === 'test' || (entry.kind === 'sum' && from !== entry.base)
      const register = fresh ? from : this.copy(from)
      this.stack[at] = { kind: 'register', register, local: false }
    }
    this.#control.push({ kind, label: this.newLabel(), otherwise: none, result: none })
    return this.#control.length - 1
  }
  else(): this {
    const control = this.#control.at(-1) as Control
    if (control.result !== none) this.assign(control.result, this.pop())
    this.write('jump').imm = control.label
    this.place('label', control.otherwise)
    control.otherwise = none
    return this
  }
  end(): this {
    const control = this.#control.pop() as Control
    if (control.result !== none) this.assign(control.result, this.pop())
    if (control.otherwise !== none) this.place('label', control.otherwise)
    if (control.kind === 'loop') this.write('loopEnd').imm = control.label
    else this.place('label', control.label)
    if (control.result !== none) this.push(control.result)
    return this
  }
  br(label: Label): this {
    this.write('jump').imm = (this.#control[label] as Control).label
    return this
  }
  brIf(label: Label): this {
    this.jumpIf(this.pop(), (this.#control[label] as Control).label, false)
    return this
  }
  private jumpIf(condition: Entry, label: number, unless: boolean): void {
    const test = this.asTest(condition)
    const i = this.write('jumpIf')
    this.setTest(i, test)
    if (unless) i.cc ^= 1
    i.imm = label
  }
  protected asTest(entry: Entry): Extract<Entry, { kind: 'test' }> {
    if (entry.kind === 'test') return entry
    return { kind: 'test', cc: conditions.ne, a: this.inRegister(entry), b: none, value: 0 }
  }
  return(): this {
    this.write('return')
    return this
  }
  call(callee: Callable): this {
    const { parameters } = callee as X64Callable
    const values = this.stack.splice(this.stack.length - parameters)
    this.#owners.length = this.stack.length
    for (const [n, entry] of values.entries()) {
      const small = entry.kind === 'number' && Math.abs(entry.value) <= mostInt
      const a = small ? none : this.inRegister(entry)
      const i = this.write('argument')
      i.imm = n
      i.a = a
      if (small) i.value = entry.value
    }
    this.write('call').imm = callee.index
    return this
  }
}
