/** Where in the circle a project is: what is in each box, what changed since it was last worked on, and what to do next. */
import { existsSync } from 'node:fs'
import { presentEvents } from '../labeling/events.ts'
import { importCommand, type Settings } from '../sourcing/settings.ts'
import { reportPath } from '../training/run.ts'
import type { Project } from './project.ts'

export interface BoxStatus {
  readonly box: 'sourcing' | 'labeling' | 'versioning' | 'training' | 'evaluation'
  readonly state: 'empty' | 'done' | 'changed'
  /** One line. */
  readonly says: string
}

export interface Status {
  readonly boxes: readonly BoxStatus[]
  /** A command, and why. */
  readonly next: { readonly command: string; readonly why: string }
}

interface Facts {
  readonly examples: number
  readonly imports: number
  readonly unfinishedImports: readonly { readonly path: string; readonly command: string }[]
  /** Examples that someone or something labelled. */
  readonly labelled: number
  readonly labelers: number
  readonly snapshot: {
    readonly number: number
    readonly examples: number
    readonly createdAt: string
    readonly newEvents: number
  } | null
  readonly run: {
    readonly number: number
    readonly name: string
    readonly status: string
    readonly ofLatest: boolean
    readonly error: string | null
    /** Whether `descent evaluate` has written its report. */
    readonly evaluated: boolean
  } | null
  /** Test accuracy or R² of the latest finished run, where it was measured. */
  readonly score: string | null
}

export async function projectStatus(project: Project): Promise<Status> {
  const facts = await gather(project)
  return { boxes: boxesOf(facts), next: nextOf(facts) }
}

async function gather({ store }: Project): Promise<Facts> {
  const { db } = store
  const count = async (table: 'example' | 'import') =>
    Number((await db.selectFrom(table).select(db.fn.countAll().as('n')).executeTakeFirstOrThrow()).n)
  const events = await presentEvents(store)
  const unfinished = await db
    .selectFrom('import')
    .select(['path', 'options'])
    .where('status', '!=', 'done')
    .where('content_hash', 'is not', null)
    .execute()
  const snapshot = await db.selectFrom('snapshot').selectAll().orderBy('number', 'desc').limit(1).executeTakeFirst()
  const newer = snapshot
    ? await db
        .selectFrom('label')
        .select(db.fn.countAll().as('n'))
        .where('number', '>', snapshot.last_label)
        .executeTakeFirst()
    : undefined
  const run = await db
    .selectFrom('run')
    .selectAll()
    .where('kind', '=', 'network')
    .where('sweep', 'is', null)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  const finished = await db
    .selectFrom('run')
    .select('metrics')
    .where('kind', '=', 'network')
    .where('sweep', 'is', null)
    .where('status', '=', 'done')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return {
    examples: await count('example'),
    imports: await count('import'),
    unfinishedImports: unfinished.map(({ path, options }) => ({
      path,
      command: importCommand(path, JSON.parse(options) as Settings),
    })),
    labelled: new Set(events.map(({ example }) => example)).size,
    labelers: new Set(events.map(({ labeler }) => labeler)).size,
    snapshot: snapshot
      ? {
          number: snapshot.number,
          examples: snapshot.examples,
          createdAt: snapshot.created_at,
          newEvents: Number(newer?.n ?? 0),
        }
      : null,
    run: run
      ? {
          number: run.number,
          name: run.name,
          status: run.status,
          ofLatest: run.snapshot === snapshot?.hash,
          error: run.error,
          evaluated: existsSync(reportPath({ store }, run.number)),
        }
      : null,
    score: scoreOf(finished?.metrics ?? null),
  }
}

function scoreOf(metrics: string | null): string | null {
  const { test } = (metrics === null ? {} : JSON.parse(metrics)) as { test?: { accuracy?: number; r2?: number } }
  if (test?.accuracy !== undefined) return `${(100 * test.accuracy).toFixed(2)} % right on the test set`
  return test?.r2 !== undefined ? `R² ${test.r2.toFixed(3)} on the test set` : null
}

const number = (n: number) => n.toLocaleString('en')
const some = (n: number, one: string, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`

function boxesOf({
  examples,
  imports,
  unfinishedImports,
  labelled,
  labelers,
  snapshot,
  run,
  score,
}: Facts): BoxStatus[] {
  return [
    {
      box: 'sourcing',
      state: examples === 0 ? 'empty' : unfinishedImports.length > 0 ? 'changed' : 'done',
      says: `${some(examples, 'example')} from ${some(imports, 'import')}${unfinishedImports.length > 0 ? `; not finished: ${unfinishedImports.map(({ path }) => path).join(', ')}` : ''}`,
    },
    {
      box: 'labeling',
      state: labelled === 0 ? 'empty' : labelled < examples ? 'changed' : 'done',
      says:
        labelled === 0
          ? 'no labels'
          : `${number(labelled)} of ${number(examples)} labelled, by ${some(labelers, 'labeler')}`,
    },
    {
      box: 'versioning',
      state: snapshot === null ? 'empty' : snapshot.newEvents > 0 ? 'changed' : 'done',
      says:
        snapshot === null
          ? 'no snapshot'
          : `snapshot ${snapshot.number} with ${some(snapshot.examples, 'example')}${snapshot.newEvents > 0 ? `; since then ${some(snapshot.newEvents, 'label event')}` : ''}`,
    },
    {
      box: 'training',
      state: run === null ? 'empty' : run.status === 'done' && run.ofLatest ? 'done' : 'changed',
      says:
        run === null
          ? 'no run'
          : `run ${run.number} (${run.name}): ${run.status}${run.error ? `: ${run.error}` : ''}${run.ofLatest ? '' : ', on an older snapshot'}`,
    },
    { box: 'evaluation', state: score === null ? 'empty' : 'done', says: score ?? 'nothing measured' },
  ]
}

function nextOf({ examples, unfinishedImports, labelled, snapshot, run }: Facts): Status['next'] {
  const [unfinished] = unfinishedImports
  if (unfinished !== undefined)
    return { command: unfinished.command, why: 'an import has not finished: it goes on where it was' }
  if (examples === 0) return { command: 'descent import PATH…', why: 'there are no examples yet' }
  if (labelled === 0) return { command: 'descent label', why: 'there are no labels yet' }
  if (snapshot === null) return { command: 'descent snapshot', why: 'training needs a version of the data that stays' }
  if (run?.status === 'running' || run?.status === 'stopped')
    return { command: 'descent train --resume', why: `run ${run.number} has not finished` }
  if (snapshot.newEvents > 0)
    return { command: 'descent snapshot', why: `labels have come since snapshot ${snapshot.number}` }
  if (run === null || !run.ofLatest)
    return { command: 'descent train', why: `nothing is trained on snapshot ${snapshot.number}` }
  if (run.status === 'failed') return { command: 'descent train', why: `run ${run.number} failed` }
  if (run.evaluated)
    return {
      command: 'descent compare',
      why: `run ${run.number} against traditional models; where it is good enough, descent register`,
    }
  return { command: 'descent evaluate', why: `see what run ${run.number} has learned, and where it errs` }
}
