/** Rows that come in pieces as one: what is dense is written to its place at once, so that nothing is held twice. */
import { isSparse, type Rows, type SparseRows, type Table } from './rows.ts'

export class RowsBuilder {
  readonly #count: number
  #dense: Table | null = null
  readonly #sparse: SparseRows[] = []
  #at = 0

  /** `count`: how many rows there will be in all. */
  constructor(count: number) {
    this.#count = count
  }

  /** Pieces have the same columns, and are all dense or all sparse. */
  add(piece: Rows): void {
    if (isSparse(piece)) this.#sparse.push(piece)
    else {
      const { columns, values } = piece
      const type = values instanceof Float32Array ? Float32Array : Float64Array
      this.#dense ??= { rows: this.#count, columns, values: new type(this.#count * columns) }
      this.#dense.values.set(values, this.#at * columns)
    }
    this.#at += piece.rows
  }

  /** Throws RangeError where rows are missing. */
  rows(): Rows {
    if (this.#at !== this.#count) throw new RangeError(`${this.#at} of ${this.#count} rows have come.`)
    return this.#dense ?? joined(this.#sparse)
  }
}

function joined(pieces: readonly SparseRows[]): SparseRows {
  const size = pieces.reduce((sum, { indices }) => sum + indices.length, 0)
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const [starts, indices, values] = [new Int32Array(rows + 1), new Int32Array(size), new Float32Array(size)]
  let [row, at] = [0, 0]
  for (const piece of pieces) {
    indices.set(piece.indices, at)
    values.set(piece.values, at)
    for (let i = 1; i <= piece.rows; i++) starts[row + i] = at + (piece.starts[i] as number)
    row += piece.rows
    at += piece.indices.length
  }
  return { rows, columns: pieces[0]?.columns ?? 1, starts, indices, values }
}
