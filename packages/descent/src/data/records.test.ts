/** JSON Lines, Parquet and arrays: the same tables as from CSV. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { parseCsv } from './csv.ts'
import { fromArrays, fromRows } from './from-arrays.ts'
import { readJsonl } from './jsonl.ts'
import { readParquet } from './parquet.ts'
import { parquetTables } from './parquet-file.ts'
import { peer } from './peer.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const day = new Date('2024-02-29')

const parquet = (columnData: Parameters<typeof parquetWriteBuffer>[0]['columnData'], more: object = {}) =>
  new Uint8Array(parquetWriteBuffer({ columnData, ...more }))

const people = () =>
  parquet([
    { name: 'n', data: [1, null, 3.5], type: 'DOUBLE' },
    { name: 'k', data: ['b', 'a', 'b'], type: 'STRING' },
    { name: 'ok', data: [true, false, null], type: 'BOOLEAN' },
    { name: 'day', data: [day, day, null], type: 'TIMESTAMP' },
  ])

test('CSV, JSON Lines, Parquet, arrays and rows of the same content are the same table', async () => {
  const rows = [
    { n: 1, k: 'b', ok: true, day },
    { n: null, k: 'a', ok: false, day },
    { n: 3.5, k: 'b', ok: null, day: null },
  ]
  const types = { k: 'category' } as const
  const tables = [
    parseCsv('n,k,ok,day\n1,b,true,2024-02-29\n,a,false,2024-02-29\n3.5,b,,\n', { types }),
    await readJsonl(bytesOf(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n`), { types }),
    await readParquet(people(), { types }),
    fromArrays(Object.fromEntries(['n', 'k', 'ok', 'day'].map((key) => [key, rows.map((row) => row[key as 'n'])])), {
      types,
    }),
    fromRows(rows, { types }),
  ]
  for (const table of tables) {
    assert.deepEqual([...table.rows()], rows)
    assert.deepEqual(table.columns, tables[0]?.columns)
  }
})

test('JSON Lines: whatever JSON can hold in a row is read back, in pieces of any size', async () => {
  const row = fc.record({
    a: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    b: fc.option(fc.string({ unit: 'grapheme' })),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 1, max: 40 }),
      async (rows, size) => {
        const bytes = bytesOf(rows.map((r) => JSON.stringify(r)).join('\r\n'))
        const source = () =>
          new ReadableStream<Uint8Array>({
            start(controller) {
              for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
              controller.close()
            },
          })
        const table = await readJsonl(source, { types: { a: 'number', b: 'text' } })
        assert.deepEqual([...table.rows()], JSON.parse(JSON.stringify(rows)))
      },
    ),
    { numRuns: 60 },
  )
  assert.equal((await readJsonl(new Uint8Array(gzipSync('{"x":1}\n\n{"x":2}\n')))).length, 2)
})

test('JSON Lines: bad lines name line and column, or are skipped', async () => {
  const rejects = (text: string, message: RegExp) =>
    assert.rejects(readJsonl(bytesOf(text)), { name: 'RowError', message })
  await rejects('{"x":1}\n{"x":\n', /JSON Lines, line 2: this is not JSON/)
  await rejects('[1,2]\n', /line 1: a line must be an object {…}, not "\[1,2\]"/)
  await rejects(`${'{"x":1}\n'.repeat(10)}{"x":"one"}\n`, /line 11, column 1 \('x'\): "one" is not a finite number/)
  await rejects(`${'{"x":1}\n'.repeat(1000)}{"x":1,"y":2}\n`, /line 1001: none of the first 1000 rows has the key "y"/)
  await rejects('{"x":[1]}\n{"x":[2]}\n', /line 1, column 1 \('x'\): \[1\] is not a text/)
  await assert.rejects(readJsonl(new Uint8Array(0)), /holds no rows/)
  const table = await readJsonl(bytesOf('{"x":1}\nnope\n{"x":2}\n'), { onBadRow: 'skip' })
  assert.deepEqual([table.length, table.skipped.reasons], [2, { syntax: 1 }])
})

test('Parquet: from a path and a Blob, chosen columns, group by group', async () => {
  const bytes = parquet(
    [
      { name: 'x', data: Array.from({ length: 25 }, (_, i) => i), type: 'INT32' },
      { name: 's', data: Array.from({ length: 25 }, (_, i) => `t${i}`), type: 'STRING' },
    ],
    { rowGroupSize: 10 },
  )
  const folder = await mkdtemp(join(tmpdir(), 'parquet-'))
  try {
    const path = join(folder, 'a.parquet')
    await writeFile(path, bytes)
    for (const source of [path, new Blob([bytes])]) {
      const table = await readParquet(source, { columns: ['x'] })
      assert.deepEqual(
        table.column('x').values,
        Float64Array.from({ length: 25 }, (_, i) => i),
      )
      assert.equal(table.columns.length, 1)
    }
    const lengths: number[] = []
    for await (const table of parquetTables(path, { inferRows: 1 })) lengths.push(table.length)
    assert.deepEqual(lengths, [10, 10, 5])
    await writeFile(path, bytes.subarray(0, bytes.length - 40))
    await assert.rejects(readParquet(path), {
      name: 'FormatError',
      message: /a.parquet is not a Parquet file that can be read/,
    })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('Parquet: bad input is named', async () => {
  await assert.rejects(readParquet(bytesOf('id,name\n')), { name: 'FormatError', message: /is not a Parquet file/ })
  await assert.rejects(readParquet(people(), { columns: ['z'] }), /has no column 'z'. It has 'n', 'k', 'ok', 'day'/)
  await assert.rejects(
    readParquet(people(), { required: true }),
    /Parquet data, row 2, column 1 \('n'\): the value is missing/,
  )
  const large = parquet([{ name: 'i', data: [1n, 2n ** 60n], type: 'INT64' }])
  await assert.rejects(readParquet(large), /row 2, column 1 \('i'\): 1152921504606846976 is not a finite number/)
})

test('damaged Parquet files are errors, or tables', async () => {
  const good = people()
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), async (at, byte, cut) => {
      const bytes = good.slice()
      bytes[at] = byte
      await readParquet(bytes.subarray(0, Math.max(cut, good.length - 5))).then(
        (table) => assert.ok(table.length >= 0),
        (error: unknown) => assert.match((error as Error).name, /FormatError|RowError/),
      )
    }),
    // A fixed seed: how the package takes other damage is not ours to find out here.
    { numRuns: 150, seed: 4 },
  )
})

test('a package that is not installed is an error that says what to install', async () => {
  await assert.rejects(
    peer('no-such-package', 'Reading this', () => import('no-such-package' as string)),
    /Reading this needs the package 'no-such-package', which did not load: npm install no-such-package/,
  )
})

test('arrays of different lengths are errors', () => {
  assert.throws(() => fromArrays({ a: [1, 2], b: [1] }), /column 'b' has 1 values, 'a' has 2/)
  assert.throws(() => fromArrays({ a: [...Array(20).fill(1), 'x'] }), /The arrays, row 21, column 1 \('a'\): "x"/)
})
