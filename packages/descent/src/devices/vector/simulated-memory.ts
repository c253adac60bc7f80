/** The memory of the simulated machine: areas apart from one another, and no access outside of them. */
export class SimulatedMemory {
  readonly view = new DataView(new ArrayBuffer(1 << 16, { maxByteLength: 1 << 30 }))
  private readonly areas: { from: number; to: number; writable: boolean }[] = []
  private next = 64

  /** A new area of that many words, apart from all others. */
  allocate(words: number, writable = true): number {
    const from = this.next
    this.areas.push({ from, to: from + 4 * words, writable })
    this.next = Math.ceil((from + 4 * words) / 64) * 64 + 64
    const buffer = this.view.buffer as ArrayBuffer
    if (this.next > buffer.byteLength) buffer.resize(2 * this.next)
    return from
  }
  read(address: number): number {
    this.check(address, false)
    return this.view.getInt32(address, true)
  }
  write(address: number, value: number): void {
    this.check(address, true)
    this.view.setInt32(address, value, true)
  }
  private check(address: number, writes: boolean): void {
    const area = this.areas.find(({ from, to }) => address >= from && address + 4 <= to)
    if (!area || address % 4 !== 0 || (writes && !area.writable)) {
      throw new Error(`${writes ? 'a write to' : 'a read of'} address ${address}, which is in no buffer`)
    }
  }
}
