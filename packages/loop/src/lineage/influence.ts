/**
 * Which training examples moved a prediction most: TracIn (Pruthi et al., "Estimating training data influence by tracing
 * gradient descent", 2020) on the last layer. At a few moments c of the training, with learning rate η, the steps that example
 * i caused moved ln p of the said class k for the input t by
 *
 *     Σ_c η_c ⟨e_k − p_t, y_i − p_i⟩ (⟨h_i, h_t⟩ + 1)
 *
 * h being what the last linear layer is given, p the probabilities, and 1 its bias. Where numbers are predicted, ⟨…⟩ of the
 * errors is y_i − ŷ_i, and the sum is how far the example moved the prediction up.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadSafetensors, saveSafetensors, tensor } from 'descent'
import type { Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { loadSplit } from '../training/examples.ts'
import { type LoadedRun, loadRun } from '../training/load-run.ts'
import type { Rows } from '../training/model.ts'
import { epochsOf, runFolder } from '../training/run.ts'
import { traceEpochs, tracePath } from '../training/traces.ts'
import { readSnapshot, type SnapshotEntry } from '../versioning/snapshot.ts'

export interface Influence {
  readonly entry: SnapshotEntry
  /** Above 0: moved the prediction towards what was said. */
  readonly score: number
}

/** What the last layer is given, and what it gives, for all training examples at one moment. */
interface Moment {
  /** Null: the end. */
  readonly epoch: number | null
  readonly rate: number
  readonly hidden: Rows
  readonly given: Rows
}

export const influenceName = 'influence.safetensors'
/** More is computed anew each time. */
const LARGEST = 128 * 1024 * 1024

/**
 * The influence of each training example of the run on what it says of a content, in the order of the snapshot.
 * @throws {UserError} where the run or its files are gone
 */
export async function influences(
  project: Project,
  runNumber: number,
  content: Content,
  work: Work = {},
): Promise<Influence[]> {
  const run = await loadRun(project, runNumber)
  const folder = runFolder(project, runNumber)
  const { entries } = await readSnapshot(project, run.run.snapshot)
  const train = entries.filter(({ split }) => split === 'train')
  const moments = await momentsOf(project, run, train, work)
  const said = (await run.predict([content])).values
  const k = said.indexOf(Math.max(...said))
  const scores = new Float64Array(train.length)
  for (const moment of moments) {
    await setWeights(run, folder, moment.epoch)
    const { values: h } = await run.embed([content])
    const { values: p } = await run.predict([content])
    addScores(scores, moment, { h, p, k }, labelsOf(run, train), run)
  }
  await setWeights(run, folder, null)
  return train.map((entry, i) => ({ entry, score: scores[i] as number }))
}

function labelsOf({ target }: LoadedRun, train: readonly SnapshotEntry[]): Float64Array {
  return Float64Array.from(train, ({ label }) =>
    target.task === 'class' ? target.classes.indexOf(String(label)) : Number(label),
  )
}

function addScores(
  scores: Float64Array,
  { rate, hidden, given }: Moment,
  { h, p, k }: { readonly h: Float32Array; readonly p: Float32Array; readonly k: number },
  labels: Float64Array,
  { target }: LoadedRun,
): void {
  const { width: depth, values: H } = hidden
  const { width, values: P } = given
  for (let i = 0; i < scores.length; i++) {
    let likeness = 1
    for (let d = 0; d < depth; d++) likeness += (H[i * depth + d] as number) * (h[d] as number)
    let errors = 0
    if (target.task === 'class') {
      for (let c = 0; c < width; c++) {
        const ours = (c === k ? 1 : 0) - (p[c] as number)
        const theirs = (c === labels[i] ? 1 : 0) - (P[i * width + c] as number)
        errors += ours * theirs
      }
    } else errors = ((labels[i] as number) - (P[i] as number)) / target.scale ** 2
    scores[i] = (scores[i] as number) + rate * errors * likeness
  }
}

