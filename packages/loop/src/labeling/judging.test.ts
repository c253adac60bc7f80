import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Project } from '../project/project.ts'
import { seeded } from '../random.ts'
import { addExamples, texts } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { spamAssassin } from '../training/test-data.ts'
import { makeSnapshot, readSnapshot } from '../versioning/snapshot.ts'
import { addLabeler, appendLabel, presentLabels, retractLabel } from './events.ts'
import { projectAgreement } from './project-agreement.ts'
import { acceptConsensus, projectConsensus } from './project-consensus.ts'
import { disputed, waiting } from './queued.ts'
import { LabelingSession } from './session.ts'
import { findSuspects } from './suspects.ts'
import { simulateLabelers } from './test-labelers.ts'

/** Appends labels: `[example, value]` of one labeler. */
async function say(project: Project, labeler: string, words: readonly (readonly [number, string | number])[]) {
  return project.store.transaction(async (db) => {
    await addLabeler(db, labeler, labeler.startsWith('rule:') ? 'rule' : 'person')
    return words.map(([example, value]) => appendLabel(project.store, { example, value, labeler }))
  })
}

/** A project with labels of simulated people, and the truth by example number. */
async function crowd(project: Project, skills: readonly number[], examples: number) {
  const numbers = await addExamples(project, texts(...Array.from({ length: examples }, (_, i) => `text ${i}`)))
  const labelers = skills.map((skill) => ({ skill, share: 0.8 }))
  const { truth, votes } = simulateLabelers(labelers, { examples, prior: [0.4, 0.3, 0.3], seed: 1 })
  for (const l of skills.keys()) {
    const rows = [...votes.labeler.keys()].filter((row) => votes.labeler[row] === l)
    const words = rows.map(
      (row) => [numbers[votes.example[row] as number] as number, 'abc'[votes.value[row] as number] as string] as const,
    )
    await say(project, `person ${l + 1}`, words)
  }
  return new Map(numbers.map((number, i) => [number, 'abc'[truth[i] as number] as string]))
}

test('agreement: who agrees with whom, the least first, and what they differ in', async (t) => {
  const project = await testProject(t, 'text')
  const [a, b, c, d] = (await addExamples(project, texts('a', 'b', 'c', 'd'))) as [number, number, number, number]
  await assert.rejects(projectAgreement(project), /There are no labels: agreement needs two or more/)
  await say(project, 'ada', [
    [a, 'ham'],
    [b, 'spam'],
    [c, 'ham'],
    [d, 'spam'],
  ])
  await assert.rejects(projectAgreement(project), /There is one labeler, ada: agreement needs two/)
  await say(project, 'bob', [
    [a, 'ham'],
    [b, 'spam'],
    [c, 'spam'],
  ])
  await say(project, 'eve', [
    [a, 'spam'],
    [b, 'ham'],
  ])
  const { pairs, shared, disputed: differ, fleiss, krippendorff } = await projectAgreement(project)
  assert.deepEqual([shared, differ], [3, 3])
  assert.deepEqual(
    pairs.map((pair) => [pair.a, pair.b, pair.shared, pair.agreed]),
    [
      ['ada', 'eve', 2, 0],
      ['bob', 'eve', 2, 0],
      ['ada', 'bob', 3, 2 / 3],
    ],
  )
  assert.equal(pairs[0]?.kappa, -1)
  assert.deepEqual(pairs[2]?.mostly, { a: 'ham', b: 'spam', count: 1 })
  assert.ok((fleiss as number) < 0 && krippendorff < 0)
  // What eve has not seen, and the others differ on.
  assert.deepEqual(await disputed(project, { labeler: 'eve', count: 9 }), [
    { example: c, reason: 'ada says ham, bob says spam' },
  ])
})

test('agreement of numbers is by their differences', async (t) => {
  const project = await testProject(t, 'text', `export default { kind: 'text', task: 'number' }`)
  const numbers = await addExamples(project, texts('a', 'b', 'c'))
  await say(
    project,
    'ada',
    numbers.map((n, i) => [n, i] as const),
  )
  await say(
    project,
    'bob',
    numbers.map((n, i) => [n, i + 0.5] as const),
  )
  const { pairs, fleiss, krippendorff } = await projectAgreement(project)
  assert.deepEqual([pairs[0]?.difference, pairs[0]?.kappa, fleiss], [0.5, null, null])
  assert.ok(krippendorff > 0.7 && krippendorff < 1)
  await assert.rejects(projectConsensus(project), /Consensus is for classes, and the labels here are numbers/)
})

