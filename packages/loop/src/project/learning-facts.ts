/** What is in the boxes from examples to trained networks, as far as `descent status` tells of it. */
import { presentEvents } from '../labeling/events.ts'
import { importCommand, type Settings } from '../sourcing/settings.ts'
import type { Project } from './project.ts'

export interface LearningFacts {
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
  } | null
  /** Test accuracy or R² of the latest finished run, where it was measured. */
  readonly score: string | null
}

export async function learningFacts({ store }: Project): Promise<LearningFacts> {
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
