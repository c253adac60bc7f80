/**
 * The gate: whether a version may become champion. It is held against the champion by the paired bootstrap, on the test set
 * and on traffic of late whose truth is known, in all and in slices, and against limits of its own.
 */
import { UserError } from '../errors.ts'
import type { Column } from '../evaluation/columns.ts'
import { sliceColumnsOf } from '../evaluation/slice-columns.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { GateConfig } from '../project/config.ts'
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { currentVersion } from './aliases.ts'
import {
  compare,
  compareSlices,
  type SliceComparison,
  scoresOf,
  smallestSlice,
  surelyWorse,
  worseBy,
} from './compare.ts'
import type { Comparison, GateCheck, GateReport } from './gate-report.ts'
import { type Background, backgroundOf, type JudgeExample, testExamples, trafficExamples } from './judge-examples.ts'
import { type LoadedVersion, loadVersion } from './load-version.ts'

export interface GateOptions extends Work {
  /** Of the resampling. Default 1. */
  readonly seed?: number | undefined
}

/** Fewer examples from traffic are not judged by. */
const leastTraffic = 30

/**
 * Judges a version as the successor of the present champion; changes nothing.
 * @throws {UserError} where there is no such version, it is damaged, or it is the champion
 */
export async function askGate(
  project: Project,
  reference: number | string,
  { seed = 1, ...work }: GateOptions = {},
): Promise<GateReport> {
  const challenger = await loadVersion(project, reference)
  const number = await currentVersion(project, 'champion')
  if (number === challenger.version) throw new UserError(`Version ${number} is the champion already.`)
  const { champion, fault } = await championFor(project, number, challenger)
  const background = await backgroundOf(project, champion ? [challenger.info, champion.info] : [challenger.info])
  const limits = project.config.gate ?? {}
  const checks = [
    ...(champion
      ? await compared(project, { challenger, champion, background, limits, seed, work })
      : fault === null
        ? [unjudged('test set', 'There is no champion yet to compare with.')]
        : [{ ...unjudged('test set', fault), passed: false }]),
    await latencyCheck(challenger, testExamples(project, background), limits),
    sizeCheck(challenger, limits),
  ]
  return {
    challenger: challenger.version,
    champion: number,
    passed: checks.every(({ passed }) => passed !== false),
    checks,
  }
}

/** The champion to compare with; or why there is one, but it cannot be compared with, in a sentence. */
async function championFor(
  project: Project,
  number: number | null,
  challenger: LoadedVersion,
): Promise<{ champion: LoadedVersion | null; fault: string | null }> {
  if (number === null) return { champion: null, fault: null }
  try {
    const champion = await loadVersion(project, number)
    if (champion.signature.output.task === challenger.signature.output.task) return { champion, fault: null }
    const fault = `It predicts ${what(challenger)}, the champion, version ${number}, ${what(champion)}: they cannot be compared.`
    return { champion: null, fault }
  } catch (error) {
    // A champion that is damaged must not keep its successor out for ever: with force it may go past.
    if (error instanceof UserError) return { champion: null, fault: error.message }
    throw error
  }
}

interface Contest {
  readonly challenger: LoadedVersion
  readonly champion: LoadedVersion
  readonly background: Background
  readonly limits: GateConfig
  readonly seed: number
  readonly work: Work
}

async function compared(project: Project, contest: Contest): Promise<GateCheck[]> {
  const { challenger, background, limits, seed } = contest
  const { margin = 0.02 } = limits
  const { task } = challenger.signature.output
  const checks: GateCheck[] = []
  const count = background.test.length
  if (count === 0) {
    const sentence =
      'There is no test example that neither of the two models has learned from: freeze a test set (`descent snapshot --freeze`).'
    checks.push({ check: 'test set', passed: false, sentence, comparison: null })
  } else {
    const { old, fresh } = await scoresOn(testExamples(project, background), count, contest)
    checks.push(comparisonCheck('test set', 'test examples', compare(old, fresh, { task, seed }), margin))
    const columns = await columnsOf(project, background)
    checks.push(sliceCheck(compareSlices(old, fresh, columns, { task, seed }), limits))
  }
  const traffic = await trafficExamples(project, background)
  if (traffic.length < leastTraffic) {
    const sentence = `Of the traffic ${traffic.length} inputs have feedback that neither model has learned from; ${leastTraffic} would be judged.`
    checks.push(unjudged('traffic', sentence))
  } else {
    const { old, fresh } = await scoresOn(traffic, traffic.length, contest)
    checks.push(comparisonCheck('traffic', 'inputs with feedback', compare(old, fresh, { task, seed }), margin))
  }
  return checks
}

const batch = 256

/** What champion and challenger score on the same examples, a batch of them at a time. */
async function scoresOn(
  examples: Iterable<JudgeExample> | AsyncIterable<JudgeExample>,
  total: number,
  { champion, challenger, work: { onProgress, signal } }: Contest,
): Promise<{ old: Float64Array; fresh: Float64Array }> {
  const [old, fresh] = [new Float64Array(total), new Float64Array(total)]
  let done = 0
  let chunk: JudgeExample[] = []
  const judge = async () => {
    const contents = chunk.map(({ content }) => content)
    const labels = chunk.map(({ label }) => label)
    old.set(scoresOf(await champion.predict(contents), labels), done)
    fresh.set(scoresOf(await challenger.predict(contents), labels), done)
    done += chunk.length
    chunk = []
    onProgress?.({ what: 'the gate: both models answer', done, total, unit: 'examples' })
    if (signal?.aborted) throw new StoppedError('Stopped: the champion is what it was.')
  }
  for await (const example of examples) if (chunk.push(example) === batch) await judge()
  if (chunk.length > 0) await judge()
  return { old, fresh }
}

