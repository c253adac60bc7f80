/**
 * What should be labelled next, in which order, and why. A strategy looks at what the latest trained network says of the
 * examples, or, before there is one, at features that need none. Of a large pool it looks at a part, drawn by lot, so that
 * a batch comes within seconds; the notes say so.
 */
import { UserError } from '../errors.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { type Random, seeded } from '../random.ts'
import type { Content } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import { type LoadedRun, loadRun } from '../training/load-run.ts'
import { listRuns } from '../training/run.ts'
import { labelingPool, labelledExamples, type PoolOptions } from './pool.ts'
import { rawFeatures } from './raw-features.ts'
import { type Pool, type StrategyName, selectBatch } from './strategies/index.ts'
import { topTwo } from './strategies/probabilities.ts'

/** One example to ask about. */
export interface Choice {
  /** Its number. */
  readonly example: number
  /** Why it was chosen, in a few words. */
  readonly reason: string
  /** What the model said of it, as JSON `{ run, value, p }`: kept with the label. */
  readonly prediction?: string | undefined
}

export interface Queue {
  /** The best first. */
  readonly choices: readonly Choice[]
  /** The strategy that chose: another than the one asked for where that one could not. */
  readonly strategy: StrategyName
  /** How it was chosen, in short sentences. */
  readonly notes: readonly string[]
}

export interface QueueOptions extends PoolOptions, Work {
  readonly count: number
  readonly seed?: number | undefined
  /** Default: margin by the latest run that is done; before there is one, random. */
  readonly strategy?: StrategyName | undefined
  /** The run whose network is asked. Default: the latest that is done. */
  readonly run?: number | undefined
  /** Looks at no more examples than this. Default: what the network does in about three seconds. */
  readonly candidates?: number | undefined
}

const SECONDS = 3
/** Features without a model: so many examples take a second or two; pictures in files must be decoded first. */
const WITHOUT_MODEL = { quick: 10_000, files: 1500 }
const FEWEST = 500
const MOST = 50_000
/** Passes with dropout on for BALD. */
const PASSES = 10

/**
 * Chooses what the labeler is asked next. The same project, options and seed give the same queue.
 * @throws {UserError} where the run that was asked for is not done, or a file of it is missing
 */
