/** Where in the circle a project is: what is in each box, what changed since it was last worked on, and what to do next. */
import { defaultLabels } from '../feedback/round.ts'
import { type LearningFacts, learningFacts } from './learning-facts.ts'
import type { Project } from './project.ts'
import { type Champion, type ServingFacts, servingFacts } from './serving-facts.ts'

export interface BoxStatus {
  readonly box:
    | 'sourcing'
    | 'labeling'
    | 'versioning'
    | 'training'
    | 'evaluation'
    | 'registry'
    | 'deployment'
    | 'monitoring'
    | 'feedback'
  readonly state: 'empty' | 'done' | 'changed'
  /** One line. */
  readonly says: string
}

export interface Status {
  readonly boxes: readonly BoxStatus[]
  /** A command, and why. */
  readonly next: { readonly command: string; readonly why: string }
}

export async function projectStatus(project: Project): Promise<Status> {
  const learning = await learningFacts(project)
  const serving = await servingFacts(project)
  return {
    boxes: [...learningBoxes(learning), ...servingBoxes(serving)],
    next: firstNext(learning, serving) ?? servingNext(serving) ?? learningNext(learning, serving),
  }
}

const number = (n: number) => n.toLocaleString('en')
const some = (n: number, one: string, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`

function learningBoxes({
  examples,
  imports,
  unfinishedImports,
  labelled,
  labelers,
  snapshot,
  run,
  score,
}: LearningFacts): BoxStatus[] {
  return [
    {
      box: 'sourcing',
      state: examples === 0 ? 'empty' : unfinishedImports.length > 0 ? 'changed' : 'done',
      says: `${some(examples, 'example')} from ${some(imports, 'import')}${unfinishedImports.length > 0 ? `; not finished: ${unfinishedImports.map(({ path }) => path).join(', ')}` : ''}`,
    },
    {
      box: 'labeling',
      state: labelled === 0 ? 'empty' : labelled < examples ? 'changed' : 'done',
      says:
        labelled === 0
          ? 'no labels'
          : `${number(labelled)} of ${number(examples)} labelled, by ${some(labelers, 'labeler')}`,
    },
    {
      box: 'versioning',
      state: snapshot === null ? 'empty' : snapshot.newEvents > 0 ? 'changed' : 'done',
      says:
        snapshot === null
          ? 'no snapshot'
          : `snapshot ${snapshot.number} with ${some(snapshot.examples, 'example')}${snapshot.newEvents > 0 ? `; since then ${some(snapshot.newEvents, 'label event')}` : ''}`,
    },
    {
      box: 'training',
      state: run === null ? 'empty' : run.status === 'done' && run.ofLatest ? 'done' : 'changed',
      says:
        run === null
          ? 'no run'
          : `run ${run.number} (${run.name}): ${run.status}${run.error ? `: ${run.error}` : ''}${run.ofLatest ? '' : ', on an older snapshot'}`,
    },
    { box: 'evaluation', state: score === null ? 'empty' : 'done', says: score ?? 'nothing measured' },
  ]
}

function servingBoxes({ versions, champion, candidate, answers: { count, last } }: ServingFacts): BoxStatus[] {
  const made = some(versions, 'version')
  return [
    {
      box: 'registry',
      state: versions === 0 ? 'empty' : champion && candidate === null ? 'done' : 'changed',
      says: champion
        ? `version ${champion.version} of ${number(versions)} is champion since ${day(champion.since)} (${champion.who}): ${champion.headline}${candidate === null ? '' : `; version ${candidate} is newer`}`
        : versions === 0
          ? 'no version'
          : `${made}, no champion`,
    },
    {
      box: 'deployment',
      state: last === null ? 'empty' : last.version === champion?.version ? 'done' : 'changed',
      says:
        last === null
          ? 'nothing was answered'
          : `${some(count, 'answer')} kept, the last by version ${last.version}, ${day(last.at)} ${last.at.slice(11, 16)} UTC`,
    },
    monitoringBox(champion),
    feedbackBox(champion),
  ]
}

function monitoringBox(champion: Champion | null): BoxStatus {
  const { alarms = [], feedback } = champion ?? {}
  const named = alarms.slice(0, 3).map(({ number: alarm, measure }) => `alarm ${alarm} (${measure})`)
  const open = [...named, ...(alarms.length > 3 ? [`${alarms.length - 3} more`] : [])].join(', ')
  const { random, all } = feedback ?? {}
  const judged = random ? { ...random, of: 'of the random slice' } : all ? { ...all, of: 'with feedback' } : null
  const right = judged
    ? [
        `${percent(judged.estimate)} right of ${some(judged.count, 'answer')} ${judged.of} (${percent(judged.low)} to ${percent(judged.high)})`,
      ]
    : []
  const says = [...(open === '' ? [] : [`open: ${open}`]), ...right].join('; ')
  return {
    box: 'monitoring',
    state: alarms.length > 0 ? 'changed' : judged ? 'done' : 'empty',
    says: says === '' ? 'no alarm, no feedback' : says,
  }
}

function feedbackBox(champion: Champion | null): BoxStatus {
  if (!champion) return { box: 'feedback', state: 'empty', says: 'nothing waits' }
  const { queue, said, newLabels, round } = champion
  const parts = [
    ...(queue > 0 ? [`${number(queue)} in the labelling queue`] : []),
    ...(said > 0 ? [`feedback on ${some(said, 'answer')} that is no label yet`] : []),
    ...(newLabels > 0 && !round ? [`${some(newLabels, 'new label')} since the last training`] : []),
    ...(round
      ? [`round ${round.number}: ${round.status === 'waiting' ? "waits for a person's word" : 'not finished'}`]
      : []),
  ]
  return parts.length === 0
    ? { box: 'feedback', state: 'empty', says: 'nothing waits' }
    : { box: 'feedback', state: 'changed', says: parts.join('; ') }
}

const day = (at: string) => at.slice(0, 10)
const percent = (share: number) => `${(100 * share).toFixed(1)} %`

type Next = Status['next']

/** Until there is a snapshot, and where something was cut off. */
function firstNext(facts: LearningFacts, { champion }: ServingFacts): Next | null {
  const { examples, unfinishedImports, labelled, snapshot, run } = facts
  const [unfinished] = unfinishedImports
  if (unfinished !== undefined)
    return { command: unfinished.command, why: 'an import has not finished: it goes on where it was' }
  if (examples === 0) return { command: 'descent import PATH…', why: 'there are no examples yet' }
  if (labelled === 0) return { command: 'descent label', why: 'there are no labels yet' }
  if (snapshot === null) return { command: 'descent snapshot', why: 'training needs a version of the data that stays' }
  const { round } = champion ?? {}
  if (round?.status === 'waiting' && round.after !== null)
    return {
      command: `descent promote ${round.after}`,
      why: `round ${round.number} made version ${round.after}, the gate lets it through, and a person must say so`,
    }
  if (round) return { command: 'descent loop', why: `round ${round.number} has not finished: it goes on where it was` }
  if (run?.status === 'running' || run?.status === 'stopped')
    return { command: 'descent train --resume', why: `run ${run.number} has not finished` }
  return null
}

/** Round the circle; null where there is no champion. */
function servingNext({ champion, candidate, unregistered, answers }: ServingFacts): Next | null {
  if (!champion) return null
  const { version, alarms, queue, said, newLabels } = champion
  const labels = newLabels + said
  if (labels >= defaultLabels)
    return { command: 'descent loop', why: `${some(labels, 'new label')} may better the champion` }
  if (queue > 0) {
    const cause = alarms.length > 0 ? `${some(alarms.length, 'alarm')} open, and ` : ''
    return {
      command: 'descent label --queue',
      why: `${cause}${some(queue, 'example waits', 'examples wait')}; a round begins with ${defaultLabels} labels`,
    }
  }
  if (candidate !== null)
    return { command: `descent promote ${candidate}`, why: `it is newer than the champion; the gate compares them` }
  if (unregistered !== null && unregistered > champion.run) return registerNext(unregistered)
  if (answers.last === null)
    return { command: 'descent serve', why: `version ${version} is champion and answers nobody` }
  if (alarms.length > 0)
    return {
      command: 'descent queue --fill',
      why: `${some(alarms.length, 'alarm')} open, and nothing waits for a label`,
    }
  return { command: 'descent monitor', why: 'is the traffic still what the champion was tested on?' }
}

/** From a snapshot to a champion. */
function learningNext({ snapshot, run }: LearningFacts, { candidate, unregistered }: ServingFacts): Next {
  if (snapshot && snapshot.newEvents > 0)
    return { command: 'descent snapshot', why: `labels have come since snapshot ${snapshot.number}` }
  if (run === null || !run.ofLatest)
    return { command: 'descent train', why: `nothing is trained on snapshot ${snapshot?.number}` }
  if (run.status === 'failed') return { command: 'descent train', why: `run ${run.number} failed` }
  if (unregistered !== null) return registerNext(unregistered)
  if (candidate !== null)
    return { command: `descent promote ${candidate}`, why: 'no version is champion, so none would answer' }
  return {
    command: 'descent aliases --history',
    why: 'there is no champion any more: promote the version that you want',
  }
}

const registerNext = (run: number): Next => ({
  command: 'descent register',
  why: `run ${run} is done: \`descent evaluate\` shows where it errs, and as a version it can answer others`,
})
