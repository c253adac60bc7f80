/** What was found in the data that an import brought: facts to look at, none of which stops it. */
import type { FieldType } from '../layout.ts'

export interface Findings {
  /** How many of the examples that came were looked at: all of them, or a random sample. */
  readonly looked: number
  /** How many earlier examples they were compared with for near-duplicates. */
  readonly compared: number
  /** How many of them this import gave a label. */
  readonly labelled: number
  /** Of labels that are numbers. */
  readonly labelSpread: Spread | null
  /** Of rows: each column, in the order of the file. */
  readonly columns: readonly ColumnFindings[]
  /** Of texts and images: sizes. */
  readonly sizes: readonly SizeFindings[]
  readonly nearDuplicates: NearDuplicates
  /** Columns that alone tell the label. */
  readonly predictors: readonly Predictor[]
}

export interface ColumnFindings {
  readonly name: string
  readonly type: FieldType
  /** Among those looked at. */
  readonly missing: number
  /** How many different values there are. */
  readonly distinct: number
  /** Of numbers, and of dates in milliseconds since 1970. */
  readonly spread: Spread | null
  /** The most common values of what is no number, with how often they occur. */
  readonly common: readonly (readonly [value: string, count: number])[]
  /** Whether each value occurs once and they only grow, or they look like names of rows. */
  readonly identifies: boolean
  readonly outliers: Outliers
}

/** The least value, the quartiles, and the greatest. */
export interface Spread {
  readonly least: number
  readonly lower: number
  readonly median: number
  readonly upper: number
  readonly greatest: number
}

/** Values far outside of the rest, and the farthest of them. */
export interface Outliers {
  readonly count: number
  readonly first: readonly { readonly place: number; readonly name: string | null; readonly value: number }[]
}

/** Characters of texts; width, height, or grey values of images. */
export interface SizeFindings {
  readonly what: 'characters' | 'width' | 'height' | 'blank'
  readonly spread: Spread
  readonly outliers: Outliers
}

export interface NearDuplicates {
  /** How many of the examples that came are nearly another one. */
  readonly count: number
  /** How many of them are nearly an example of the frozen test set. */
  readonly ofFrozen: number
  /** How many of them were put into another split than the one that they are nearly. */
  readonly acrossSplits: number
  readonly first: readonly { readonly one: Placed; readonly like: Placed }[]
}

/** An example and where it came from. */
export interface Placed {
  readonly id: string
  readonly place: number
  readonly name: string | null
  /** Whether the import at hand brought it. */
  readonly isNew: boolean
}

export interface Predictor {
  readonly column: string
  /** Of what guessing the most common class, or the mean, leaves wrong: the share that this column alone makes right. */
  readonly share: number
}
