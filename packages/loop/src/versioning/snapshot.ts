/** Snapshots: making, finding, listing and reading them. A snapshot is never changed; its manifest is a content-addressed file. */
import { createHash } from 'node:crypto'
import { UserError } from '../errors.ts'
import { type LabelValue, presentLabels } from '../labeling/events.ts'
import type { Project } from '../project/project.ts'
import { countBy } from './count-by.ts'
import { freezeTest } from './freeze.ts'
import { decodeManifest, encodeManifest, type ManifestHead, type SnapshotColumn } from './manifest.ts'
import { deal, type LeftOut, type Split, type SplitItem } from './split.ts'

export interface Snapshot extends ManifestHead {
  /** SHA-256 of the manifest. */
  readonly hash: string
  /** 1, 2, 3 … in the order in which they were made in this project. */
  readonly number: number
  readonly createdAt: string
  readonly message: string | null
  readonly examples: number
  readonly summary: SnapshotSummary
  /** The last label event that it has seen. */
  readonly lastLabel: number
}

export interface SnapshotSummary {
  readonly splits: Readonly<Record<Split, number>>
  /** Examples of each class in each split; empty for numbers. */
  readonly classes: Readonly<Record<string, Readonly<Record<Split, number>>>>
  readonly unlabelled: number
  readonly leftOut: Partial<Readonly<Record<LeftOut, number>>>
  readonly frozenTest: boolean
}

export interface SnapshotEntry {
  /** The example's number in this project. */
  readonly number: number
  readonly id: string
  readonly split: Split
  readonly label: LabelValue
}

export interface SnapshotOptions {
  readonly message?: string | undefined
  /** Keeps this snapshot's test set as the test set of every later one. */
  readonly freeze?: boolean | undefined
}

/**
 * Makes a snapshot of all labelled examples, or finds that there is one of the same content (`made` is false).
 * @throws {UserError} where there is nothing to keep, or the labels do not fit the config
 */
export async function makeSnapshot(
  project: Project,
  { message, freeze = false }: SnapshotOptions = {},
): Promise<{ snapshot: Snapshot; made: boolean }> {
  const { store } = project
  const lastLabel = await lastLabelEvent(project)
  const labels = await presentLabels(store, lastLabel)
  if (labels.size === 0) {
    const any = await store.db.selectFrom('example').select('number').limit(1).executeTakeFirst()
    throw new UserError(
      any
        ? 'There are examples but no labels: give some with `descent label`, or import with `--target`.'
        : 'There are no examples yet: bring some with `descent import PATH…`.',
    )
  }
  const rows = await store.db
    .selectFrom('example')
    .leftJoin('frozen', 'frozen.example', 'example.number')
    .leftJoin('forgotten', 'forgotten.example', 'example.number')
    .select(['number', 'id', 'group_key', 'time_key', 'given_split', 'frozen_at'])
    .where('forgotten.at', 'is', null)
    .execute()
  const labelled = rows.filter(({ number }) => labels.has(number))
  const given = (number: number) => labels.get(number)?.value as LabelValue
  const head = await describe(
    project,
    labelled.map(({ number }) => given(number)),
  )

  const { validation = 0.15, test = 0.15, stratify = true, time, seed = 1 } = project.config.split ?? {}
  const items = labelled.map(
    (row): SplitItem => ({
      id: row.id,
      stratum: stratify && head.task === 'class' ? String(given(row.number)) : null,
      group: row.group_key,
      time: row.time_key,
      given: row.given_split as Split | null,
      frozen: row.frozen_at !== null,
    }),
  )
  const placed = deal(items, { validation, test, by: time === undefined ? 'hash' : 'time', seed })
  const entries = labelled.flatMap(({ number, id }, index): SnapshotEntry[] => {
    const { split } = placed[index] as (typeof placed)[0]
    return split === null
      ? []
      : [{ number, id, split, label: head.task === 'class' ? String(given(number)) : given(number) }]
  })
  const trained = entries.filter(({ split }) => split === 'train')
  if (trained.length === 0) {
    throw new UserError(
      `None of the ${labelled.length} labelled examples would be trained on: give more labels, or smaller shares in 'split'.`,
    )
  }

  if (freeze) await freezeTest(project, entries)
  const summary: SnapshotSummary = {
    splits: countSplits(entries),
    classes: Object.fromEntries(
      head.classes.map((name) => [name, countSplits(entries.filter(({ label }) => label === name))]),
    ),
    unlabelled: rows.length - labelled.length,
    leftOut: countBy(placed.flatMap((place) => (place.split === null ? [place.reason] : []))),
    frozenTest: freeze || rows.some(({ frozen_at }) => frozen_at !== null),
  }
  const manifest = Buffer.from(encodeManifest(head, entries))
  const hash = createHash('sha256').update(manifest).digest('hex')
  await store.files.put(manifest)
  return store.transaction(async (db) => {
    const same = await db.selectFrom('snapshot').select('hash').where('hash', '=', hash).executeTakeFirst()
    if (same) {
      const seen = await db.selectFrom('snapshot').select('last_label').where('hash', '=', hash).executeTakeFirst()
      if ((seen?.last_label ?? 0) < lastLabel)
        await db.updateTable('snapshot').set({ last_label: lastLabel }).where('hash', '=', hash).execute()
    } else {
      const last = await db.selectFrom('snapshot').select(db.fn.max('number').as('number')).executeTakeFirst()
      await db
        .insertInto('snapshot')
        .values({
          hash,
          number: (last?.number ?? 0) + 1,
          created_at: new Date().toISOString(),
          message: message ?? null,
          examples: entries.length,
          summary: JSON.stringify({ ...summary, head }),
          last_label: lastLabel,
        })
        .execute()
    }
    const row = await db.selectFrom('snapshot').selectAll().where('hash', '=', hash).executeTakeFirstOrThrow()
    return { snapshot: fromRow(row), made: !same }
  })
}

