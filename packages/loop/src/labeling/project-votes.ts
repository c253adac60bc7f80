/** What the labelers of a project said, as votes: each one's present word on each example. */
import type { Project } from '../project/project.ts'
import { consensusName, type LabelerKind, type LabelValue, presentEvents } from './events.ts'
import { labelSet } from './label-set.ts'
import type { Votes } from './votes.ts'

export interface ProjectVotes {
  readonly task: 'class' | 'number'
  /** Examples that have a vote, and those votes; values are places in `classes`, or numbers. */
  readonly votes: Votes
  /** The number of each of these examples. */
  readonly examples: readonly number[]
  /** Those who gave votes, in the order of their names; rules and files too, the consensus not. */
  readonly labelers: readonly { readonly name: string; readonly kind: LabelerKind }[]
  /** The label set; empty for numbers. */
  readonly classes: readonly LabelValue[]
}

export async function projectVotes(project: Project): Promise<ProjectVotes> {
  const events = (await presentEvents(project.store)).filter(({ labeler }) => labeler !== consensusName)
  const set = await labelSet(project)
  const kinds = new Map(events.map(({ labeler, kind }) => [labeler, kind]))
  const labelers = [...kinds].map(([name, kind]) => ({ name, kind })).sort((a, b) => (a.name < b.name ? -1 : 1))
  const labelerAt = new Map(labelers.map(({ name }, l) => [name, l]))
  const examples = [...new Set(events.map(({ example }) => example))]
  const exampleAt = new Map(examples.map((number, i) => [number, i]))
  const values = events.map(({ value }) => JSON.parse(value) as LabelValue)
  const classes: LabelValue[] = set.task === 'class' ? [...set.classes] : []
  const classAt = new Map(classes.map((value, c) => [String(value), c]))
  const place = (value: LabelValue) => {
    if (set.task === 'number') return Number(value)
    const found = classAt.get(String(value)) ?? classes.push(value) - 1
    classAt.set(String(value), found)
    return found
  }
  const votes: Votes = {
    examples: examples.length,
    labelers: labelers.length,
    example: Int32Array.from(events, ({ example }) => exampleAt.get(example) as number),
    labeler: Int32Array.from(events, ({ labeler }) => labelerAt.get(labeler) as number),
    value: Float64Array.from(values, place),
  }
  return { task: set.task, votes, examples, labelers, classes }
}
