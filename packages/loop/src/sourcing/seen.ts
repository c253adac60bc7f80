/** A set of example numbers, one bit each. */
export class SeenNumbers {
  #bits = new Uint8Array(1024)

  has(number: number): boolean {
    return (((this.#bits[number >> 3] ?? 0) >> (number & 7)) & 1) === 1
  }

  add(number: number): void {
    const at = number >> 3
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bits.length, at + 1))
      grown.set(this.#bits)
      this.#bits = grown
    }
    this.#bits[at] = (this.#bits[at] as number) | (1 << (number & 7))
  }

  /** The numbers, ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (const [at, byte] of this.#bits.entries())
      for (let bit = 0; byte >> bit > 0; bit++) if (((byte >> bit) & 1) === 1) yield 8 * at + bit
  }
}
