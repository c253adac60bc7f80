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
import { crown } from '../registry/promote.ts'
import { registerRun } from '../registry/register.ts'
import { findVersion } from '../registry/version.ts'
import { findRun, type Run } from '../training/run.ts'
import { type EpochNews, trainRun } from '../training/train-run.ts'
import { findSnapshot, makeSnapshot } from '../versioning/snapshot.ts'
import { feedbackLabels, labelsAsFeedback } from './feedback-labels.ts'
import { freezeOnce } from './freeze-once.ts'
import { beginRound, newLabels, openRound, type Round, setRound, settleRounds } from './rounds.ts'

/** A round begins with so many examples labelled anew, where nothing else is said. */
export const defaultLabels = 100

export interface RoundOptions extends Work {
  /** A round begins with so many examples labelled anew; with 0 at once. Default 100. */
  readonly labels?: number | undefined
  /** Default: from the champion's weights, where its classes are still those of the labels; otherwise anew. */
  readonly anew?: boolean | undefined
  readonly epochs?: number | undefined
  readonly seed?: number | undefined
  /** Asks a person, once the gate has let it through. Default: the config's word; without one, the version waits. */
  readonly confirm?: ((report: GateReport, gain: Gain) => Promise<boolean>) | undefined
  readonly who?: string | undefined
  /** Hears of each step, in a sentence. */
  readonly onNews?: News | undefined
  readonly onEpoch?: ((news: EpochNews) => void) | undefined
}

type News = (sentence: string) => void

/** What the labels bought: champion and challenger on the same examples. */
export interface Gain {
  readonly labels: number
  readonly test: Comparison | null
  /** On traffic whose truth is known and that neither learned from. */
  readonly traffic: Comparison | null
}

export interface TooFew {
  readonly status: 'too few'
  /** Examples labelled since the champion's snapshot that no round has learned from. */
  readonly labels: number
  /** Those that a round learned from whose version did not become champion. */
  readonly learned: number
  readonly wanted: number
}

export type RoundResult =
  | TooFew
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
  const { labels: wanted = defaultLabels, onNews = () => {} } = options
  const champion = await currentVersion(project, 'champion')
  if (champion === null)
    throw new UserError('There is no champion to better: `descent register` and `descent promote` make one first.')
  await settleRounds(project, champion)
  await takeFeedback(project, champion, onNews)
  const open = await openRound(project, champion)
  if (open) onNews(`Going on with round ${open.number}.`)
  const round = open ?? (await nextRound(project, champion, wanted))
  if ('wanted' in round) return round
  try {
    return await finishRound(project, round, options)
  } catch (error) {
    await setRound(project, round.number, { status: 'stopped' })
    if (!(error instanceof StoppedError)) throw error
    throw new StoppedError(`Stopped round ${round.number}: \`descent loop\` goes on with it.`)
  }
}

/** What people said about answers becomes labels, and labels on the random slice tell how often answers were right. */
async function takeFeedback(project: Project, champion: number, onNews: News): Promise<void> {
  const frozen = await freezeOnce(project, champion)
  if (frozen !== null)
    onNews(`The test set of snapshot ${frozen} is frozen from now on, so that models can be compared on it.`)
  const { labels, refused, refusal } = await feedbackLabels(project)
  if (labels > 0) onNews(`${labels} ${labels === 1 ? 'label' : 'labels'} came from feedback.`)
  if (refused > 0) onNews(`Feedback that is no label was left as it is (${refused}), such as ${refusal}`)
  await labelsAsFeedback(project)
}

async function nextRound(project: Project, champion: number, wanted: number): Promise<Round | TooFew> {
  const { sinceChampion, sinceRound } = await newLabels(project, champion)
  if (sinceRound < wanted) return { status: 'too few', labels: sinceRound, learned: sinceChampion - sinceRound, wanted }
  return beginRound(project, champion, sinceChampion)
}

async function finishRound(project: Project, round: Round, options: RoundOptions): Promise<RoundResult> {
  const { onNews = () => {}, signal } = options
  const { number, before, labels } = round
  const snapshot = round.snapshot ?? (await snapshotFor(project, round, onNews))
  const run = await trainFor(project, round, snapshot, options)
  const { version } = await registerRun(project, run, { message: `round ${number}: ${labels} new labels`, signal })
  await setRound(project, number, { after: version.number })
  await pointChallenger(project, version.number, options.who)
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
  await crown(project, report, { who: options.who, why: `round ${number} of descent loop, ${labels} new labels` })
  return end('promoted')
}

async function snapshotFor(project: Project, { number }: Round, onNews: News): Promise<string> {
  const { snapshot } = await makeSnapshot(project, { message: `round ${number} of descent loop` })
  await setRound(project, number, { snapshot: snapshot.hash })
  const { train, validation, test } = snapshot.summary.splits
  onNews(`Snapshot ${snapshot.number}: ${train} examples to train with, ${validation} to validate, ${test} to test.`)
  return snapshot.hash
}

/** The round's run: what is done of it already is not done again. */
async function trainFor(project: Project, round: Round, snapshot: string, options: RoundOptions): Promise<number> {
  const { onNews = () => {}, onEpoch, onProgress, signal } = options
  const begun = round.run === null ? null : await findRun(project, round.run)
  if (begun?.status === 'done') return begun.number
  const work = { onEpoch, onProgress, signal, onNote: onNews }
  if (begun && begun.status !== 'failed') {
    onNews(`Run ${begun.number} goes on where it was stopped.`)
    return (await trainRun(project, { ...work, resume: begun.number })).number
  }
  const from = await weightsFor(project, round, snapshot, options)
  const { epochs, seed } = options
  const onStart = ({ number }: Run) => setRound(project, round.number, { run: number })
  return (await trainRun(project, { ...work, snapshot, from, epochs, seed, onStart })).number
}

/** The run to begin with; none: anew. */
async function weightsFor(project: Project, { before }: Round, snapshot: string, options: RoundOptions) {
  const { onNews = () => {}, anew = false } = options
  const { run, signature } = await findVersion(project, before)
  const { task, classes } = await findSnapshot(project, snapshot)
  const { output } = signature
  const fits = output.task === task && (output.task === 'number' || output.classes.join('\n') === classes.join('\n'))
  if (!anew && fits) {
    onNews(`Training on from the weights of version ${before} (run ${run}).`)
    return run
  }
  onNews(anew ? 'Training anew.' : 'The labels have other classes than the champion knows: training anew.')
  return undefined
}

async function pointChallenger(project: Project, version: number, who: string | undefined): Promise<void> {
  if ((await currentVersion(project, 'challenger')) === version) return
  await setAlias(project, 'challenger', version, { who, why: 'descent loop' })
}

function gainOf({ checks }: GateReport, labels: number): Gain {
  const found = (check: 'test set' | 'traffic') => checks.find((one) => one.check === check)?.comparison ?? null
  return { labels, test: found('test set'), traffic: found('traffic') }
}