test('an accepted consensus is right more often than the majority was, and says how good each labeler is', async (t) => {
  const project = await testProject(t, 'text')
  const truth = await crowd(project, [0.95, 0.9, 0.5, 0.45, 0.4, 0.4], 300)
  const right = async () => {
    const labels = await presentLabels(project.store)
    return [...labels].filter(([example, { value }]) => truth.get(example) === value).length
  }
  const before = await right()
  const { labelers } = await projectConsensus(project)
  assert.deepEqual(
    labelers
      .slice(0, 2)
      .map(({ name }) => name)
      .sort(),
    ['person 1', 'person 2'],
  )
  assert.ok(Math.abs((labelers.find(({ name }) => name === 'person 3')?.accuracy ?? 0) - 0.5) < 0.12)
  const { added, changed, agreed } = await acceptConsensus(project)
  assert.ok(added > 100 && changed > 20 && added + agreed <= 300)
  assert.ok((await right()) > before + 20, `${before} before, ${await right()} after`)
  const again = await acceptConsensus(project)
  assert.deepEqual([again.added, again.takenBack], [0, 0], 'accepting again adds nothing')
  const sure = await acceptConsensus(project, { atLeast: 1 })
  assert.ok(sure.takenBack > 0 && sure.unsure >= sure.takenBack)
})

test('a consensus counts until someone labels the example later, and does not overrule them when it is accepted again', async (t) => {
  const project = await testProject(t, 'text')
  const numbers = await addExamples(project, texts(...Array.from({ length: 30 }, (_, i) => `text ${i}`)))
  const words = (turned: (i: number) => boolean) =>
    numbers.map((n, i) => [n, turned(i) === (i % 2 === 0) ? 'ham' : 'spam'] as const)
  for (const name of ['ada', 'bob'])
    await say(
      project,
      name,
      words(() => true),
    )
  await say(
    project,
    'eve',
    words((i) => i !== 4),
  )
  await say(
    project,
    'rule:r',
    words((i) => i !== 7),
  )
  const example = numbers[4] as number
  const value = async () => (await presentLabels(project.store)).get(example)?.value
  // Eve's later second opinion is the latest, but two to one; the consensus follows the two.
  await acceptConsensus(project)
  assert.equal(await value(), 'ham')
  const label = (await presentLabels(project.store)).get(example)
  assert.deepEqual([label?.labelers.toSorted(), label?.against], [['ada', 'bob', 'consensus', 'rule:r'], ['eve']])

  const [event] = await say(project, 'ada', [[example, 'spam']])
  assert.equal(await value(), 'spam', 'a later word of a person: two to one for spam now')
  const { later } = await acceptConsensus(project)
  assert.equal(later, 1)
  assert.equal(await value(), 'spam')
  await retractLabel(project.store.db, event as number)
  assert.equal(await value(), 'ham', 'taken back, the consensus counts again')
  await say(project, 'rule:late', [[example, 'spam']])
  assert.equal(await value(), 'ham', 'a later rule does not count before it')
  await assert.rejects(LabelingSession.start(project, 'consensus', []), /'consensus' is the name of a model's labels/)
})

test('planted wrong labels of real mails are found, wait for a person, and are not named again once looked at', async (t) => {
  const project = await testProject(t, 'text')
  const random = seeded(5)
  const wrong = new Set<number>()
  const mails = spamAssassin(10)
  const other = { ham: 'spam', spam: 'ham' } as Record<string, string>
  const planted = mails.map(({ content, label }, i) => {
    if (random.uniform() >= 0.05) return { content, label: label as string }
    wrong.add(i)
    return { content, label: other[label as string] as string }
  })
  const numbers = await addExamples(project, planted)
  const planting = new Set([...wrong].map((i) => numbers[i]))
  const { snapshot } = await makeSnapshot(project)
  const small = { preprocess: { type: 'words', buckets: 2048, ngrams: 1 }, network: { type: 'bagOfWords', hidden: [] } }
  await writeFile(join(project.folder, 'small.json'), JSON.stringify({ ...small, batchSize: 16 }))
  const options = { folds: 2, epochs: 6, recipe: 'small.json' }
  const { suspects, judged, errorRate } = await findSuspects(project, options)
  assert.equal(judged, (await readSnapshot(project, snapshot.hash)).entries.length)
  const hits = suspects.filter(({ example }) => planting.has(example))
  assert.ok(hits.length >= 0.6 * planting.size, `${hits.length} of ${planting.size} among ${suspects.length}`)
  assert.ok(suspects.length < 0.2 * judged && errorRate > 0.01 && errorRate < 0.2)

  const queue = await waiting(project, 'suspect', { labeler: 'ada', count: 1000 })
  assert.deepEqual(
    queue.map(({ example }) => example),
    suspects.map(({ example }) => example),
  )
  assert.match(queue[0]?.reason ?? '', /labelled (ham, looks like spam|spam, looks like ham) \(\d+ %\)/)
  const session = await LabelingSession.start(project, 'ada', queue)
  await session.answer('ham')
  await session.skip()
  const left = async () => (await waiting(project, 'suspect', { labeler: 'ada', count: 1000 })).length
  assert.equal(await left(), suspects.length - 2)
  await session.undo()
  await session.undo()
  assert.equal(await left(), suspects.length, 'taken back, it waits again')
  await session.answer('ham')
  const second = await findSuspects(project, options)
  assert.deepEqual([second.looked, second.suspects.length], [1, suspects.length - 1])
  assert.ok(second.suspects.every(({ example }) => example !== queue[0]?.example))

  const stop = new AbortController()
  stop.abort()
  await assert.rejects(findSuspects(project, { ...options, signal: stop.signal }), /Stopped/)
  assert.equal(await left(), suspects.length - 1, 'what waited still waits')
})
