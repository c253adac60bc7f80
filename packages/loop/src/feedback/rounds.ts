/**
 * Rounds of `descent loop` as rows, and the labels with which one begins.
 *
 * What holds: of one champion there is at most one round that is not finished. Labels by which a model is only judged (of the
 * test set, of the random slice) begin no round: nothing can be learned from them.
 */
import type { Project } from '../project/project.ts'
import { findVersion } from '../registry/version.ts'
import type { Tables } from '../store/tables.ts'
import { findRun } from '../training/run.ts'
import { findSnapshot } from '../versioning/snapshot.ts'

export interface Round {
  readonly number: number
  /** Examples labelled since the champion's snapshot. */
  readonly labels: number
  /** The champion that it is to better. */
  readonly before: number
  readonly status: Tables['round']['status']
  /** What it has come to so far; null: not yet. */
  readonly snapshot: string | null
  readonly run: number | null
  readonly after: number | null
}

const unfinished = ['running', 'stopped', 'waiting'] as const

/** The round of this champion that is not finished; null where there is none. */
export async function openRound({ store }: Pick<Project, 'store'>, champion: number): Promise<Round | null> {
  const row = await store.db
    .selectFrom('round')
    .select(['number', 'labels', 'status', 'run', 'after', 'snapshot'])
    .where('status', 'in', unfinished)
    .where('before', '=', champion)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row ? { ...row, before: champion } : null
}

export async function beginRound(project: Project, champion: number, labels: number): Promise<Round> {
  const { number } = await project.store.db
    .insertInto('round')
    .values({ started_at: new Date().toISOString(), status: 'running', labels, before: champion })
    .returning('number')
    .executeTakeFirstOrThrow()
  return { number, labels, before: champion, status: 'running', run: null, after: null, snapshot: null }
}

export async function setRound(
  { store }: Project,
  number: number,
  values: Partial<Omit<Tables['round'], 'number'>>,
): Promise<void> {
  await store.db.updateTable('round').set(values).where('number', '=', number).execute()
}

/** A round whose version a person promoted meanwhile (`descent promote`) is finished by that. */
export async function settleRounds({ store }: Project, champion: number): Promise<void> {
  await store.db
    .updateTable('round')
    .set({ status: 'promoted', finished_at: new Date().toISOString() })
    .where('status', 'in', unfinished)
    .where('after', '=', champion)
    .execute()
}

export interface NewLabels {
  /** Examples that someone, a person or a file, labelled since the champion's snapshot. */
  readonly sinceChampion: number
  /** Those of them that no round has learned from: less, where one was refused or declined. */
  readonly sinceRound: number
}

/** What could be learned that the champion has not learned. */
export async function newLabels(project: Project, champion: number): Promise<NewLabels> {
  const run = await findRun(project, (await findVersion(project, champion)).run)
  const { lastLabel } = await findSnapshot(project, run.snapshot)
  const round = await project.store.db
    .selectFrom('round')
    .innerJoin('snapshot', 'snapshot.hash', 'round.snapshot')
    .select('snapshot.last_label')
    .where('round.before', '=', champion)
    .where('round.status', 'in', ['refused', 'declined'])
    .orderBy('round.number', 'desc')
    .limit(1)
    .executeTakeFirst()
  const since = Math.max(lastLabel, round?.last_label ?? 0)
  const sinceChampion = await labelledAfter(project, lastLabel)
  return { sinceChampion, sinceRound: since === lastLabel ? sinceChampion : await labelledAfter(project, since) }
}

async function labelledAfter({ store }: Project, event: number): Promise<number> {
  const { count } = await store.db
    .selectFrom('label')
    .innerJoin('labeler', 'labeler.name', 'label.labeler')
    .innerJoin('example', 'example.number', 'label.example')
    .leftJoin('frozen', 'frozen.example', 'label.example')
    .leftJoin('forgotten', 'forgotten.example', 'label.example')
    .leftJoin('label as undo', 'undo.undoes', 'label.number')
    .select(({ fn }) => fn.count<number>('label.example').distinct().as('count'))
    .where('label.number', '>', event)
    .where('label.value', 'is not', null)
    .where('labeler.kind', 'in', ['person', 'file'])
    .where('undo.number', 'is', null)
    .where('frozen.example', 'is', null)
    .where('forgotten.example', 'is', null)
    .where((where) => where.or([where('given_split', 'is', null), where('given_split', '!=', 'test')]))
    .executeTakeFirstOrThrow()
  return Number(count)
}
