/**
 * `descent loop`: once round the circle. From enough new labels follow a snapshot, a network trained on it (from the champion's
 * weights, or anew), a version, the gate, a person's word, and the promotion, which a running server takes up by itself.
 *
 * What holds: each round is a row. One that was cut off, at any moment, is gone on with by the next call; nothing is trained
 * twice. Without a person's word (or `gate.autoPromote` in the config) nothing is promoted.
 */
import { UserError } from '../errors.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { currentVersion, setAlias } from '../registry/aliases.ts'
import { askGate } from '../registry/gate.ts'
import type { Comparison, GateReport } from '../registry/gate-report.ts'
import { registerRun } from '../registry/register.ts'
import { findVersion } from '../registry/version.ts'
import type { Tables } from '../store/tables.ts'
import { findRun } from '../training/run.ts'
import { type EpochNews, trainRun } from '../training/train-run.ts'
import { freezeTest } from '../versioning/freeze.ts'
import { findSnapshot, makeSnapshot, readSnapshot } from '../versioning/snapshot.ts'
import { feedbackLabels, labelsAsFeedback } from './feedback-labels.ts'

export interface RoundOptions extends Work {
  /** A round begins with so many examples labelled anew. Default 100. */
  readonly labels?: number | undefined
  /** Default: from the champion's weights, where its classes are still those of the labels; otherwise anew. */
  readonly anew?: boolean | undefined
  readonly epochs?: number | undefined
  readonly seed?: number | undefined
  /** Asks a person, once the gate has let it through. Default: the config's word; without one, the version waits. */
  readonly confirm?: ((report: GateReport, gain: Gain) => Promise<boolean>) | undefined
  readonly who?: string | undefined
  /** Hears of each step, in a sentence. */
  readonly onNews?: ((sentence: string) => void) | undefined
  readonly onEpoch?: ((news: EpochNews) => void) | undefined
}

/** What the labels bought: champion and challenger on the same examples. */
export interface Gain {
  readonly labels: number
  readonly test: Comparison | null
  /** On traffic whose truth is known and that neither learned from. */
  readonly traffic: Comparison | null
}

export type RoundResult =
  | { readonly status: 'too few'; readonly labels: number; readonly wanted: number }
  | {
      readonly status: 'promoted' | 'refused' | 'declined' | 'waiting'
      readonly round: number
      readonly before: number
      readonly version: number
      readonly report: GateReport
      readonly gain: Gain
    }

/** @throws {UserError} where there is no champion; {StoppedError} where it was asked to stop: the next call goes on */
export async function goRound(project: Project, options: RoundOptions = {}): Promise<RoundResult> {
  const { labels: wanted = 100, onNews = () => {} } = options
  const champion = await currentVersion(project, 'champion')
  if (champion === null)
    throw new UserError('There is no champion to better: `descent register` and `descent promote` make one first.')
  const { labels: fromFeedback, refused, refusal } = await feedbackLabels(project)
  if (fromFeedback > 0) onNews(`${fromFeedback} labels came from feedback.`)
  if (refused > 0) onNews(`Feedback that is no label was left as it is (${refused}), such as ${refusal}`)
  await labelsAsFeedback(project)
  const open = await openRound(project, champion)
  if (!open) {
    const labels = await newLabels(project, champion)
    if (labels < wanted) return { status: 'too few', labels, wanted }
  }
  const round = open ?? (await beginRound(project, champion, await newLabels(project, champion)))
  if (open) onNews(`Going on with round ${round.number}.`)
  try {
    return await finishRound(project, round, options)
  } catch (error) {
    await setRound(project, round.number, { status: 'stopped' })
    throw error
  }
}

interface Round {
  readonly number: number
  readonly labels: number
  readonly before: number
  readonly run: number | null
  readonly after: number | null
  readonly snapshot: string | null
}

async function openRound({ store }: Project, champion: number): Promise<Round | null> {
  const row = await store.db
    .selectFrom('round')
    .select(['number', 'labels', 'run', 'after', 'snapshot'])
    .where('status', 'in', ['running', 'stopped', 'waiting'])
    .where('before', '=', champion)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row ? { ...row, before: champion } : null
}

async function beginRound({ store }: Project, champion: number, labels: number): Promise<Round> {
  const { number } = await store.db
    .insertInto('round')
    .values({ started_at: new Date().toISOString(), status: 'running', labels, before: champion })
    .returning('number')
    .executeTakeFirstOrThrow()
  return { number, labels, before: champion, run: null, after: null, snapshot: null }
}

async function setRound({ store }: Project, number: number, values: Partial<Omit<Tables['round'], 'number'>>) {
  await store.db.updateTable('round').set(values).where('number', '=', number).execute()
}

