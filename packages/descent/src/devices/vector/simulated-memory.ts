/**
 * The memory of the simulated machine: areas apart from one another, and no access outside of them. Accesses are to an address
 * and an offset from it.
 */
export class SimulatedMemory {
  /** Whether the address may lie below the area that the offset leads into (see Target.scaledAddresses). */
  private readonly addressBelow: boolean
  readonly view = new DataView(new ArrayBuffer(1 << 16, { maxByteLength: 1 << 30 }))
  private readonly areas: { from: number; to: number; writable: boolean }[] = []
  private next = 64

  constructor(addressBelow: boolean) {
    this.addressBelow = addressBelow
  }

  /** A new area of that many words, apart from all others. */
  allocate(words: number, writable = true): number {
    const from = this.next
    this.areas.push({ from, to: from + 4 * words, writable })
    this.next = Math.ceil((from + 4 * words) / 64) * 64 + 64
    const buffer = this.view.buffer as ArrayBuffer
    if (this.next > buffer.byteLength) buffer.resize(2 * this.next)
    return from
  }
  read(address: number, offset = 0): number {
    this.check(address, offset, false)
    return this.view.getInt32(address + offset, true)
  }
  write(address: number, offset: number, value: number): void {
    this.check(address, offset, true)
    this.view.setInt32(address + offset, value, true)
  }
  private check(address: number, offset: number, writes: boolean): void {
    const at = address + offset
    const access = `${writes ? 'a write to' : 'a read of'} address ${at}`
    const area = this.areas.find(({ from, to }) => at >= from && at + 4 <= to)
    if (!area || at % 4 !== 0 || (writes && !area.writable)) throw new Error(`${access}, which is in no buffer`)
    if (address < area.from && !this.addressBelow) {
      throw new Error(`${access} as ${address} + ${offset}, and its buffer begins at ${area.from}`)
    }
  }
}
