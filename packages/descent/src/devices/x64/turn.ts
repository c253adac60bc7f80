/**
 * A square of lanes × lanes elements turned in registers: pairs, then fours, within the 128-bit parts of vectors, then the
 * parts themselves. 64 instructions for 16 × 16, 24 for 8 × 8.
 */

/** dst = a `name` b, by an immediate where the instruction has one. */
export type Shuffle = (name: string, a: number, b: number, imm?: number) => number

/** Registers of the rows → registers of the columns. */
export function turnSquare(rows: readonly number[], shuffle: Shuffle): number[] {
  const row = (list: readonly number[], i: number): number => list[i] as number
  const pairs: number[] = []
  for (let i = 0; i < rows.length; i += 2) {
    pairs.push(shuffle('vunpcklps', row(rows, i), row(rows, i + 1)))
    pairs.push(shuffle('vunpckhps', row(rows, i), row(rows, i + 1)))
  }
  const fours: number[] = []
  for (let i = 0; i < rows.length; i += 4) {
    for (const half of [0, 1]) {
      fours.push(shuffle('vunpcklpd', row(pairs, i + half), row(pairs, i + half + 2)))
      fours.push(shuffle('vunpckhpd', row(pairs, i + half), row(pairs, i + half + 2)))
    }
  }
  const columns = new Array<number>(rows.length)
  for (let c = 0; c < 4; c++) {
    if (rows.length === 8) {
      columns[c] = shuffle('vperm2f128', row(fours, c), row(fours, 4 + c), 0x20)
      columns[4 + c] = shuffle('vperm2f128', row(fours, c), row(fours, 4 + c), 0x31)
      continue
    }
    const even = [0, 8].map((i) => shuffle('vshuff32x4', row(fours, i + c), row(fours, i + 4 + c), 0x88))
    const odd = [0, 8].map((i) => shuffle('vshuff32x4', row(fours, i + c), row(fours, i + 4 + c), 0xdd))
    columns[c] = shuffle('vshuff32x4', row(even, 0), row(even, 1), 0x88)
    columns[8 + c] = shuffle('vshuff32x4', row(even, 0), row(even, 1), 0xdd)
    columns[4 + c] = shuffle('vshuff32x4', row(odd, 0), row(odd, 1), 0x88)
    columns[12 + c] = shuffle('vshuff32x4', row(odd, 0), row(odd, 1), 0xdd)
  }
  return columns
}
