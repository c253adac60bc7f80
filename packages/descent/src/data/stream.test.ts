import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { parseCsv } from './csv.ts'
import { StreamLoader } from './stream-loader.ts'
import { csvStream, jsonlStream, parquetStream, type TableStream } from './table-stream.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stream-'))
})
after(() => rm(folder, { recursive: true }))

const csvOf = (count: number) => `x,y\n${Array.from({ length: count }, (_, i) => `${i},k${i % 3}`).join('\n')}\n`
const bytesOf = (text: string) => new TextEncoder().encode(text)
const options = { target: 'y', numbers: 'none', targetType: 'class' } as const

async function loader(stream: TableStream, more: object): Promise<StreamLoader> {
  return new StreamLoader(stream.examples(await stream.fit(options)), more)
}

async function numbersOf(batches: StreamLoader): Promise<number[][]> {
  const all: number[][] = []
  for await (const { x, y, numbers } of batches) {
    assert.deepEqual([...x.data()], [...numbers])
    assert.deepEqual(
      [...y.data()],
      Array.from(numbers, (i) => i % 3),
    )
    all.push([...numbers])
  }
  return all
}

test('every epoch has each row once, in batches, for any sizes of batch and buffer', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 13 }),
      fc.nat(70),
      fc.boolean(),
      async (count, batchSize, shuffleBuffer, dropLast) => {
        const stream = csvStream(bytesOf(csvOf(count)), { types: { y: 'category' } })
        const batches = await numbersOf(await loader(stream, { batchSize, shuffleBuffer, dropLast }))
        const full = Math.floor(count / batchSize)
        const last = dropLast || count % batchSize === 0 ? [] : [count % batchSize]
        assert.deepEqual(
          batches.map(({ length }) => length),
          [...Array(full).fill(batchSize), ...last],
        )
        const seen = batches.flat()
        assert.equal(new Set(seen).size, seen.length)
        if (shuffleBuffer < 2)
          assert.deepEqual(
            seen,
            Array.from({ length: seen.length }, (_, i) => i),
          )
      },
    ),
    { numRuns: 40 },
  )
})

test('epochs have different orders, which the seed decides and a buffer bounds', async () => {
  const make = (seed: number) => loader(csvStream(bytesOf(csvOf(200))), { batchSize: 200, shuffleBuffer: 20, seed })
  const one = await make(1)
  const [first, second] = [await numbersOf(one), await numbersOf(one)]
  assert.notDeepEqual(first, second)
  const again = await make(1)
  assert.deepEqual([await numbersOf(again), await numbersOf(again)], [first, second])
  assert.notDeepEqual(await numbersOf(await make(2)), first)
  again.epoch = 1
  assert.deepEqual(await numbersOf(again), second)
  // A row can come late, but at most so much earlier as the buffer is long.
  for (const [at, row] of (first[0] ?? []).entries()) assert.ok(row <= at + 20)
})

test('CSV, JSON Lines and Parquet are streamed alike, from files and from URLs of files, plain and gzip', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({ x: i, y: `k${i % 3}` }))
  const jsonl = join(folder, 'a.jsonl.gz')
  const csv = join(folder, 'a.csv')
  const parquet = join(folder, 'a.parquet')
  await writeFile(csv, csvOf(30))
  await writeFile(jsonl, gzipSync(rows.map((row) => JSON.stringify(row)).join('\n')))
  const columnData = [
    { name: 'x', data: rows.map(({ x }) => x), type: 'INT32' as const },
    { name: 'y', data: rows.map(({ y }) => y), type: 'STRING' as const },
  ]
  await writeFile(parquet, new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 8 })))
  const expected = await numbersOf(await loader(csvStream(csv), { batchSize: 7 }))
  assert.equal(expected.flat().length, 30)
  for (const stream of [csvStream(pathToFileURL(csv)), jsonlStream(jsonl), parquetStream(parquet)])
    assert.deepEqual(await numbersOf(await loader(stream, { batchSize: 7 })), expected)
  for (const stream of [csvStream(pathToFileURL(csv)), jsonlStream(jsonl), parquetStream(parquet)]) {
    await using batches = await loader(stream, { batchSize: 7, numWorkers: 1 })
    assert.deepEqual(await numbersOf(batches), expected)
  }
})

