/** Errors that say what was wrong, with the actual shapes or values, where, and what to do. */

/** Shapes that do not fit one another or the operation. */
export class ShapeError extends Error {
  override name = 'ShapeError'
}

/** A dtype that the operation does not take. */
export class DTypeError extends Error {
  override name = 'DTypeError'
}

/** An index that lies outside of its range. */
export class IndexError extends Error {
  override name = 'IndexError'
  readonly index: number
  readonly size: number
  constructor(label: string, index: number, size: number) {
    super(`${label}: index ${index} is out of range; it must be at least 0 and below ${size}.`)
    this.index = index
    this.size = size
  }
}

/** Something that cannot be done while compile() traces a function. */
export class TraceError extends Error {
  override name = 'TraceError'
}

/** A file that is damaged, truncated, or not of the kind that was expected. */
export class FormatError extends Error {
  override name = 'FormatError'
}
