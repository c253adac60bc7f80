/** What an import reports: counts, and what was found in the data that it brought. */
import type { Counts } from './counts.ts'
import type { Findings } from './findings/findings.ts'
import type { FieldType, Layout } from './layout.ts'
import type { Format, Source } from './source.ts'

export interface ColumnReport {
  readonly name: string
  readonly type: FieldType
  /** In the whole source. */
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
  /** Examples of each class; null where there are no labels, or they are numbers. */
  readonly classes: Readonly<Record<string, number>> | null
  readonly notes: readonly string[]
  /** Null where it added nothing. */
  readonly findings: Findings | null
}

export interface ImportReport {
  readonly rows: number
  readonly added: number
  readonly duplicates: number
  readonly bad: number
  readonly sources: readonly SourceReport[]
}

export interface Outcome {
  readonly id: number
  readonly source: Source
  readonly layout: Layout | null
  readonly counts: Counts
  readonly resumed: boolean
  readonly seconds: number
  readonly rejectFile: string
  readonly notes: readonly string[]
  readonly findings: Findings | null
}

export function makeReport(outcome: Outcome): SourceReport {
  const { id, source, layout, counts, resumed, seconds, rejectFile, notes, findings } = outcome
  const byPosition = columnsOfFile(layout)
    .map((column) => ({ ...column, missing: counts.missing[column.index] ?? 0 }))
    .map(({ name, type, missing }) => ({ name, type, missing }))
  return {
    id,
    path: source.path,
    format: source.format,
    seconds,
    resumed,
    rows: counts.rows,
    added: counts.added,
    duplicates: { within: counts.repeated, before: counts.present },
    labels: counts.labels,
    relabeled: counts.relabeled,
    bad: counts.bad,
    rejects: counts.rejects,
    rejectFile: counts.bad > 0 ? rejectFile : null,
    contradictions: counts.contradictions,
    splitConflicts: counts.splitConflicts,
    columns: byPosition,
    target: layout?.target?.name ?? null,
    classes:
      layout?.target?.as !== 'number' && counts.classes && Object.keys(counts.classes).length > 0
        ? counts.classes
        : null,
    notes: [...notes, ...Object.entries(counts.notes).map(([note, count]) => `${count} files ${note}`)],
    findings,
  }
}

/** The columns of rows in the order of the file, with their index in the layout. */
export function columnsOfFile(layout: Layout | null) {
  if (layout?.content !== 'row') return []
  return layout.columns.map((column, index) => ({ ...column, index })).sort((a, b) => a.at - b.at)
}

/** Where a row is, for people: `line 7`, `row 7`, or the file's name. */
export function placeName(source: { readonly format: Format }, place: number, name: string | null): string {
  if (name !== null) return name
  switch (source.format) {
    case 'json':
    case 'parquet':
      return `row ${place}`
    case 'idx':
      return `image ${place}`
    case 'images':
    case 'text':
      return `file ${place}`
    case 'csv':
    case 'tsv':
    case 'jsonl':
      return `line ${place}`
    default:
      return source.format satisfies never
  }
}
