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

/** A gradient that holds NaN or infinity. Nothing was updated from it. */
export class NonFiniteGradientError extends Error {
  override name = 'NonFiniteGradientError'
  /** The parameter's name. */
  readonly parameter: string

  constructor(parameter: string) {
    super(
      `The gradient of ${parameter} holds NaN or infinity. Look at the loss and the data of this batch, try a smaller learning rate, and look for log, sqrt or division at zero.`,
    )
    this.parameter = parameter
  }

  /** The label of a check that fails with this error. */
  static label(parameter: string): string {
    return `${gradientOf}${parameter}`
  }
}

const gradientOf = 'gradient of '

/** The error of a check that found this value outside of 0…size−1. */
export function failedCheck({ label, size }: { readonly label: string; readonly size: number }, value: number): Error {
  return label.startsWith(gradientOf)
    ? new NonFiniteGradientError(label.slice(gradientOf.length))
    : new IndexError(label, value, size)
}

/** Something that cannot be done while compile() traces a function. */
export class TraceError extends Error {
  override name = 'TraceError'
}

/** A file that is damaged, truncated, or not of the kind that was expected. */
export class FormatError extends Error {
  override name = 'FormatError'
}