export async function labelingQueue(project: Project, options: QueueOptions): Promise<Queue> {
  const { count, seed = 1, labeler, again } = options
  const numbers = await labelingPool(project, { labeler, again })
  // Two people who begin together are not led through the same examples.
  const random = seeded(seed + textHash(labeler ?? ''))
  const network = await networkFor(project, options)
  const strategy = options.strategy ?? defaultStrategy(network)
  const notes = options.strategy ? [] : [defaultNote(strategy, network)]
  if (strategy === 'random') {
    const order = random.permutation(numbers.length).subarray(0, count)
    const choices = Array.from(order, (i) => ({ example: numbers[i] as number, reason: 'chosen at random' }))
    return { choices, strategy, notes }
  }
  const most = await mostCandidates(project, strategy, network, options.candidates)
  const candidates = drawn(numbers, Math.max(most, count), random)
  if (candidates.length < numbers.length)
    notes.push(
      `It chose among ${number(candidates.length)} of ${number(numbers.length)} examples, drawn by lot (--candidates looks at more).`,
    )
  const labelled = needsLabelled(strategy, network) ? drawn(await labelledExamples(project), most, random) : []
  const { pool, note } = network
    ? await poolByNetwork(project, network, strategy, candidates, labelled, options)
    : await poolByFeatures(project, candidates, labelled, options)
  const batch = selectBatch(pool, { strategy, count, seed })
  const why = [batch.note, note].filter((text) => text !== null)
  notes.push(...why.map((text) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`))
  const choices = batch.suggestions.map(({ index, reason }): Choice => {
    const example = candidates[index] as number
    return { example, reason, ...(network ? predictionOf(pool, index, network) : {}) }
  })
  return { choices, strategy: batch.strategy, notes }
}

async function networkFor(project: Project, { run, strategy }: QueueOptions): Promise<LoadedRun | null> {
  if (strategy === 'random') return null
  if (run !== undefined) return loadRun(project, run)
  const done = (await listRuns(project)).some(({ status, sweep }) => status === 'done' && sweep === null)
  return done ? loadRun(project) : null
}

function defaultStrategy(network: LoadedRun | null): StrategyName {
  if (network === null) return 'random'
  return network.target.task === 'class' ? 'margin' : 'coreSet'
}

function defaultNote(strategy: StrategyName, network: LoadedRun | null): string {
  if (network === null)
    return 'Chosen at random, as no network is trained yet; --strategy core-set would cover the data instead.'
  const how =
    strategy === 'margin' ? 'where it wavers most (margin)' : 'what is least like anything labelled (core-set)'
  return `Chosen by run ${network.run.number}: ${how}. --strategy chooses otherwise.`
}

/** Distances to what is labelled count for core-set alone, also where it stands in for a strategy that needs a model. */
function needsLabelled(strategy: StrategyName, network: LoadedRun | null): boolean {
  return strategy === 'coreSet' || network === null || network.target.task === 'number'
}

async function mostCandidates(
  { store, config }: Project,
  strategy: StrategyName,
  network: LoadedRun | null,
  asked: number | undefined,
): Promise<number> {
  if (asked !== undefined) return asked
  if (network === null) {
    if (config.kind !== 'image') return WITHOUT_MODEL.quick
    const first = await store.db.selectFrom('example').select('media').limit(1).executeTakeFirst()
    return first?.media.startsWith('image/raw') ? WITHOUT_MODEL.quick : WITHOUT_MODEL.files
  }
  const passes = strategy === 'bald' ? PASSES + 2 : 2
  const affordable = Math.floor((SECONDS * 1e6) / ((network.run.predictMicroseconds ?? 1000) * passes))
  return Math.max(FEWEST, Math.min(MOST, affordable))
}

interface PoolFound {
  readonly pool: Pool
  readonly note: string | null
}

async function poolByNetwork(
  project: Project,
  network: LoadedRun,
  strategy: StrategyName,
  candidates: readonly number[],
  labelled: readonly number[],
  work: Work,
): Promise<PoolFound> {
  const { target, model } = network
  const count = candidates.length
  const contents = await contentsOf(project, candidates, work)
  const embedding = (await model.embed(contents)).values
  const near = labelled.length > 0 ? await model.embed(await contentsOf(project, labelled, work)) : null
  const known = { count, embedding, ...(near ? { labelledEmbedding: near.values } : {}) }
  if (target.task === 'number') return { pool: known, note: null }
  const probabilities = (await model.predict(contents)).values
  const pool = { ...known, classes: target.classes, probabilities }
  if (strategy !== 'bald' || !model.hasDropout) return { pool, note: null }
  const passes = await model.sample(contents, PASSES)
  const samples = new Float32Array(PASSES * probabilities.length)
  for (const [i, { values }] of passes.entries()) samples.set(values, i * probabilities.length)
  return { pool: { ...pool, samples }, note: null }
}

async function poolByFeatures(
  project: Project,
  candidates: readonly number[],
  labelled: readonly number[],
  work: Work,
): Promise<PoolFound> {
  const count = candidates.length
  if (count === 0) return { pool: { count }, note: null }
  const contents = await contentsOf(project, [...candidates, ...labelled], work)
  try {
    const all = await rawFeatures(project, contents)
    const split = (all.length / contents.length) * count
    return { pool: { count, features: all.subarray(0, split), labelledFeatures: all.subarray(split) }, note: null }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { pool: { count }, note: `the examples cannot be compared: ${error.message.replace(/\.$/, '')}` }
  }
}

async function contentsOf(
  { store }: Project,
  numbers: readonly number[],
  { onProgress, signal }: Work,
): Promise<Content[]> {
  const contents: Content[] = []
  for await (const { content } of readExamples(store, numbers)) {
    if (signal?.aborted) throw new StoppedError('Stopped: nothing was asked yet.')
    contents.push(content)
    onProgress?.({ what: 'looking at examples', done: contents.length, total: numbers.length, unit: 'examples' })
  }
  return contents
}

function predictionOf(pool: Pool, index: number, { run }: LoadedRun): Pick<Choice, 'prediction'> {
  const { probabilities, classes } = pool
  if (!probabilities || !classes) return {}
  const { first, p } = topTwo(probabilities, classes.length, index)
  return { prediction: JSON.stringify({ run: run.number, value: classes[first], p: Number(p.toFixed(4)) }) }
}

/** All of them, or so many by lot; in their order. */
function drawn(numbers: readonly number[], most: number, random: Random): number[] {
  if (numbers.length <= most) return [...numbers]
  return Array.from(random.permutation(numbers.length).subarray(0, most).sort(), (i) => numbers[i] as number)
}

const number = (n: number) => n.toLocaleString('en')

/** FNV-1a. */
function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
