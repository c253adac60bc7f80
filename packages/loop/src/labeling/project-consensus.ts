/**
 * One answer from all labelers of a project: Dawid and Skene's model over people, files and rules. Accepted, it is label
 * events of a labeler named `consensus`, which count until a person or a file labels the example after it; who has done so
 * is not overruled by a later consensus.
 */
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import { dawidSkene } from './consensus.ts'
import {
  addLabeler,
  appendLabel,
  consensusName,
  type LabelerKind,
  type LabelValue,
  type PresentEvent,
  presentEvents,
  presentLabels,
  retractLabel,
} from './events.ts'
import { type ProjectVotes, projectVotes } from './project-votes.ts'

export interface JudgedLabeler {
  readonly name: string
  readonly kind: LabelerKind
  readonly votes: number
  /** How often right, as the model estimates. */
  readonly accuracy: number
  /** What it most often takes for something else; null where it takes nothing for anything. */
  readonly mistakes: { readonly truth: string; readonly said: string; readonly share: number } | null
}

export interface JudgedExample {
  /** Its number. */
  readonly example: number
  readonly value: LabelValue
  /** How likely the model finds it. */
  readonly confidence: number
  /** The label that counts at present. */
  readonly present: LabelValue
}

export interface ProjectConsensus {
  /** The most accurate first. */
  readonly labelers: readonly JudgedLabeler[]
  /** Every example that has a vote. */
  readonly examples: readonly JudgedExample[]
  readonly converged: boolean
}

/** @throws {UserError} for numbers, and where fewer than two labelers gave labels */
export async function projectConsensus(project: Project): Promise<ProjectConsensus> {
  const all = await projectVotes(project)
  const { task, votes, labelers, classes, examples } = all
  if (task === 'number')
    throw new UserError('Consensus is for classes, and the labels here are numbers: see `descent labels agreement`.')
  if (labelers.length < 2) {
    throw new UserError(
      `${labelers[0] ? `Only ${labelers[0].name} has given labels` : 'There are no labels'}: a consensus needs two labelers. Rules are labelers too (descent labels rules), and \`descent label --as NAME --again\` gives second opinions.`,
    )
  }
  const found = dawidSkene(votes, classes.length)
  const present = await presentLabels(project.store)
  return {
    labelers: judged(all, found).sort((a, b) => b.accuracy - a.accuracy),
    examples: examples.map((example, i) => ({
      example,
      value: classes[found.consensus[i] as number] as LabelValue,
      confidence: found.confidence[i] as number,
      present: present.get(example)?.value as LabelValue,
    })),
    converged: found.converged,
  }
}

function judged(
  { labelers, classes }: ProjectVotes,
  { labelers: qualities, prior }: ReturnType<typeof dawidSkene>,
): JudgedLabeler[] {
  return labelers.map(({ name, kind }, l) => {
    const { votes, accuracy, confusion } = qualities[l] as (typeof qualities)[0]
    let mistakes: JudgedLabeler['mistakes'] = null
    let most = 0
    for (const [k, row] of confusion.entries()) {
      for (const [c, share] of row.entries()) {
        const weight = (prior[k] as number) * share
        if (k === c || weight <= most) continue
        most = weight
        mistakes = { truth: String(classes[k]), said: String(classes[c]), share }
      }
    }
    return { name, kind, votes, accuracy, mistakes }
  })
}

export interface AcceptOptions {
  /** Accepts only where the model is at least so sure. Default 0: everywhere. */
  readonly atLeast?: number | undefined
}

export interface Accepted {
  /** Examples that have a new word of the consensus. */
  readonly added: number
  /** Of these, those whose label is now another. */
  readonly changed: number
  /** Words of an earlier consensus that were taken back. */
  readonly takenBack: number
  /** Examples on which all say the same, a person or a file among them, so that nothing was needed. */
  readonly agreed: number
  /** Examples left alone as the model is not sure enough. */
  readonly unsure: number
  /** Examples left alone as someone labelled them after an earlier consensus. */
  readonly later: number
}

/**
 * Appends the consensus as labels, except where all agree by themselves and a person or a file is among them.
 * @throws {UserError} as `projectConsensus` does
 */
export async function acceptConsensus(project: Project, { atLeast = 0 }: AcceptOptions = {}): Promise<Accepted> {
  const { store } = project
  const { examples } = await projectConsensus(project)
  const events = Map.groupBy(await presentEvents(store), ({ example }) => example)
  return store.transaction(async (db) => {
    await addLabeler(db, consensusName, 'model')
    const { kind } = await db
      .selectFrom('labeler')
      .select('kind')
      .where('name', '=', consensusName)
      .executeTakeFirstOrThrow()
    if (kind !== 'model')
      throw new UserError(`A ${kind} labels here under the name '${consensusName}', which is taken.`)
    const counts = { added: 0, changed: 0, takenBack: 0, agreed: 0, unsure: 0, later: 0 }
    for (const { example, value, confidence, present } of examples) {
      const own = events.get(example) ?? []
      const old = own.find(({ labeler }) => labeler === consensusName)
      const verdict = verdictOn(own, old, confidence >= atLeast)
      if (verdict === 'later') counts.later++
      else if (verdict === 'agreed' || verdict === 'unsure') {
        counts[verdict]++
        if (!old) continue
        await retractLabel(db, old.number)
        counts.takenBack++
      } else if (old?.value !== JSON.stringify(value)) {
        const prediction = JSON.stringify({ consensus: Number(confidence.toFixed(4)) })
        appendLabel(store, { example, value, labeler: consensusName, prediction })
        counts.added++
        if (String(value) !== String(present)) counts.changed++
      }
    }
    return counts
  })
}

function verdictOn(
  own: readonly PresentEvent[],
  old: PresentEvent | undefined,
  sure: boolean,
): 'agreed' | 'unsure' | 'later' | 'speak' {
  const witnesses = own.filter(({ kind }) => kind === 'person' || kind === 'file')
  if (old && witnesses.some(({ number }) => number > old.number)) return 'later'
  if (witnesses.length > 0 && new Set(own.filter((e) => e !== old).map(({ value }) => value)).size === 1)
    return 'agreed'
  return sure ? 'speak' : 'unsure'
}
