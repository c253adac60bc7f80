/** Whole numbers and addresses: sums wait to become addresses, comparisons to become jumps. */
import type { IntOp } from '../vector/code.ts'
import { classes, conditions, none } from './instruction.ts'
import { type Entry, exchanged, joined, multiplied } from './stack.ts'
import { mostInt, Writer } from './writer.ts'

export abstract class WholeWriter extends Writer {
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