/** All snapshots, the oldest first. */
export async function listSnapshots({ store }: Project): Promise<Snapshot[]> {
  return (await store.db.selectFrom('snapshot').selectAll().orderBy('number').execute()).map(fromRow)
}

/**
 * The snapshot of this number, or whose hash begins so; the latest, where nothing is given.
 * @throws {UserError} where there is none, or several fit
 */
export async function findSnapshot(project: Project, reference?: string | number): Promise<Snapshot> {
  const all = await listSnapshots(project)
  const latest = all.at(-1)
  if (!latest) throw new UserError('There is no snapshot yet: make one with `descent snapshot`.')
  if (reference === undefined || reference === 'latest') return latest
  const text = String(reference)
  const byNumber = all.find(({ number }) => String(number) === text)
  const byHash = all.filter(({ hash }) => hash.startsWith(text))
  const [found, another] = byNumber ? [byNumber] : byHash
  if (!found) throw new UserError(`There is no snapshot ${text}: \`descent snapshots\` lists them.`)
  if (another) throw new UserError(`Several snapshots begin with ${text}: write more of the hash.`)
  return found
}

/** A snapshot with what is in it, in the order of the ids; without examples that were forgotten since. */
export async function readSnapshot(
  project: Project,
  reference?: string | number,
): Promise<{ snapshot: Snapshot; entries: readonly SnapshotEntry[] }> {
  const { store } = project
  const snapshot = await findSnapshot(project, reference)
  const { entries } = decodeManifest(Buffer.from(await store.files.get(snapshot.hash)).toString())
  const rows = await store.db
    .selectFrom('example')
    .leftJoin('forgotten', 'forgotten.example', 'example.number')
    .select(['number', 'id', 'forgotten.at as forgotten'])
    .execute()
  const numbers = new Map(rows.map(({ id, number, forgotten }) => [id, forgotten === null ? number : null]))
  return {
    snapshot,
    entries: entries.flatMap((entry): SnapshotEntry[] => {
      const number = numbers.get(entry.id)
      if (number === null) return []
      if (number === undefined)
        throw new UserError(
          `Example ${entry.id} of snapshot ${snapshot.number} is no longer in the store: put the project back from a copy.`,
        )
      return [{ ...entry, number }]
    }),
  }
}

async function lastLabelEvent({ store }: Project): Promise<number> {
  const row = await store.db.selectFrom('label').select(store.db.fn.max('number').as('number')).executeTakeFirst()
  return row?.number ?? 0
}

/** What the labels and columns mean: a class or a number, which classes, which columns. */
async function describe({ config, store }: Project, values: readonly LabelValue[]): Promise<ManifestHead> {
  const distinct = [...new Set(values)]
  const task = config.task ?? impliedTask(config, distinct)
  if (task === 'number') {
    const wrong = distinct.find((value) => typeof value !== 'number')
    if (wrong !== undefined) {
      throw new UserError(
        `The config says task: 'number', and a label is '${wrong}': give it a number, or say task: 'class'.`,
      )
    }
  }
  const classes = task === 'number' ? [] : (config.classes ?? [...new Set(distinct.map(String))].sort(natural))
  if (task === 'class') {
    const strange = distinct.find((value) => !classes.includes(String(value)))
    if (strange !== undefined) {
      throw new UserError(`A label is '${strange}', which is not among the config's classes: ${classes.join(', ')}.`)
    }
    if (classes.length < 2) {
      throw new UserError(
        `All ${values.length} labels are '${classes[0]}': there is nothing to tell apart until some are another.`,
      )
    }
  }
  const fields = await store.db.selectFrom('field').select(['name', 'type']).orderBy('position').execute()
  const strangeColumn = Object.keys(config.columns ?? {}).find((name) => !fields.some((field) => field.name === name))
  if (strangeColumn !== undefined && fields.length > 0) {
    throw new UserError(
      `The config's columns name '${strangeColumn}', and the examples have no such column. They have: ${fields.map(({ name }) => name).join(', ')}.`,
    )
  }
  const columns = fields.flatMap(({ name, type }): SnapshotColumn[] => {
    const said = config.columns?.[name] ?? type
    return said === 'ignore' ? [] : [{ name, type: said }]
  })
  return { kind: config.kind, task, classes, columns }
}

/** Numbers are to be predicted only where rows have them as labels: the labels 0 to 9 of images are classes. */
function impliedTask({ kind, classes }: Project['config'], values: readonly LabelValue[]): 'class' | 'number' {
  return kind !== 'tabular' || classes || values.some((value) => typeof value === 'string') ? 'class' : 'number'
}

/** Names in the order a person would give them: 2 before 10. */
function natural(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function countSplits(entries: readonly SnapshotEntry[]): Record<Split, number> {
  return { train: 0, validation: 0, test: 0, ...countBy(entries.map(({ split }) => split)) }
}

interface Row {
  readonly hash: string
  readonly number: number
  readonly created_at: string
  readonly message: string | null
  readonly examples: number
  readonly summary: string
  readonly last_label: number
}

function fromRow({ hash, number, created_at, message, examples, summary, last_label }: Row): Snapshot {
  const { head, ...counts } = JSON.parse(summary) as SnapshotSummary & { head: ManifestHead }
  return { ...head, hash, number, createdAt: created_at, message, examples, summary: counts, lastLabel: last_label }
}
