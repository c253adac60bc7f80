/** What an import reports: counts, and what was found in the data that it brought. */
import type { Counts } from './counts.ts'
import type { FieldType } from './layout.ts'
import type { Format } from './source.ts'

export interface ColumnReport {
  readonly name: string
  readonly type: FieldType
  readonly missing: number
}

/** The report of one source: a table file, a pair of IDX files, a folder of images or texts. */
export interface SourceReport {
  /** The number of its row in the table `import`. */
  readonly id: number
  readonly path: string
  readonly format: Format
  readonly seconds: number
  readonly resumed: boolean
  readonly rows: number
  readonly added: number
  readonly duplicates: { readonly within: number; readonly before: number }
  readonly labels: number
  readonly relabeled: number
  readonly bad: number
  readonly rejects: Counts['rejects']
  /** Where the bad rows are kept; null where there are none. */
  readonly rejectFile: string | null
  readonly contradictions: Counts['contradictions']
  readonly splitConflicts: Counts['splitConflicts']
  readonly columns: readonly ColumnReport[]
  readonly target: string | null
  readonly classes: Readonly<Record<string, number>> | null
  readonly notes: readonly string[]
}

export interface ImportReport {
  readonly rows: number
  readonly added: number
  readonly duplicates: number
  readonly bad: number
  readonly sources: readonly SourceReport[]
}
