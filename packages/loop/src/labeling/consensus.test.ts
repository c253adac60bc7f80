import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Consensus, dawidSkene, majorityVote } from './consensus.ts'
import { type SimulatedLabeler, simulateLabelers } from './test-labelers.ts'
import { votesFromTable } from './votes.ts'

const accuracy = ({ consensus }: Consensus, truth: Int32Array) =>
  truth.reduce((sum, c, i) => sum + Number(consensus[i] === c), 0) / truth.length
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length
const seeds = [1, 2, 3, 4, 5, 6]
const prior = [0.4, 0.3, 0.2, 0.1]
const mixed: SimulatedLabeler[] = [
  ...[0.95, 0.9].map((skill) => ({ skill, share: 0.8 })),
  ...[0.55, 0.5, 0.45, 0.4, 0.4].map((skill) => ({ skill, share: 0.8 })),
]

test('Dawid and Skene beats majority vote on labelers of mixed skill, on every seed', () => {
  const gains = seeds.map((seed) => {
    const { truth, votes } = simulateLabelers(mixed, { examples: 500, prior, seed })
    return accuracy(dawidSkene(votes, 4), truth) - accuracy(majorityVote(votes, 4), truth)
  })
  for (const gain of gains) assert.ok(gain > 0, `${gains}`)
  assert.ok(mean(gains) > 0.05, `${gains}`)
})

test('it makes use of a labeler that is always wrong in the same way, and of rules that mostly abstain', () => {
  const swapped = [
    [0.1, 0.9],
    [0.9, 0.1],
  ]
  const labelers: SimulatedLabeler[] = [
    { skill: swapped, share: 1 },
    ...[0.8, 0.75, 0.7, 0.7].map((skill) => ({ skill, share: 0.7 })),
    { skill: 0.98, share: 0.15 },
    { skill: 0.95, share: 0.1 },
  ]
  const gains = seeds.map((seed) => {
    const { truth, votes } = simulateLabelers(labelers, { examples: 600, prior: [0.6, 0.4], seed })
    const found = dawidSkene(votes, 2)
    assert.ok((found.labelers[0]?.accuracy ?? 1) < 0.25)
    return accuracy(found, truth) - accuracy(majorityVote(votes, 2), truth)
  })
  assert.ok(Math.min(...gains) > 0.05, `${gains}`)
})

test('the skills that it estimates, confusions included, and the prior, are those of the labelers', () => {
  const confusion = [
    [0.9, 0.1, 0],
    [0.3, 0.6, 0.1],
    [0, 0.2, 0.8],
  ]
  const labelers = [{ skill: confusion, share: 0.9 }, ...[0.85, 0.7, 0.6].map((skill) => ({ skill, share: 0.9 }))]
  const { votes } = simulateLabelers(labelers, { examples: 6000, prior: [0.5, 0.3, 0.2], seed: 2 })
  const found = dawidSkene(votes, 3)
  assert.ok(found.converged)
  for (const [k, row] of confusion.entries())
    for (const [c, p] of row.entries())
      assert.ok(
        Math.abs((found.labelers[0]?.confusion[k]?.[c] as number) - p) < 0.05,
        `${found.labelers[0]?.confusion}`,
      )
  for (const [l, skill] of [0.85, 0.7, 0.6].entries())
    assert.ok(Math.abs((found.labelers[l + 1]?.accuracy as number) - skill) < 0.03)
  for (const [k, p] of [0.5, 0.3, 0.2].entries()) assert.ok(Math.abs((found.prior[k] as number) - p) < 0.03)
})

test('its confidence is honest: of the answers given with 90 to 100 %, as many are right', () => {
  const { truth, votes } = simulateLabelers(mixed, { examples: 4000, prior, seed: 9 })
  const { consensus, confidence } = dawidSkene(votes, 4)
  for (const [from, to] of [
    [0.5, 0.9],
    [0.9, 1.01],
  ] as const) {
    const inside = [...confidence.keys()].filter(
      (i) => (confidence[i] as number) >= from && (confidence[i] as number) < to,
    )
    const right = mean(inside.map((i) => Number(consensus[i] === truth[i])))
    const said = mean(inside.map((i) => confidence[i] as number))
    assert.ok(Math.abs(right - said) < 0.05, `${from}–${to}: said ${said}, right ${right}`)
  }
})

const tables = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 15 })).chain(([labelers, examples]) =>
  fc.array(fc.array(fc.option(fc.nat(2), { freq: 3 }), { minLength: labelers, maxLength: labelers }), {
    minLength: examples,
    maxLength: examples,
  }),
)

test('the objective never falls, and posteriors are probabilities, for any votes', () => {
  fc.assert(
    fc.property(tables, fc.constantFrom(0.01, 0.5, 2), (table, smoothing) => {
      const found = dawidSkene(votesFromTable(table), 3, { smoothing, maxIterations: 50 })
      for (let i = 1; i < found.objective.length; i++)
        assert.ok((found.objective[i] as number) >= (found.objective[i - 1] as number) - 1e-8)
      for (let i = 0; i < table.length; i++) {
        const row = found.posterior.subarray(i * 3, i * 3 + 3)
        assert.ok(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-9 && row.every((p) => p >= 0))
        assert.equal(found.confidence[i], Math.max(...row))
      }
      for (const { confusion, accuracy: share } of found.labelers) {
        assert.ok(share >= 0 && share <= 1)
        for (const row of confusion) assert.ok(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-9)
      }
    }),
  )
})

test('nothing depends on the order of votes or of labelers; without a vote the posterior is the prior, however soon it stops', () => {
  fc.assert(
    fc.property(tables, fc.integer({ min: 1, max: 20 }), (table, maxIterations) => {
      const found = dawidSkene(votesFromTable([...table, table[0]?.map(() => null) ?? []]), 3, { maxIterations })
      const turned = dawidSkene(votesFromTable(table.map((row) => row.toReversed())), 3, { maxIterations })
      for (let at = 0; at < turned.posterior.length; at++)
        assert.ok(Math.abs((found.posterior[at] as number) - (turned.posterior[at] as number)) < 1e-4)
      const last = [...found.posterior.subarray(table.length * 3)]
      for (const [k, p] of last.entries()) assert.ok(Math.abs(p - (found.prior[k] as number)) < 1e-12)
    }),
  )
})

test('majority vote gives the shares of votes, and bad votes are errors', () => {
  const found = majorityVote(
    votesFromTable([
      [0, 0, 1],
      [2, null, 2],
      [null, null, null],
    ]),
    3,
  )
  assert.deepEqual([...found.consensus], [0, 2, 0])
  assert.ok(Math.abs((found.confidence[0] as number) - 2 / 3) < 1e-12)
  assert.equal(found.confidence[1], 1)
  assert.throws(() => dawidSkene(votesFromTable([[0, 3]]), 3), /Vote 1 is for class 3/)
  assert.throws(() => dawidSkene(votesFromTable([[0]]), 3, { smoothing: 0 }), /smoothing must be above 0/)
})
