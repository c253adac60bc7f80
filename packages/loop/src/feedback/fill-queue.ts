/**
 * `descent queue --fill`: looks through the latest traffic for what a person should label next, and mixes reasons: where the
 * network was uncertain, what is unlike everything else in the batch, what is unlike what it was tested on, where the shadowed
 * challenger answered otherwise, and the random slice, which alone tells the accuracy without bias.
 */

import { UserError } from '../errors.ts'
import { addQueued, type ReasonedItem } from '../labeling/queued.ts'
import { selectBatch } from '../labeling/strategies/index.ts'
import type { Points } from '../monitoring/mean-discrepancy.ts'
import { referenceOf } from '../monitoring/reference.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { currentVersion } from '../registry/aliases.ts'
import { loadVersion } from '../registry/load-version.ts'
import { type Content, decodeContent } from '../store/content.ts'
import { inPortions, keepTraffic } from './traffic-examples.ts'

export type MixedReason = 'uncertain' | 'diverse' | 'drifted' | 'disputed' | 'random'

/** Shares of the queue. Where one reason has too few, the others fill up. */
export type Mix = Readonly<Record<MixedReason, number>>

export const defaultMix: Mix = { uncertain: 0.3, diverse: 0.2, drifted: 0.2, disputed: 0.1, random: 0.2 }

export interface FillOptions extends Work {
  /** How many examples to ask about. Default 100. */
  readonly count?: number | undefined
  readonly mix?: Partial<Mix> | undefined
  readonly seed?: number | undefined
}

export interface FillReport {
  readonly version: number
  /** Answered requests that were looked at. */
  readonly looked: number
  readonly added: number
  readonly byReason: Readonly<Record<MixedReason, number>>
}

interface Candidate {
  readonly id: string
  readonly content: string
  readonly media: string
  readonly body: Uint8Array
  readonly output: string
  readonly uncertainty: number | null
  readonly random: number
}

/** The latest answers that are looked at. */
const most = 4000
/** Of them, so many are compared in the network's embedding. */
const embedded = 1500

/** @throws {UserError} where nothing is served, or there are shares that cannot be */
export async function fillQueue(project: Project, options: FillOptions = {}): Promise<FillReport> {
  const { count = 100, seed = 1, signal } = options
  const mix = checkedMix(options.mix)
  const version = await currentVersion(project, 'champion')
  if (version === null)
    throw new UserError('There is no champion, so there is no traffic to look through: `descent promote` chooses one.')
  const candidates = await unlabelledTraffic(project, version)
  const ranked = await rank(project, version, candidates, { count, seed, signal })
  const chosen = new Map<string, Omit<ReasonedItem, 'example'>>()
  const byReason: Record<MixedReason, number> = { uncertain: 0, diverse: 0, drifted: 0, disputed: 0, random: 0 }
  const take = (reason: MixedReason, wanted: number) => {
    for (const item of ranked[reason]) {
      if (wanted <= 0 || chosen.size >= count) return
      if (chosen.has(item.prediction)) continue
      chosen.set(item.prediction, { ...item, reason })
      byReason[reason]++
      wanted--
    }
  }
  const reasons = Object.keys(mix) as MixedReason[]
  for (const reason of reasons) take(reason, Math.round(mix[reason] * count))
  for (const reason of reasons) if (mix[reason] > 0) take(reason, count)
  const kept = await keepTraffic(project, [...chosen.keys()])
  const added = await addQueued(
    project.store,
    kept.map(({ prediction, example }) => ({ ...(chosen.get(prediction) as Omit<ReasonedItem, 'example'>), example })),
  )
  return { version, looked: candidates.length, added, byReason }
}

function checkedMix(given: Partial<Mix> = {}): Mix {
  const mix =
    Object.keys(given).length > 0
      ? { uncertain: 0, diverse: 0, drifted: 0, disputed: 0, random: 0, ...given }
      : defaultMix
  const total = Object.values(mix).reduce((sum, share) => sum + share, 0)
  for (const [reason, share] of Object.entries(mix))
    if (!(share >= 0)) throw new UserError(`The share of ${reason} must be a number from 0, not ${share}.`)
  if (!(total > 0)) throw new UserError('The shares of the reasons add up to 0: nothing would be asked.')
  return Object.fromEntries(Object.entries(mix).map(([reason, share]) => [reason, share / total])) as Mix
}