test('a stream that can be read once says so', async () => {
  const once = csvStream(new Blob([csvOf(5)]).stream())
  const preprocessing = parseCsv(csvOf(5), { types: { y: 'category' } }).toDataset(options).preprocessing
  const batches = new StreamLoader(once.examples(preprocessing), { batchSize: 5 })
  assert.equal((await numbersOf(batches)).length, 1)
  await assert.rejects(numbersOf(batches), /This stream has been read.*a path, or a function/)
  const many = csvStream(() => new Blob([csvOf(5)]).stream())
  assert.equal((await numbersOf(await loader(many, { batchSize: 5 }))).length, 1)
})

test('bad rows stop an epoch, or are counted, missing values too', async () => {
  const text = 'x,y\n1,a\n2\n,b\n4,a\n'
  const strict = csvStream(bytesOf(text))
  await assert.rejects(strict.fit(options), /line 3, column 2 \('y'\): the row has 1 field, not 2/)
  const stream = csvStream(bytesOf(text), { onBadRow: 'skip' })
  const batches = new StreamLoader(stream.examples(await stream.fit({ ...options, missing: 'skip' })), { batchSize: 9 })
  const seen: number[] = []
  for await (const { numbers } of batches) seen.push(...numbers)
  assert.deepEqual(seen, [0, 2])
  assert.deepEqual([batches.skipped.count, batches.skipped.reasons], [2, { ragged: 1, missing: 1 }])
  const late = csvStream(bytesOf(`x,y\n${'1,a\n2,b\n'.repeat(600)}three,a\n`))
  await assert.rejects(late.fit(options), /line 1202, column 1 \('x'\): "three" is not a finite number/)
})

test('options out of range are errors', async () => {
  const stream = csvStream(bytesOf(csvOf(5)))
  const rows = stream.examples(await stream.fit(options))
  assert.throws(() => new StreamLoader(rows, { batchSize: 0 }), /batchSize must be a whole number from 1, not 0/)
  assert.throws(() => new StreamLoader(rows, { shuffleBuffer: -1 }), /shuffleBuffer must be a whole number from 0/)
})

/** The most memory of a program that reads a file of so many rows twice, in batches, shuffled. */
async function peakOfReading(thousands: number): Promise<number> {
  const path = join(folder, `${thousands}.csv`)
  const file = await open(path, 'w')
  const names = Array.from({ length: 12 }, (_, c) => `c${c}`)
  await file.write(`${names.join(',')},y\n`)
  const row = names.map((_, c) => (c * 0.37 + 0.123456789).toFixed(9)).join(',')
  const some = Array.from({ length: 1000 }, (_, i) => `${row},${i % 2 ? 'a' : 'b'}\n`).join('')
  for (let i = 0; i < thousands; i++) await file.write(some)
  await file.close()
  const at = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
  const program = `
    import { streamBatches } from ${at('./stream-batches.ts')}
    import { csvStream } from ${at('./table-stream.ts')}
    const stream = csvStream(${JSON.stringify(path)})
    const preprocessing = await stream.fit({ target: 'y' })
    const rows = stream.examples(preprocessing)
    let count = 0
    for (const epoch of [0, 1])
      for await (const batch of streamBatches(rows, { batchSize: 64, dropLast: false, shuffleBuffer: 5000 }, { seed: 1, epoch }))
        count += batch.numbers.length
    console.log(JSON.stringify({ count, peak: process.resourceUsage().maxRSS * 1024 }))
  `
  const flags = ['--max-old-space-size=24', '--max-semi-space-size=1', '--input-type=module', '-e', program]
  const child = spawn(process.execPath, flags)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text
    })
  }
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0, output)
  const { count, peak } = JSON.parse(output)
  assert.equal(count, 2000 * thousands)
  return peak
}

test('ten times as many rows take no more memory', { timeout: 60_000 }, async () => {
  const [few, many] = [await peakOfReading(30), await peakOfReading(300)]
  // The text of 300,000 rows has 43 MB, their numbers 31 MB.
  assert.ok(many - few < 25e6, `${few / 1e6} MB, then ${many / 1e6} MB`)
})
