/**
 * One function for the device x64, written through the interface that all machines share (`Code`). Here: memory. Nothing is read
 * or written outside of what is asked for: loads and stores of a part of a vector are masked.
 */
import type { Code } from '../vector/code.ts'
import { type Address, classes, type Instruction, none } from './instruction.ts'
import { VectorWriter } from './vector-writer.ts'

export class X64Function extends VectorWriter implements Code {
  loadVector(offset: number, active: number): this {
    const address = this.popAddress(offset)
    return this.loadAt(address, active < this.lanes ? this.maskOf(active) : none)
  }
  /** Pushes the elements at an address where the mask is set (none: all). */
  private loadAt(address: Address, mask: number): this {
    const masked = mask !== none && !this.wide
    const i = this.setAddress(this.result(masked ? 'loadMasked' : 'load', classes.vector, 'vmovups'), address)
    if (masked) i.a = mask
    else i.k = mask
    return this
  }
  loadOrZero(offset: number, active: number): this {
    return this.loadVector(offset, active)
  }
  /** address → the elements from there on where the mask (a local) is set, else 0. */
  loadWhere(offset: number, mask: number): this {
    return this.loadAt(this.popAddress(offset), mask)
  }
  /** vector address → the elements from there on where the mask (a local) is set, else the vector's. */
  loadOver(offset: number, mask: number): this {
    const address = this.popAddress(offset)
    const under = this.popVector()
    if (!this.wide) {
      this.loadAt(address, mask)
      this.push(under)
      return this.two('vpor')
    }
    const i = this.setAddress(this.result('load', classes.vector, 'vmovups'), address)
    i.k = mask
    i.c = under
    return this
  }
  prefetch(offset: number): this {
    this.setAddress(this.write('prefetch'), this.popAddress(offset))
    return this
  }
  loadSplat(offset: number): this {
    const address = this.popAddress(offset)
    this.setAddress(this.result('load', classes.vector, 'vbroadcastss'), address)
    return this
  }
  loadLanes(elements: readonly number[], offset: number, active: number): this {
    const wanted = elements.slice(0, active)
    const low = Math.min(...wanted)
    const high = Math.max(...wanted) - low
    const address = this.popAddress(offset + 4 * low)
    const { lanes } = this
    if (high >= 2 * lanes) {
      const base = this.inRegister({ kind: 'sum', ...address })
      this.push(base)
      this.words(...Array.from({ length: lanes }, (_, j) => (wanted[j] ?? (wanted[0] as number)) - low))
      return this.gather(active)
    }
    const turned = Uint32Array.from({ length: lanes }, (_, j) => (wanted[j] ?? (wanted[0] as number)) - low)
    this.loadAt(address, high + 1 < lanes ? this.maskOf(high + 1) : none)
    const first = this.popVector()
    if (high < lanes) {
      this.put({ kind: 'words', words: turned })
      this.push(first)
      return this.plain('vpermps')
    }
    this.loadAt(
      { ...address, disp: address.disp + 4 * lanes },
      high + 1 < 2 * lanes ? this.maskOf(high + 1 - lanes) : none,
    )
    const second = this.popVector()
    for (const [n, from] of [second, first].entries()) {
      const lane = (t: number) => (n === 0 ? t >= lanes : t < lanes)
      this.words(...Array.from(turned, (t) => (lane(t) ? t % lanes : 0))).push(from)
      this.plain('vpermps')
    }
    let bits = 0
    for (const [j, t] of turned.entries()) if (t >= lanes) bits |= 1 << j
    return this.chooseBits(bits)
  }
  /** A mask register or vector that an instruction will use up. */
  private usedUp(mask: number): number {
    return this.copy(mask)
  }
  gather(active: number): this {
    const index = this.popVector()
    const base = this.popRegister()
    return this.gatherWhere(base, index, this.usedUp(this.maskOf(active)))
  }
  /** address vector → lane j: the element at address + (lane j of the i32 vector) bytes. */
  gatherBytes(active: number): this {
    const index = this.popVector()
    const base = this.popRegister()
    return this.gatherWhere(base, index, this.usedUp(this.maskOf(active)), 1)
  }
  private gatherWhere(base: number, index: number, mask: number, scale: 1 | 4 = 4): this {
    const i = this.result('gather', classes.vector)
    i.base = base
    i.b = index
    i.k = mask
    i.scale = scale
    return this
  }
  loadInside(length: number, active: number): this {
    const index = this.popRegister()
    const base = this.popRegister()
    this.push(index)
    this.splat()
      .words(...Array.from({ length: this.lanes }, (_, j) => j))
      .two('vpaddd')
    this.inside(length, active)
    const mask = this.popRegister()
    return this.loadAt({ base, index, scale: 4, disp: 0 }, mask)
  }
  gatherInside(length: number, active: number): this {
    const index = this.popVector()
    const base = this.popRegister()
    this.push(index)
    this.inside(length, active)
    return this.gatherWhere(base, index, this.popRegister())
  }
  storeVector(offset: number, active: number): this {
    return this.storeWhere(offset, active < this.lanes ? this.maskOf(active) : none)
  }
  streamVector(offset: number): this {
    const value = this.popVector()
    const address = this.popAddress(offset)
    this.setAddress(this.write('stream'), address).a = value
    return this
  }
  private storeWhere(offset: number, mask: number): this {
    const value = this.popVector()
    const address = this.popAddress(offset)
    const masked = mask !== none && !this.wide
    const i = this.setAddress(this.write(masked ? 'storeMasked' : 'store', 'vmovups'), address)
    i.a = value
    if (masked) i.b = mask
    else i.k = mask
    return this
  }
  storeLane(j: number, offset: number): this {
    return this.storeWhere(offset - 4 * j, this.wide ? this.bits(1 << j) : this.laneBits(1 << j))
  }
  storeLanes(elements: readonly number[], offset: number, active: number): this {
    const value = this.popVector()
    const address = this.popAddress(offset)
    const base = this.inRegister({ kind: 'sum', ...address })
    this.push(base)
    this.words(...Array.from({ length: this.lanes }, (_, j) => elements[j] ?? 0)).push(value)
    return this.scatter(active)
  }
  scatter(active: number): this {
    const value = this.popVector()
    const index = this.popVector()
    const base = this.popRegister()
    const i = this.wide ? this.newScatter(active) : this.write('scatterApart')
    i.a = value
    i.b = index
    i.base = base
    i.imm = active
    return this
  }
  private newScatter(active: number): Instruction {
    const k = this.usedUp(this.maskOf(active))
    const i = this.write('scatter')
    i.k = k
    return i
  }
  noteFailure(id: number, active: number, _scratch: number): this {
    const mask = this.popRegister()
    const values = this.popVector()
    this.push(mask)
    this.any(active)
    const bits = this.copy(this.popRegister())
    this.get(bits).if()
    const i = this.write('noteFailure')
    i.a = values
    i.b = bits
    i.imm = id + 1
    i.value = this.errors
    return this.end()
  }
}