/** The champion's latest answers on contents that nobody has labelled and that wait for nobody yet, each content once. */
async function unlabelledTraffic({ store }: Project, version: number): Promise<Candidate[]> {
  const rows = await store.db
    .selectFrom('prediction')
    .select(['id', 'content', 'media', 'body', 'output', 'uncertainty', 'random'])
    .where('version', '=', version)
    .where('role', '=', 'champion')
    .where('body', 'is not', null)
    .orderBy('number', 'desc')
    .limit(most)
    .execute()
  const once = [...new Map(rows.map((row) => [row.content, row as Candidate])).values()]
  const contents = once.map(({ content }) => content)
  const out = new Set<string>()
  const labelled = await inPortions(contents, (ids) =>
    store.db
      .selectFrom('example')
      .innerJoin('label', 'label.example', 'example.number')
      .select('example.id')
      .where('example.id', 'in', ids)
      .execute(),
  )
  const spoken = await inPortions(
    once.map(({ id }) => id),
    (ids) => store.db.selectFrom('feedback').select('prediction').where('prediction', 'in', ids).execute(),
  )
  const said = new Set(spoken.map(({ prediction }) => prediction))
  const queued = await store.db
    .selectFrom('queued')
    .innerJoin('example', 'example.number', 'queued.example')
    .select('example.id')
    .where('queued.closed_at', 'is', null)
    .execute()
  for (const { id } of [...labelled, ...queued]) out.add(id)
  return once.filter(({ content, id }) => !out.has(content) && !said.has(id))
}

type Ranked = Readonly<Record<MixedReason, readonly { prediction: string; detail: string; score: number }[]>>

async function rank(
  project: Project,
  version: number,
  candidates: readonly Candidate[],
  { count, seed, signal }: { count: number; seed: number; signal: AbortSignal | undefined },
): Promise<Ranked> {
  const uncertain = candidates
    .flatMap(({ id, uncertainty }) =>
      uncertainty === null
        ? []
        : [{ prediction: id, score: uncertainty, detail: `uncertainty ${uncertainty.toFixed(2)} of 1` }],
    )
    .sort((a, b) => b.score - a.score)
  const random = candidates
    .filter((candidate) => candidate.random === 1)
    .map(({ id }) => ({
      prediction: id,
      score: 0,
      detail: 'of the random slice, which tells the accuracy without bias',
    }))
  const disputed = await disputedByShadow(project, candidates)
  if (signal?.aborted) throw new StoppedError('Stopped: nothing was added to the queue.')
  const looked = candidates.slice(0, embedded)
  if (looked.length === 0) return { uncertain, random, disputed, diverse: [], drifted: [] }
  const served = await loadVersion(project, version)
  const points = await served.embed(looked.map(({ media, body }): Content => decodeContent({ media, body })))
  return {
    uncertain,
    random,
    disputed,
    diverse: diverse(looked, points, count, seed),
    drifted: strange(looked, points, (await referenceOf(project, served)).points.strangeness(points)),
  }
}

function diverse(looked: readonly Candidate[], points: Points, count: number, seed: number) {
  const pool = { count: looked.length, embedding: points.values }
  const { suggestions } = selectBatch(pool, { strategy: 'coreSet', count, seed })
  return suggestions.map(({ index, reason }, place) => ({
    prediction: (looked[index] as Candidate).id,
    score: -place,
    detail: reason,
  }))
}

function strange(looked: readonly Candidate[], { count }: Points, strangeness: Float64Array) {
  return Array.from({ length: count }, (_, i) => i)
    .sort((a, b) => (strangeness[b] as number) - (strangeness[a] as number))
    .map((i) => ({
      prediction: (looked[i] as Candidate).id,
      score: strangeness[i] as number,
      detail: 'unlike what the network was tested on',
    }))
}

/** Where the shadowed challenger answered otherwise. */
async function disputedByShadow({ store }: Project, candidates: readonly Candidate[]) {
  const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]))
  const shadows = await inPortions([...byId.keys()], (ids) =>
    store.db.selectFrom('prediction').select(['shadows', 'output', 'version']).where('shadows', 'in', ids).execute(),
  )
  const labelOf = (output: string) => (JSON.parse(output) as { label?: string }).label
  return shadows.flatMap(({ shadows: id, output, version }) => {
    const champion = labelOf(byId.get(id as string)?.output ?? '{}')
    const challenger = labelOf(output)
    if (challenger === undefined || champion === challenger) return []
    const detail = `the champion says ${champion}, version ${version} says ${challenger}`
    return [{ prediction: id as string, score: 1, detail }]
  })
}