/** The weights after this epoch; the final ones, where it is null. */
async function setWeights({ net }: LoadedRun, folder: string, epoch: number | null): Promise<void> {
  const path = epoch === null ? join(folder, 'model.safetensors') : tracePath(folder, epoch)
  const state = Object.entries(await loadSafetensors(path)).filter(([name]) => !name.startsWith('__settings__.'))
  net.loadStateDict(Object.fromEntries(state))
}

async function momentsOf(
  project: Project,
  run: LoadedRun,
  train: readonly SnapshotEntry[],
  work: Work,
): Promise<Moment[]> {
  const folder = runFolder(project, run.run.number)
  const kept = await readMoments(join(folder, influenceName), train)
  if (kept) return kept
  const { store } = project
  const data = await loadSplit(store, run.features, run.target, train, { ...work, what: 'reading the training split' })
  const read = (places: Int32Array) => data.inputs.read(places)
  const moments: Moment[] = []
  const rates = await ratesOf(project, run)
  for (const { epoch, rate } of rates) {
    await setWeights(run, folder, epoch)
    const hidden = run.model.embedEncoded(read, data.length)
    const given = run.model.predictEncoded(read, data.length)
    // As it is kept: in single precision.
    moments.push({ epoch, rate: Math.fround(rate), hidden, given })
    const what = 'looking at moments of the training'
    work.onProgress?.({ what, done: moments.length, total: rates.length, unit: 'moments' })
  }
  await keepMoments(join(folder, influenceName), moments, train)
  return moments
}

/** The moments of which there are weights, each with the learning rate then. */
async function ratesOf(project: Project, { run }: LoadedRun): Promise<{ epoch: number | null; rate: number }[]> {
  const folder = runFolder(project, run.number)
  const epochs = await epochsOf(project, run.number)
  const kept = traceEpochs(run.recipe.epochs).filter((epoch) => existsSync(tracePath(folder, epoch)))
  const rateOf = (epoch: number) => epochs.find((record) => record.epoch === epoch)?.learningRate ?? 0
  const moments = kept.map((epoch) => ({ epoch, rate: rateOf(epoch) }))
  // A schedule may end at 0, and the end counts all the same: with the mean rate of the training.
  const mean = epochs.reduce((sum, { learningRate = 0 }) => sum + learningRate, 0) / Math.max(1, epochs.length)
  return [...moments, { epoch: null, rate: mean || 1 }]
}

async function keepMoments(path: string, moments: readonly Moment[], train: readonly SnapshotEntry[]): Promise<void> {
  const numbers = moments.reduce((sum, { hidden, given }) => sum + hidden.values.length + given.values.length, 0)
  if (4 * numbers > LARGEST) return
  const rows = ({ values, count, width }: Rows) => tensor(values, { shape: [count, width] })
  await saveSafetensors(path, {
    examples: tensor(Int32Array.from(train, ({ number }) => number)),
    epochs: tensor(Int32Array.from(moments, ({ epoch }) => epoch ?? 0)),
    rates: tensor(Float32Array.from(moments, ({ rate }) => rate)),
    ...Object.fromEntries(moments.map(({ hidden }, m) => [`hidden.${m}`, rows(hidden)])),
    ...Object.fromEntries(moments.map(({ given }, m) => [`given.${m}`, rows(given)])),
  })
}

/** Null where nothing is kept, or of other examples: one was forgotten since. */
async function readMoments(path: string, train: readonly SnapshotEntry[]): Promise<Moment[] | null> {
  if (!existsSync(path)) return null
  const tensors = await loadSafetensors(path)
  const { examples, epochs, rates } = tensors
  if (!examples || !epochs || !rates || examples.size !== train.length) return null
  const numbers = examples.data()
  if (train.some(({ number }, i) => numbers[i] !== number)) return null
  const rows = (name: string): Rows => {
    const found = tensors[name]
    if (!found) throw new Error(`${path} has no ${name}.`)
    return { count: found.shape[0] as number, width: found.shape[1] as number, values: found.data() as Float32Array }
  }
  const rate = rates.data()
  return Array.from(epochs.data(), (epoch, m) => ({
    epoch: epoch === 0 ? null : epoch,
    rate: rate[m] as number,
    hidden: rows(`hidden.${m}`),
    given: rows(`given.${m}`),
  }))
}
