/**
 * How much each model makes of more data: the same recipe, or baseline, trained on 1/16, 1/8, 1/4 and 1/2 of the training
 * examples (each share part of the next) and judged by the same examples as the whole. Each point is kept in its run's
 * folder (`curve.json`) as soon as it is measured, and is not measured again.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultGenerator, manualSeed } from 'descent'
import { fitFeatures } from '../architecture/features.ts'
import { recallCode } from '../architecture/load-recipe.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { writeWhole } from '../store/files.ts'
import { contentsOf, loadSplit } from '../training/examples.ts'
import { codeName } from '../training/files.ts'
import { fitNetwork } from '../training/fit.ts'
import { classMetrics, numberMetrics } from '../training/metrics.ts'
import { Model } from '../training/model.ts'
import { type Run, runFolder } from '../training/run.ts'
import { outputsOf, targetOf } from '../training/target.ts'
import { readSnapshot, type Snapshot, type SnapshotEntry } from '../versioning/snapshot.ts'
import { baselineNamed } from './baseline.ts'
import type { BaselineRun } from './baseline-run.ts'
import type { ModelComparison } from './compare-models.ts'
import { scoreOf } from './scores.ts'
import { shareOf, snapshotRows } from './snapshot-rows.ts'

export interface CurvePoint {
  /** Of the training examples: 1/16 … 1. */
  readonly share: number
  readonly examples: number
  /** Accuracy, or R². */
  readonly score: number
  /** Training time. */
  readonly seconds: number
}

export interface Curve {
  /** Of the run. */
  readonly number: number
  readonly kind: 'network' | 'baseline'
  readonly name: string
  /** Ascending. */
  readonly points: readonly CurvePoint[]
}

export const SHARES: readonly number[] = [1 / 16, 1 / 8, 1 / 4, 1 / 2]
/** A smaller share of the training examples says nothing. */
const FEWEST_EXAMPLES = 8
const fileName = 'curve.json'

export interface CurveOptions extends Work {
  /** Hears of each point as it is measured. */
  readonly onPoint?: ((curve: Pick<Curve, 'number' | 'kind' | 'name'>, point: CurvePoint) => void) | undefined
}

/**
 * The learning curves of all models of a comparison, in its order. Throws StoppedError where it was asked to stop: the
 * points that were measured are kept.
 */
export async function learningCurves(
  project: Project,
  { models, run, baselines, split, snapshot: { hash } }: ModelComparison,
  options: CurveOptions = {},
): Promise<Curve[]> {
  const { snapshot, entries } = await readSnapshot(project, hash)
  const training = entries.filter((entry) => entry.split === 'train')
  const judged = entries.filter((entry) => entry.split === split)
  const job: Job = { project, snapshot, entries, judged, options }
  const shares = sharesOf(training, snapshot)
  for (const [share, some] of shares) {
    await baselinePoints(job, baselines, share, some)
    if (run) await networkPoint(job, run, share, some)
  }
  return Promise.all(
    models.map(async ({ number, kind, name, score, costs }) => {
      const points = (await readPoints(project, number)).filter(({ share }) => shares.some(([own]) => own === share))
      const own = baselines.find((baseline) => baseline.number === number)
      const examples = own?.about.examples ?? training.length
      const whole = { share: 1, examples, score: score.estimate, seconds: costs.training }
      return { number, kind, name, points: [...points, whole].sort((a, b) => a.share - b.share) }
    }),
  )
}

/** Whether all points are there already, so that nothing has to be trained. */
export async function curvesAreKept(project: Project, comparison: ModelComparison): Promise<boolean> {
  const { snapshot, entries } = await readSnapshot(project, comparison.snapshot.hash)
  const training = entries.filter((entry) => entry.split === 'train')
  const shares = sharesOf(training, snapshot)
  for (const { number } of comparison.models) {
    const kept = new Set((await readPoints(project, number)).map(({ share }) => share))
    const whole = comparison.baselines.find((run) => run.number === number)?.about.examples ?? training.length
    if (shares.some(([share, some]) => some.length < whole && !kept.has(share))) return false
  }
  return true
}

interface Job {
  readonly project: Project
  readonly snapshot: Snapshot
  readonly entries: readonly SnapshotEntry[]
  readonly judged: readonly SnapshotEntry[]
  readonly options: CurveOptions
}

/** The shares that have enough examples, and those. */
function sharesOf(training: readonly SnapshotEntry[], { task }: Snapshot): [number, SnapshotEntry[]][] {
  return SHARES.map((share): [number, SnapshotEntry[]] => [share, shareOf(training, share, task)]).filter(
    ([, some]) => some.length >= FEWEST_EXAMPLES && some.length < training.length,
  )
}

