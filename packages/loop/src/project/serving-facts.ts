/** What is in the boxes from model versions back to labels, as far as `descent status` tells of it. */
import { accuracyFromFeedback, type FeedbackAccuracy } from '../feedback/accuracy.ts'
import { newLabels, openRound, type Round } from '../feedback/rounds.ts'
import { allWaiting } from '../labeling/queued.ts'
import { currentAliases } from '../registry/aliases.ts'
import { shown } from '../registry/headline.ts'
import { listVersions } from '../registry/version.ts'
import type { Project } from './project.ts'

export interface ServingFacts {
  readonly versions: number
  readonly champion: Champion | null
  /** The newest version, where it is newer than the champion and was never refused or declined as its successor. */
  readonly candidate: number | null
  /** The newest run that is done, where it is newer than all that became versions. */
  readonly unregistered: number | null
  readonly answers: { readonly count: number; readonly last: { readonly at: string; readonly version: number } | null }
}

export interface Champion {
  readonly version: number
  readonly run: number
  readonly since: string
  readonly who: string
  /** Its accuracy, or error, with an interval. */
  readonly headline: string
  readonly feedback: FeedbackAccuracy
  readonly alarms: readonly { readonly number: number; readonly measure: string }[]
  /** Examples that wait for a label, of whatever traffic. */
  readonly queue: number
  /** Feedback that has not become labels yet. */
  readonly said: number
  /** Labels that could be learned from and were not yet, by the champion or in a round. */
  readonly newLabels: number
  readonly round: Round | null
}

export async function servingFacts(project: Project): Promise<ServingFacts> {
  const { db } = project.store
  const versions = await listVersions(project)
  const change = (await currentAliases(project)).find(({ name }) => name === 'champion')
  const own = versions.find(({ number }) => number === change?.version)
  const last = await db
    .selectFrom('prediction')
    .select(['at', 'version'])
    .where('role', '!=', 'shadow')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  const { answers } = await db
    .selectFrom('prediction')
    .select(({ fn }) => fn.countAll<number>().as('answers'))
    .executeTakeFirstOrThrow()
  const newestRun = await db
    .selectFrom('run')
    .select('number')
    .where('kind', '=', 'network')
    .where('sweep', 'is', null)
    .where('status', '=', 'done')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  const lastOfVersions = Math.max(0, ...versions.map(({ run }) => run))
  return {
    versions: versions.length,
    champion:
      own && change
        ? {
            version: own.number,
            run: own.run,
            since: change.at,
            who: change.who,
            headline: shown(own.metrics),
            ...(await trafficFacts(project, own.number)),
          }
        : null,
    candidate: await candidateOf(project, versions.at(-1)?.number ?? 0, own?.number ?? 0),
    unregistered: newestRun && newestRun.number > lastOfVersions ? newestRun.number : null,
    answers: { count: Number(answers), last: last ?? null },
  }
}

async function trafficFacts(project: Project, version: number) {
  const { db } = project.store
  const alarms = await db
    .selectFrom('alarm')
    .select(['number', 'measure'])
    .where('version', '=', version)
    .where('closed_at', 'is', null)
    .orderBy('number')
    .execute()
  const { said } = await db
    .selectFrom('feedback')
    .innerJoin('prediction', 'prediction.id', 'feedback.prediction')
    .select(({ fn }) => fn.count<number>('feedback.prediction').distinct().as('said'))
    .where('feedback.label', 'is', null)
    .where('prediction.random', '=', 0)
    .where('prediction.body', 'is not', null)
    .executeTakeFirstOrThrow()
  return {
    alarms,
    feedback: await accuracyFromFeedback(project, version),
    queue: (await allWaiting(project, { labeler: '', count: Number.MAX_SAFE_INTEGER })).length,
    said: Number(said),
    newLabels: (await newLabels(project, version)).sinceRound,
    round: await openRound(project, version),
  }
}

async function candidateOf({ store }: Project, newest: number, champion: number): Promise<number | null> {
  if (newest <= champion) return null
  const rejected = await store.db
    .selectFrom('round')
    .select('number')
    .where('after', '=', newest)
    .where('status', 'in', ['refused', 'declined'])
    .executeTakeFirst()
  const been = await store.db
    .selectFrom('alias')
    .select('number')
    .where('name', '=', 'champion')
    .where('version', '=', newest)
    .executeTakeFirst()
  return rejected || been ? null : newest
}
