/**
 * Writes the instructions of one function: locals, control flow, whole numbers and addresses. Vectors: see function.ts.
 *
 * Registers are numbered as they are made; parameters are the first. A local is a register that may be written again.
 */
import type { Callable, IntOp, Kind, Label, Written } from '../vector/code.ts'
import { type Address, classes, conditions, Instruction, none, type Op } from './instruction.ts'
import { type Entry, exchanged, joined, multiplied, reads, sumOf } from './stack.ts'

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

const mostInt = 0x7fffffff

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
  private assign(local: number, entry: Entry): void {
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
  private asTest(entry: Entry): Extract<Entry, { kind: 'test' }> {
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

  // Whole numbers.
  constant(value: number): this {
    this.put({ kind: 'number', value })
    return this
  }
  int(op: IntOp): this {
    if (op === 'eqz') {
      const entry = this.pop()
      if (entry.kind === 'test') this.put({ ...entry, cc: entry.cc ^ 1 })
      else this.put({ kind: 'test', cc: conditions.eq, a: this.inRegister(entry), b: none, value: 0 })
      return this
    }
    const b = this.pop()
    const a = this.pop()
    switch (op) {
      case 'add':
        this.sum(a, b)
        break
      case 'sub':
        if (b.kind === 'number') this.sum(a, { kind: 'number', value: -b.value })
        else this.alu('sub', a, b)
        break
      case 'mul':
        if (a.kind === 'number') this.product(b, a.value)
        else if (b.kind === 'number') this.product(a, b.value)
        else {
          const [x, y] = [this.inRegister(a), this.inRegister(b)]
          const i = this.result('int.multiply', classes.gp)
          i.a = x
          i.b = y
        }
        break
      case 'and':
      case 'or':
      case 'xor':
        this.alu(op, a, b)
        break
      case 'shl':
      case 'shr_s':
      case 'shr_u':
        this.shiftInt(op, a, b)
        break
      case 'div_u':
      case 'div_s':
      case 'rem_u':
      case 'rem_s':
        this.quotient(op, a, b)
        break
      default:
        this.put(this.comparison(conditions[op], a, b))
    }
    return this
  }
  private comparison(cc: number, a: Entry, b: Entry): Entry {
    if (a.kind === 'number' && b.kind !== 'number') return this.comparison(exchanged(cc), b, a)
    const x = this.inRegister(a)
    if (b.kind === 'number' && Math.abs(b.value) <= mostInt) return { kind: 'test', cc, a: x, b: none, value: b.value }
    return { kind: 'test', cc, a: x, b: this.inRegister(b), value: 0 }
  }
  private sum(a: Entry, b: Entry): void {
    const both = joined(a, b)
    if (both) {
      this.put(both)
      return
    }
    // The part with more registers is added up first.
    const [x, y] = a.kind === 'sum' && a.index !== none && a.base !== none ? [a, b] : [b, a]
    const whole: Entry = { kind: 'register', register: this.inRegister(x), local: false }
    const next = joined(whole, y)
    this.put(next ?? (joined(whole, { kind: 'register', register: this.inRegister(y), local: false }) as Entry))
  }
  private alu(name: 'sub' | 'and' | 'or' | 'xor', a: Entry, b: Entry): void {
    if (a.kind === 'number' && name !== 'sub') {
      this.alu(name, b, a)
      return
    }
    const x = this.inRegister(a)
    const number = b.kind === 'number' ? b.value : 0
    const y = b.kind === 'number' && Math.abs(number) <= mostInt ? none : this.inRegister(b)
    const i = this.result('int.alu', classes.gp, name)
    i.a = x
    i.b = y
    i.imm = number
  }
  private product(a: Entry, by: number): void {
    const address = multiplied(a, by)
    if (address) {
      this.put(address)
      return
    }
    const x = this.inRegister(a)
    const power = Math.log2(by)
    if (by > 0 && Number.isInteger(power)) {
      const i = this.result('int.shift', classes.gp, 'shl')
      i.a = x
      i.imm = power
      return
    }
    const i = this.result('int.multiply', classes.gp)
    i.a = x
    i.imm = by
  }
  private shiftInt(op: 'shl' | 'shr_s' | 'shr_u', a: Entry, b: Entry): void {
    if (b.kind === 'number' && op === 'shl') {
      this.product(a, 2 ** b.value)
      return
    }
    const x = this.inRegister(a)
    const name = op === 'shl' ? 'shl' : op === 'shr_s' ? 'sar' : 'shr'
    if (b.kind === 'number') {
      const i = this.result('int.shift', classes.gp, name)
      i.a = x
      i.imm = b.value
      return
    }
    const y = this.inRegister(b)
    const i = this.result('int.shiftBy', classes.gp, name)
    i.a = x
    i.b = y
  }

  /**
   * By a constant: x · ⌈2^s / by⌉ >> s, s = 31 + ⌈log2 by⌉, exact for |x| ≤ 2^31 (T. Granlund, P. Montgomery, "Division by
   * invariant integers using multiplication", PLDI 1994), and one more where x is negative.
   */
  private quotient(op: 'div_u' | 'div_s' | 'rem_u' | 'rem_s', a: Entry, b: Entry): void {
    if (b.kind !== 'number' || b.value < 1) throw new Error('whole numbers are divided by positive constants only')
    const by = b.value
    const x = this.inRegister(a)
    const remainder = op === 'rem_u' || op === 'rem_s'
    const signed = op === 'div_s' || op === 'rem_s'
    if (by === 1) {
      if (remainder) this.constant(0)
      else this.get(x)
      return
    }
    const whole: Entry = { kind: 'register', register: x, local: false }
    if (!signed && Number.isInteger(Math.log2(by))) {
      if (remainder) this.alu('and', whole, { kind: 'number', value: by - 1 })
      else this.shiftInt('shr_u', whole, { kind: 'number', value: Math.log2(by) })
      return
    }
    const places = 31 + Math.ceil(Math.log2(by))
    const factor = Number((2n ** BigInt(places) + BigInt(by) - 1n) / BigInt(by))
    if (factor <= mostInt) {
      const product = this.result('int.multiply', classes.gp)
      product.a = x
      product.imm = factor
    } else {
      const constant = this.inRegister({ kind: 'number', value: factor })
      const product = this.result('int.multiply', classes.gp)
      product.a = x
      product.b = constant
    }
    this.shiftInt('shr_s', this.pop(), { kind: 'number', value: places })
    if (signed) {
      this.shiftInt('shr_s', whole, { kind: 'number', value: 63 })
      const sign = this.pop()
      this.alu('sub', this.pop(), sign)
    }
    if (!remainder) return
    this.product(this.pop(), by)
    this.alu('sub', whole, this.pop())
  }

  pick(): this {
    const test = this.asTest(this.pop())
    const b = this.popRegister()
    const a = this.popRegister()
    const i = this.result('int.pick', classes.gp)
    i.a = a
    i.b = b
    i.c = test.a
    i.d = test.b
    i.imm = test.value
    i.cc = test.cc
    return this
  }

  loadInt(offset = 0): this {
    const address = this.popAddress(offset)
    this.setAddress(this.result('int.load32', classes.gp), address)
    return this
  }
  storeInt(offset = 0): this {
    const value = this.pop()
    const small = value.kind === 'number'
    const a = small ? none : this.inRegister(value)
    const address = this.popAddress(offset)
    const i = this.setAddress(this.write('int.store32'), address)
    i.a = a
    if (small) i.imm = value.value | 0
    return this
  }
  loadAddress(word: number): this {
    const address = this.popAddress(8 * word)
    this.setAddress(this.result('int.load64', classes.gp), address)
    return this
  }
  copyBytes(bytes: number): this {
    const from = this.popRegister()
    const to = this.popRegister()
    const at = this.local('int')
    const value = this.local('int')
    if (bytes === 0) return this
    this.constant(0).set(at)
    const again = this.loop()
    this.get(from).get(at).int('add').loadInt().set(value)
    this.get(to).get(at).int('add').get(value).storeInt()
    this.get(at).constant(4).int('add').tee(at).constant(bytes).int('lt_s').brIf(again).end()
    return this
  }
}