async function baselinePoints(
  job: Job,
  baselines: readonly BaselineRun[],
  share: number,
  some: readonly SnapshotEntry[],
): Promise<void> {
  const { project, snapshot, judged, options } = job
  const missing: BaselineRun[] = []
  for (const run of baselines) {
    const kept = await readPoints(project, run.number)
    // Of very many examples the whole is a share itself.
    const smaller = some.length < run.about.examples
    if (smaller && !kept.some((point) => point.share === share)) missing.push(run)
  }
  if (missing.length === 0) return
  const work = labelled(options, `learning curve, ${shareText(share)}`)
  const rows = await snapshotRows(project, snapshot, some, judged, work)
  const asked = rows.test ?? rows.validation
  if (!asked) return
  for (const run of missing) {
    const began = performance.now()
    const model = await baselineNamed(run.name).fit(rows.train.x, rows.train.y, { ...work, seed: run.seed })
    const seconds = rows.seconds + (performance.now() - began) / 1000
    const score = scoreOf(await model.predict(asked.x, { signal: work.signal }), asked.y)
    await addPoint(job, { ...run, kind: 'baseline' }, { share, examples: some.length, score, seconds })
  }
}

async function networkPoint(job: Job, run: Run, share: number, some: readonly SnapshotEntry[]): Promise<void> {
  const { project, snapshot, entries, judged, options } = job
  const kept = await readPoints(project, run.number)
  if (kept.some((point) => point.share === share)) return
  const { store, config } = project
  const what = `learning curve, ${shareText(share)}: the network`
  const work = { ...options, what }
  const loaded = await recallCode(run.recipe, project.folder, join(runFolder(project, run.number), codeName))
  const target = targetOf(snapshot.task, snapshot.classes, some)
  const knowledge = { columns: snapshot.columns, config }
  const features = await fitFeatures(loaded.recipe.preprocess, contentsOf(store, some, work), knowledge)
  const input = { layout: features.layout, outputs: outputsOf(target), task: target.task }
  const train = await loadSplit(store, features, target, some, work)
  const held = entries.filter((entry) => entry.split === 'validation')
  const validation = await loadSplit(store, features, target, held, work)
  const counts = snapshot.classes.map((name) => some.filter(({ label }) => label === name).length)
  // What comes after draws what it would have drawn without this.
  const generator = defaultGenerator()
  const before = [generator.key.clone(), generator.draws.clone()] as const
  try {
    manualSeed(run.seed)
    const net = loaded.build(input)
    const began = performance.now()
    const { interrupted } = await fitNetwork(net, {
      recipe: loaded.recipe,
      input,
      features,
      train,
      validation,
      counts,
      seed: run.seed,
      signal: options.signal,
      onStep: ({ step, steps }) => options.onProgress?.({ what, done: step, total: steps, unit: 'steps' }),
    })
    if (interrupted) throw new StoppedError('Stopped: the points of the learning curve that were measured are kept.')
    const seconds = (performance.now() - began) / 1000
    const asked = await loadSplit(store, features, target, judged, work)
    const { values } = new Model(net, features, target).predictEncoded(
      (places) => asked.inputs.read(places),
      asked.length,
    )
    const score =
      target.task === 'class'
        ? classMetrics(values, asked.labels(), target.classes.length).accuracy
        : numberMetrics(
            values,
            judged.map(({ label }) => Number(label)),
          ).r2
    await addPoint(job, { ...run, kind: 'network' }, { share, examples: some.length, score: score as number, seconds })
  } finally {
    generator.key.copy_(before[0])
    generator.draws.copy_(before[1])
  }
}

/** 0.0625 as 1/16. */
export function shareText(share: number): string {
  return share === 1 ? 'all' : `1/${Math.round(1 / share)}`
}

function labelled({ onProgress, signal }: Work, where: string): Work {
  return { signal, onProgress: (progress) => onProgress?.({ ...progress, what: `${where}: ${progress.what}` }) }
}

async function addPoint(
  { project, options }: Job,
  run: Pick<Curve, 'number' | 'kind' | 'name'>,
  point: CurvePoint,
): Promise<void> {
  const others = (await readPoints(project, run.number)).filter(({ share }) => share !== point.share)
  const points = [...others, point].sort((a, b) => a.share - b.share)
  await writeWhole(join(runFolder(project, run.number), fileName), `${JSON.stringify({ points }, null, 2)}\n`)
  options.onPoint?.(run, point)
}

async function readPoints(project: Project, number: number): Promise<CurvePoint[]> {
  const text = await readFile(join(runFolder(project, number), fileName), 'utf8').catch(() => null)
  try {
    return text === null ? [] : (JSON.parse(text) as { points: CurvePoint[] }).points
  } catch {
    // A file that someone damaged is measured anew.
    return []
  }
}
