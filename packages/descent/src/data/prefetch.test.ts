import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { compose, gaussianNoise, randomFlip, randomShift } from './augment.ts'
import { ArrayDataset, column } from './dataset.ts'
import { fromModule } from './from-module.ts'
import { DataLoader, type LoaderOptions, type NumberedBatch } from './loader.ts'
import { MapDataset } from './map-dataset.ts'
import { WeightedRandomSampler } from './sampler.ts'
import { StreamLoader } from './stream-loader.ts'
import { ConcatDataset, Subset } from './subset.ts'
import { csvStream } from './table-stream.ts'

const pictures = (length: number, start = 0) =>
  new ArrayDataset(
    column(
      Float32Array.from({ length: length * 16 }, (_, i) => start + i),
      [1, 4, 4],
    ),
    column(Int32Array.from({ length }, (_, i) => i % 3)),
  )

const plain = ({ x, y, numbers }: NumberedBatch) => [[...numbers], x.shape, [...x.data()], y.shape, [...y.data()]]

async function epochs(loader: AsyncIterable<NumberedBatch>, count: number): Promise<unknown[][]> {
  const all: unknown[][] = []
  for (let e = 0; e < count; e++) {
    const batches: unknown[] = []
    for await (const batch of loader) batches.push(plain(batch))
    all.push(batches)
  }
  return all
}

const squares = new URL('./fixtures/squares.ts', import.meta.url)

