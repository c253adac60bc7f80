/**
 * What traffic is compared with: the examples that a version was not trained on, as it sees them. Training examples will not
 * do: the network knows them, and its embedding of them is another than of new ones.
 */

import { UserError } from '../errors.ts'
import { measuresOf } from '../evaluation/slice-columns.ts'
import type { Project } from '../project/project.ts'
import type { LoadedVersion } from '../registry/load-version.ts'
import type { Content } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import { findRun } from '../training/run.ts'
import type { SnapshotColumn } from '../versioning/manifest.ts'
import { readSnapshot } from '../versioning/snapshot.ts'
import { PointsReference } from './mean-discrepancy.ts'
import { type ColumnReference, columnReference } from './stability.ts'

export interface TrafficReference {
  readonly version: number
  readonly examples: number
  readonly columns: readonly WatchedColumn[]
  readonly points: PointsReference
  /** Answers as uncertain as this are called uncertain, and so many of the reference's are. */
  readonly uncertain: { readonly above: number; readonly share: number } | null
  /** On examples that nobody trained on; null for numbers. */
  readonly accuracy: number | null
  /** What is looked at of a content. */
  measures(content: Content): Promise<ReadonlyMap<string, string | number | null>>
}

export interface WatchedColumn {
  readonly reference: ColumnReference
  /** The reference's own values, for the test of Kolmogorov and Smirnov; null for categories. */
  readonly numbers: Float64Array | null
}

/** More examples make the reference hardly better. */
const MOST = 2000
const FEWEST = 30

/** @throws {UserError} where the version's snapshot holds too few examples that were not trained on */
export async function referenceOf(project: Project, served: LoadedVersion): Promise<TrafficReference> {
  const { snapshot, entries } = await readSnapshot(project, (await findRun(project, served.info.run)).snapshot)
  // Entries are in the order of their ids, which are hashes: any part is a random one.
  const held = entries.filter(({ split }) => split !== 'train').slice(0, MOST)
  if (held.length < FEWEST)
    throw new UserError(
      `Version ${served.version} has ${held.length} examples that it was not trained on, and drift is measured against at least ${FEWEST}: label more, or give validation and test a larger share.`,
    )
  const contents: Content[] = []
  for await (const { content } of readExamples(
    project.store,
    held.map(({ number }) => number),
  ))
    contents.push(content)
  const measures = (content: Content) => measured(content, snapshot.columns)
  const answers = await served.predict(contents)
  const uncertainties = answers.flatMap(({ uncertainty }) => (uncertainty === null ? [] : [uncertainty]))
  const right = answers.filter((answer, i) => 'label' in answer && answer.label === String(held[i]?.label)).length
  return {
    version: served.version,
    examples: held.length,
    columns: watchedColumns(await Promise.all(contents.map(measures))),
    points: new PointsReference(await served.embed(contents)),
    uncertain: uncertainties.length === 0 ? null : uncertainOf(uncertainties),
    accuracy: snapshot.task === 'class' ? right / held.length : null,
    measures,
  }
}

async function measured(content: Content, columns: readonly SnapshotColumn[]) {
  return new Map(await measuresOf(content, columns))
}

/** Categories of more values than this are ids rather than categories. */
const mostValues = 50

function watchedColumns(rows: readonly ReadonlyMap<string, string | number | null>[]): WatchedColumn[] {
  const names = new Set(rows.flatMap((row) => [...row.keys()]))
  return [...names].flatMap((name): WatchedColumn[] => {
    const values = columnOf(rows, name)
    if (values instanceof Float64Array) return [{ reference: columnReference(name, values), numbers: values }]
    if (new Set(values).size > mostValues) return []
    return [{ reference: columnReference(name, values), numbers: null }]
  })
}

/** One column of the rows: numbers where all are, NaN for a missing one. */
export function columnOf(
  rows: readonly ReadonlyMap<string, string | number | null>[],
  name: string,
): Float64Array | (string | null)[] {
  const values = rows.map((row) => row.get(name) ?? null)
  if (values.every((value) => typeof value !== 'string'))
    return Float64Array.from(values as (number | null)[], (value) => value ?? Number.NaN)
  return values.map((value) => (value === null ? null : String(value)))
}

/** The most uncertain tenth. */
function uncertainOf(uncertainties: readonly number[]): { above: number; share: number } {
  const sorted = uncertainties.toSorted((a, b) => a - b)
  const above = sorted[Math.floor(0.9 * sorted.length)] as number
  return { above, share: uncertainties.filter((value) => value > above).length / uncertainties.length }
}
