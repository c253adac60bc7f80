/** What an import has found so far. Kept with every batch in its row of the table `import`, so that it goes on after a kill. */
import type { Reject } from './batch.ts'

/** How many there are, and the first of them to look at. */
export interface Found<T> {
  count: number
  readonly first: T[]
}

/** How many are kept to look at. */
export const mostShown = 10

/** Two rows of the same content with different labels. */
export interface Contradiction {
  readonly id: string
  readonly place: number
  /** The label that counts: the first. */
  readonly kept: string | number
  readonly other: string | number
}

/** An example that its imports put into different splits. */
export interface SplitConflict {
  readonly id: string
  readonly place: number
  /** The split that counts: the first; `test (frozen)` where the test set is frozen with it. */
  readonly kept: string
  readonly other: string
}

export interface Counts {
  /** The process that imports, to tell whether it still runs. */
  pid: number
  /** Another one each time that the import is gone on with. */
  token: string
  /** When the last batch was kept, in milliseconds since 1970. */
  beat: number
  /** The place of the last row that was looked at. */
  place: number
  rows: number
  added: number
  /** The numbers of the first and the last example that it added; 0 where there is none. */
  from: number
  to: number
  /** Rows that were in this import before. */
  repeated: number
  /** Rows that the project had before this import. */
  present: number
  labels: number
  /** Examples whose label from an earlier import this one changed. */
  relabeled: number
  bad: number
  /** The length of the reject file. */
  rejectBytes: number
  /** Missing values of each column. */
  missing: number[]
  readonly notes: Record<string, number>
  readonly rejects: Reject[]
  readonly contradictions: Found<Contradiction>
  readonly splitConflicts: Found<SplitConflict>
  /** How many examples of this import have which label; null where there are too many different ones. */
  classes: Record<string, number> | null
}

export function newCounts(columns: number): Counts {
  return {
    pid: process.pid,
    token: '',
    beat: Date.now(),
    place: 0,
    rows: 0,
    added: 0,
    from: 0,
    to: 0,
    repeated: 0,
    present: 0,
    labels: 0,
    relabeled: 0,
    bad: 0,
    rejectBytes: 0,
    missing: new Array<number>(columns).fill(0),
    notes: {},
    rejects: [],
    contradictions: { count: 0, first: [] },
    splitConflicts: { count: 0, first: [] },
    classes: {},
  }
}

export function found<T>(where: Found<T>, item: T): void {
  where.count++
  if (where.first.length < mostShown) where.first.push(item)
}
