/** An estimate with the range in which the truth likely lies. */

export interface Interval {
  readonly estimate: number
  readonly low: number
  readonly high: number
  /** How likely an interval made in this way holds the truth: 0.95, say. */
  readonly level: number
}

/** Throws RangeError for a level that is none. */
export function requireLevel(level: number): void {
  if (!(level > 0 && level < 1)) throw new RangeError(`A level lies between 0 and 1, as 0.95 does; not ${level}.`)
}