async function finishRound(project: Project, round: Round, options: RoundOptions): Promise<RoundResult> {
  const { onNews = () => {}, signal } = options
  const { number, before, labels } = round
  const snapshot = round.snapshot ?? (await snapshotFor(project, round, onNews))
  const run = round.run ?? (await trainFor(project, round, snapshot, options))
  if (signal?.aborted) throw new StoppedError(`Stopped round ${number}: \`descent loop\` goes on with it.`)
  const { version } = await registerRun(project, run, { message: `round ${number}: ${labels} new labels` })
  await setRound(project, number, { after: version.number })
  await pointChallenger(project, version.number)
  onNews(`Run ${run} is version ${version.number}, the challenger. The gate holds it against version ${before}.`)
  const report = await askGate(project, version.number, options)
  const gain = gainOf(report, labels)
  const result = { round: number, before, version: version.number, report, gain }
  const end = async (status: 'promoted' | 'refused' | 'declined' | 'waiting'): Promise<RoundResult> => {
    const finished_at = status === 'waiting' ? null : new Date().toISOString()
    await setRound(project, number, { status, finished_at, gain: JSON.stringify(gain) })
    return { status, ...result }
  }
  if (!report.passed) return end('refused')
  const { confirm } = options
  const auto = project.config.gate?.autoPromote === true
  if (!auto && !confirm) return end('waiting')
  if (!auto && confirm && !(await confirm(report, gain))) return end('declined')
  await setAlias(project, 'champion', version.number, {
    who: options.who,
    why: `round ${number} of descent loop, ${labels} new labels`,
    how: 'promoted',
    gate: report,
    expected: before,
  })
  return end('promoted')
}

async function snapshotFor(project: Project, { number, before }: Round, onNews: (sentence: string) => void) {
  await freezeOnce(project, before, onNews)
  const { snapshot } = await makeSnapshot(project, { message: `round ${number} of descent loop` })
  await setRound(project, number, { snapshot: snapshot.hash })
  const { train, validation, test } = snapshot.summary.splits
  onNews(`Snapshot ${snapshot.number}: ${train} examples to train with, ${validation} to validate, ${test} to test.`)
  return snapshot.hash
}

/** Champion and challenger are compared on one test set: that of the champion is frozen, where none is yet. */
async function freezeOnce(project: Project, version: number, onNews: (sentence: string) => void): Promise<void> {
  const frozen = await project.store.db.selectFrom('frozen').select('example').limit(1).executeTakeFirst()
  if (frozen) return
  const run = await findRun(project, (await findVersion(project, version)).run)
  const { snapshot, entries } = await readSnapshot(project, run.snapshot)
  if (!entries.some(({ split }) => split === 'test')) return
  await freezeTest(project, entries)
  onNews(`The test set of snapshot ${snapshot.number} is frozen from now on, so that models can be compared.`)
}

async function trainFor(project: Project, round: Round, snapshot: string, options: RoundOptions): Promise<number> {
  const { onNews = () => {}, anew = false, epochs, seed, onEpoch, onProgress, signal } = options
  const champion = await findVersion(project, round.before)
  const fresh = await findSnapshot(project, snapshot)
  const { output } = champion.signature
  const fits =
    output.task === fresh.task && (output.task === 'number' || output.classes.join('\n') === fresh.classes.join('\n'))
  if (!anew && !fits) onNews('The labels have other classes than the champion knows: training anew.')
  const from = anew || !fits ? undefined : champion.run
  onNews(
    from === undefined
      ? 'Training a network anew.'
      : `Training on from the weights of version ${champion.number} (run ${from}).`,
  )
  const run = await trainRun(project, { snapshot, from, epochs, seed, onEpoch, onProgress, signal, onNote: onNews })
  await setRound(project, round.number, { run: run.number })
  return run.number
}

async function pointChallenger(project: Project, version: number): Promise<void> {
  if ((await currentVersion(project, 'challenger')) === version) return
  await setAlias(project, 'challenger', version, { why: 'descent loop' })
}

/** Examples on which someone, a person or a file, said something since the champion's snapshot. */
export async function newLabels(project: Project, version: number): Promise<number> {
  const run = await findRun(project, (await findVersion(project, version)).run)
  const { lastLabel } = await findSnapshot(project, run.snapshot)
  const rows = await project.store.db
    .selectFrom('label')
    .innerJoin('labeler', 'labeler.name', 'label.labeler')
    .leftJoin('label as undo', 'undo.undoes', 'label.number')
    .select('label.example')
    .distinct()
    .where('label.number', '>', lastLabel)
    .where('label.value', 'is not', null)
    .where('undo.number', 'is', null)
    .where('labeler.kind', 'in', ['person', 'file'])
    .execute()
  return rows.length
}

function gainOf({ checks }: GateReport, labels: number): Gain {
  const found = (check: 'test set' | 'traffic') => checks.find((one) => one.check === check)?.comparison ?? null
  return { labels, test: found('test set'), traffic: found('traffic') }
}