/** What slices are made of: the columns of examples, and their true class. */
async function columnsOf(project: Project, { test, snapshots: [newest] }: Background): Promise<Column[]> {
  const numbers = test.map(({ number }) => number)
  const columns = await sliceColumnsOf(project, numbers, newest?.columns ?? [])
  if (newest?.task !== 'class') return columns
  return [...columns, { name: 'label', values: test.map(({ label }) => String(label)) }]
}

function comparisonCheck(check: 'test set' | 'traffic', on: string, comparison: Comparison, margin: number): GateCheck {
  const worse = worseBy(comparison)
  const tooFar = worse > margin + rounding
  const sure = surelyWorse(comparison)
  const verdict = tooFar
    ? `, more than the ${amount(margin, comparison)} allowed${sure ? '' : ' (chance may explain it; more test examples would tell)'}`
    : sure
      ? ', and that is more than chance explains'
      : ''
  return { check, passed: !tooFar && !sure, sentence: `${sentenceOf(comparison, on)}${verdict}.`, comparison }
}

/** Refuses where a slice is worse by more than the margin, and by more than chance explains. */
export function sliceCheck(slices: readonly SliceComparison[], { sliceMargin = 0.05 }: GateConfig): GateCheck {
  const [worst] = slices
  if (!worst)
    return unjudged('slices', `No slice of the test set has ${smallestSlice} examples or more that could be judged.`)
  const bad = slices.filter(({ comparison }) => worseBy(comparison) > sliceMargin + rounding && surelyWorse(comparison))
  const [first = worst] = bad
  const where = `${first.column} is ${first.slice}`
  const passed = bad.length === 0
  return {
    check: 'slices',
    passed,
    sentence: passed
      ? `None of ${slices.length} slices is worse by more than ${amount(sliceMargin, worst.comparison)} and beyond chance; the least good one is where ${where}: ${sentenceOf(first.comparison, 'test examples')}.`
      : `Worse where ${where}: ${sentenceOf(first.comparison, 'test examples')}, more than the ${amount(sliceMargin, first.comparison)} allowed in a slice${bad.length > 1 ? `; so it is in ${bad.length - 1} more` : ''}.`,
    comparison: first.comparison,
  }
}

const timed = 50

/** The median time of one answer to one content, after plans were compiled. */
async function latencyCheck(
  { predict }: LoadedVersion,
  test: AsyncIterable<JudgeExample>,
  { latency }: GateConfig,
): Promise<GateCheck> {
  const contents: Content[] = []
  for await (const { content } of test) if (contents.push(content) === timed) break
  if (contents.length === 0)
    return unjudged('latency', 'There is no test example to measure the time of an answer with.')
  const times: number[] = []
  for (let i = -5; i < timed; i++) {
    const began = performance.now()
    await predict([contents[(i + 5) % contents.length] as Content])
    if (i >= 0) times.push(performance.now() - began)
  }
  const median = times.sort((a, b) => a - b)[timed / 2] as number
  const passed = latency === undefined || median <= latency
  const limit =
    latency === undefined ? 'no limit is set' : `${passed ? 'allowed are' : 'more than the allowed'} ${latency} ms`
  return { check: 'latency', passed, sentence: `An answer takes ${median.toFixed(2)} ms; ${limit}.`, comparison: null }
}

function sizeCheck({ info }: LoadedVersion, { bytes }: GateConfig): GateCheck {
  const passed = bytes === undefined || info.bytes <= bytes
  const limit =
    bytes === undefined
      ? 'no limit is set'
      : `${passed ? 'allowed are' : `${grouped(info.bytes - bytes)} more than the allowed`} ${grouped(bytes)}`
  return { check: 'size', passed, sentence: `Its files have ${grouped(info.bytes)} bytes; ${limit}.`, comparison: null }
}

function unjudged(check: GateCheck['check'], sentence: string): GateCheck {
  return { check, passed: null, sentence, comparison: null }
}

/** Differences of shares are not exact in binary: 0.96 − 0.94 is a little more than 0.02. */
const rounding = 1e-9

function sentenceOf(comparison: Comparison, on: string): string {
  const { figure, examples, champion, challenger, difference } = comparison
  const worse = worseBy(comparison)
  const says = worse === 0 ? 'the same' : `${amount(Math.abs(worse), comparison)} ${worse > 0 ? 'worse' : 'better'}`
  const classes = figure === 'accuracy'
  const show = classes ? percent : plain
  const signed = (x: number) =>
    `${x > 0 ? '+' : x < 0 ? '−' : ''}${classes ? (100 * Math.abs(x)).toFixed(2) : plain(Math.abs(x))}`
  const interval = `95 % interval ${signed(difference.low)} to ${signed(difference.high)}${classes ? ' points' : ''}`
  return `${show(challenger)}${classes ? ' right' : ' mean absolute error'} of ${grouped(examples)} ${on}, the champion ${show(champion)}: ${says} (${interval})`
}

/** A margin in the unit in which it is stated. */
function amount(share: number, { figure }: Comparison): string {
  return figure === 'accuracy' ? `${(100 * share).toFixed(2)} points` : percent(share)
}

function what({ signature: { output } }: LoadedVersion): string {
  return output.task === 'class' ? 'classes' : 'numbers'
}

const percent = (value: number) => `${(100 * value).toFixed(2)} %`
const plain = (value: number) => String(Number(value.toPrecision(4)))
const grouped = (value: number) => value.toLocaleString('en')
