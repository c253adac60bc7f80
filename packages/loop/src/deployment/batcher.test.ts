import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nn, noGrad, tensor } from 'descent'
import fc from 'fast-check'
import type { Answer, ServedModel } from '../registry/served-model.ts'
import type { Content } from '../store/content.ts'
import { Batcher, type BatcherOptions } from './batcher.ts'
import { RequestError } from './request-error.ts'

/** A linear layer that gives back its input, and its version as a second number in the label. */
function identity(version: number): ServedModel {
  const layer = new nn.Linear(1, 1, { bias: false })
  layer.weight.copy_(tensor([[1]]))
  return {
    version,
    signature: {
      input: { kind: 'row', fields: [{ name: 'x', type: 'number' }] },
      output: { task: 'number' },
      layout: { type: 'table', numbers: 1, categories: [] },
    },
    async predict(contents) {
      const values = contents.map((content) => (content.kind === 'row' ? (content.values.x as number | null) : null))
      await new Promise((resolve) => setImmediate(resolve))
      if (values.includes(null)) throw new Error('a value is missing')
      const x = tensor(Float32Array.from(values as number[]), { shape: [values.length, 1] })
      return Array.from(
        noGrad(() => layer.forward(x)).data() as Float32Array,
        (value): Answer => ({ value, uncertainty: null }),
      )
    },
    embed: () => Promise.reject(new Error('not asked')),
  }
}

const row = (x: number | null): Content => ({ kind: 'row', values: { x } })
const options: BatcherOptions = { window: 5, limit: 8, queue: 1000, patience: 10_000 }
const valuesOf = (answers: readonly Answer[]) => answers.map((answer) => ('value' in answer ? answer.value : null))

test('every request gets the answers to its own contents in their order, whatever arrives beside it', async () => {
  const arrivals = fc.array(
    fc.record({
      values: fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 12 }),
      pause: fc.nat(3),
    }),
    { minLength: 1, maxLength: 30 },
  )
  await fc.assert(
    fc.asyncProperty(arrivals, async (requests) => {
      const batcher = new Batcher(identity(1), options)
      const replies: Promise<void>[] = []
      for (const { values, pause } of requests) {
        replies.push(batcher.submit(values.map(row)).then(({ answers }) => assert.deepEqual(valuesOf(answers), values)))
        for (let i = 0; i < pause; i++) await new Promise((resolve) => setImmediate(resolve))
      }
      await Promise.all(replies)
      assert.ok(batcher.idle)
    }),
    { numRuns: 60 },
  )
})

test('requests of one turn of the event loop share batches of at most the limit', async () => {
  const sizes: number[] = []
  const batcher = new Batcher(identity(1), { ...options, onBatch: (size) => sizes.push(size) })
  await Promise.all(Array.from({ length: 20 }, (_, i) => batcher.submit([row(i)])))
  assert.deepEqual(sizes, [8, 8, 4])
})

test('a new model answers from the next batch on; a batch that has begun ends on the old one, and nobody is refused', async () => {
  const batcher = new Batcher(identity(1), options)
  const before = Array.from({ length: 8 }, (_, i) => batcher.submit([row(i)]))
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  batcher.swap(identity(2))
  const after = Array.from({ length: 8 }, (_, i) => batcher.submit([row(i)]))
  assert.deepEqual(
    (await Promise.all(before)).map(({ model }) => model.version),
    Array(8).fill(1),
  )
  assert.deepEqual(
    (await Promise.all(after)).map(({ model }) => model.version),
    Array(8).fill(2),
  )
})

test('contents that cannot be computed fail their own request alone', async () => {
  const batcher = new Batcher(identity(1), options)
  const replies = await Promise.allSettled([1, null, 3, 4, null, 6].map((x) => batcher.submit([row(x)])))
  assert.deepEqual(
    replies.map((reply) => (reply.status === 'fulfilled' ? valuesOf(reply.value.answers)[0] : reply.reason.message)),
    [1, 'a value is missing', 3, 4, 'a value is missing', 6],
  )
})

test('where too much waits, or waits too long, requests are refused with 503', async () => {
  const full = new Batcher(identity(1), { ...options, queue: 2 })
  const accepted = [full.submit([row(1)]), full.submit([row(2)])]
  assert.throws(
    () => full.submit([row(3)]),
    (error: unknown) => error instanceof RequestError && error.status === 503 && error.headers['retry-after'] === '1',
  )
  assert.deepEqual(
    (await Promise.all(accepted)).flatMap(({ answers }) => valuesOf(answers)),
    [1, 2],
  )

  const impatient = new Batcher(identity(1), { ...options, limit: 1, patience: -1 })
  await assert.rejects(impatient.submit([row(1)]), /waited too long/)
  assert.ok(impatient.idle)
})