describe('workers', () => {
  const transform = compose(randomShift({ max: 1 }), randomFlip(), gaussianNoise({ std: 0.1 }))
  const cases: [
    string,
    () => ConstructorParameters<typeof DataLoader>[0] | Promise<ConstructorParameters<typeof DataLoader>[0]>,
    LoaderOptions,
  ][] = [
    ['arrays, shuffled and augmented', () => pictures(23), { shuffle: true, seed: 3, transform }],
    ['a part of a sum', () => new Subset(new ConcatDataset([pictures(9), pictures(9, 500)]), [3, 17, 4, 10, 3]), {}],
    ['a sampler', () => pictures(12), { sampler: new WeightedRandomSampler([...Array(12).keys()]), dropLast: true }],
    ['a module with its own transform', () => fromModule(squares, { length: 11 }), { shuffle: true }],
  ]
  for (const [what, dataset, options] of cases) {
    test(`batches are the same for any number of workers: ${what}`, async () => {
      const given = { batchSize: 4, ...options }
      const expected = await epochs(new DataLoader(await dataset(), given), 2)
      for (const numWorkers of [1, 2]) {
        const loader = new DataLoader(await dataset(), { ...given, numWorkers, prefetchFactor: numWorkers })
        try {
          assert.deepEqual(await epochs(loader, 2), expected)
        } finally {
          await loader.close()
        }
      }
    })
  }

  test('a loop that is left early leaves the next epoch whole', async () => {
    await using loader = new DataLoader(pictures(20), { batchSize: 2, shuffle: true, numWorkers: 2 })
    for await (const { numbers } of loader) if (numbers.length > 0) break
    const again = new DataLoader(pictures(20), { batchSize: 2, shuffle: true })
    again.epoch = 1
    assert.deepEqual(await epochs(loader, 1), await epochs(again, 1))
    // Workers have begun epoch 2 by now; another can be asked for all the same.
    loader.epoch = again.epoch = 7
    assert.deepEqual(await epochs(loader, 1), await epochs(again, 1))
  })

  test('an error in a worker surfaces with its name and text, after the batches before it', async () => {
    const dataset = await fromModule(squares, { length: 10, broken: 7 })
    await using loader = new DataLoader(dataset, { batchSize: 2, numWorkers: 2 })
    let batches = 0
    await assert.rejects(
      async () => {
        for await (const { numbers } of loader) batches += Math.sign(numbers.length)
      },
      { name: 'RangeError', message: 'square 7 is broken' },
    )
    assert.equal(batches, 3)
    // The next epoch starts afresh, and fails anew.
    const odd = new DataLoader(dataset, { batchSize: 1, numWorkers: 1, shuffle: true })
    await assert.rejects(epochs(odd, 1), /square 7 is broken/)
    await assert.rejects(epochs(odd, 1), /square 7 is broken/)
    await odd.close()
    const none = new DataLoader(await fromModule(squares, { length: 3 }), {
      numWorkers: 1,
      worker: () => new Worker(new URL('./fixtures/no-such-file.ts', import.meta.url)),
    })
    await assert.rejects(epochs(none, 1), /Cannot find module.*no-such-file/)
  })

  test('a worker that ends is an error, not a wait without end', async () => {
    const worker = () => new Worker('setTimeout(() => process.exit(3), 50)', { eval: true })
    await assert.rejects(epochs(new DataLoader(pictures(4), { numWorkers: 1, worker }), 1), /A worker .* has ended/)
  })

  test('what cannot be sent to a worker says what to do', async () => {
    const own = new MapDataset(3, (i) => ({ x: i, y: i }))
    await assert.rejects(epochs(new DataLoader(own, { numWorkers: 1 }), 1), /made of functions.*data\.fromModule/)
    const loader = new DataLoader(pictures(3), { numWorkers: 1, transform: (batch) => batch })
    await assert.rejects(epochs(loader, 1), /a function as transform.*data\.compose/)
    const args = { length: 3, fn: () => 1 }
    await assert.rejects(
      epochs(new DataLoader(await fromModule(squares, args), { numWorkers: 1 }), 1),
      /cannot be sent/,
    )
    assert.throws(() => [...new DataLoader(pictures(3), { numWorkers: 1 })], /use for await/)
    assert.throws(() => [...new DataLoader(new MapDataset(3, async (i) => ({ x: i, y: i })))], /use for await/)
  })

  test('while this thread computes, a worker reads: the computing hardly waits', async () => {
    const waiting = async (numWorkers: number) => {
      const dataset = await fromModule(new URL('./fixtures/slow.ts', import.meta.url))
      await using loader = new DataLoader(dataset, { batchSize: 1, numWorkers })
      let waited = 0
      for (let epoch = 0; epoch < 2; epoch++) {
        let asked = performance.now()
        for await (const { numbers } of loader) {
          if (epoch > 0) waited += performance.now() - asked
          assert.equal(numbers.length, 1)
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60)
          asked = performance.now()
        }
      }
      return waited
    }
    const [without, withOne] = [await waiting(0), await waiting(1)]
    assert.ok(without > 16 * 35, `${without} ms`)
    assert.ok(withOne < without / 3, `${withOne} ms with a worker, ${without} ms without`)
  })

  test('a stream is the same from a worker', async () => {
    const file = new TextEncoder().encode(
      `x,y\n${Array.from({ length: 50 }, (_, i) => `${i},${i % 2}`).join('\n')}\noops\n`,
    )
    const stream = csvStream(file, { onBadRow: 'skip' })
    const rows = stream.examples(await stream.fit({ target: 'y', targetType: 'class' }))
    const options = { batchSize: 8, shuffleBuffer: 16, seed: 2, transform: gaussianNoise({ std: 0.1 }) }
    const expected = await epochs(new StreamLoader(rows, options), 2)
    await using loader = new StreamLoader(rows, { ...options, numWorkers: 1 })
    assert.deepEqual(await epochs(loader, 2), expected)
    assert.deepEqual(loader.skipped.reasons, { ragged: 1 })
    assert.match(loader.skipped.messages[0] ?? '', /line 52, column 2 \('y'\): the row has 1 field, not 2/)
  })

  test('workers do not keep a program alive, and it waits for them while it needs them', async () => {
    const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
    const program = `
      import { DataLoader } from ${at('./loader.ts')}
      import { fromModule } from ${at('./from-module.ts')}
      const loader = new DataLoader(await fromModule(${JSON.stringify(squares.href)}, { length: 6 }), { batchSize: 2, numWorkers: 1 })
      let count = 0
      for await (const { numbers } of loader) count += numbers.length
      console.log('read', count)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', program])
    let output = ''
    child.stdout.on('data', (text) => {
      output += text
    })
    child.stderr.on('data', (text) => {
      output += text
    })
    assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0, output)
    assert.match(output, /read 6/)
  })
})
