import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { FormatError } from '../errors.ts'
import { CsvParser, parseCsv, readCsv } from './csv.ts'
import { dateOf, numberOf } from './field.ts'
import { RowError } from './row-error.ts'
import type { Table } from './table.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const rowsOf = (table: Table) => [...table.rows()].map((row) => Object.values(row))

/** A field as RFC 4180 writes it. */
const quoted = (text: string, always: boolean) =>
  always || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text

const cell = fc.string({ unit: fc.constantFrom('a', 'é', '𝔘', '"', ',', '\n', '\r', ' ', '0', ';'), maxLength: 8 })

test('what is written by the rules is read, whatever the texts, the line ends and the pieces it comes in', () => {
  const tables = fc
    .integer({ min: 1, max: 4 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }))
  fc.assert(
    fc.property(
      tables,
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.nat(200), { maxLength: 6 }),
      (rows, end, always, last, cuts) => {
        const width = (rows[0] as string[]).length
        const header = Array.from({ length: width }, (_, i) => `c${i}`)
        // One empty field alone is a blank line unless it is quoted.
        const lines = [header, ...rows].map((row) => row.map((text) => quoted(text, always || width === 1)).join(','))
        const bytes = bytesOf(`\uFEFF${lines.join(end)}${last ? end : ''}`)
        const types = Object.fromEntries(header.map((name) => [name, 'text' as const]))
        const parser = new CsvParser({ types, missing: [] })
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b)
        for (let i = 1; i < places.length; i++) parser.push(bytes.subarray(places[i - 1], places[i]))
        assert.deepEqual(rowsOf(parser.take(true) as Table), rows)
      },
    ),
    { numRuns: 400 },
  )
})

test('numbers are read as JavaScript reads them, to the last bit', () => {
  const read = (text: string) => numberOf(bytesOf(`x${text}y`), 1, 1 + text.length)
  const check = (text: string) => assert.ok(Object.is(read(text), Number(text)), text)
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(20), (value, digits) => {
      for (const text of [
        `${value}`,
        value.toExponential(),
        value.toFixed(digits),
        `+${Math.abs(value)}`,
        ` ${value} `,
      ])
        check(text)
    }),
    { numRuns: 500 },
  )
  for (const text of ['0', '-0', '007', '.5', '5.', '-.5e-3', '1E5', '9007199254740993', '0.1', '123456789012345.6'])
    check(text)
  for (const text of [
    '',
    '.',
    '-',
    '+',
    'e5',
    '1e',
    '1e+',
    '1.2.3',
    '--1',
    '0x10',
    'Infinity',
    '1e999',
    '1 2',
    '1,5',
    '٣',
  ])
    assert.ok(Number.isNaN(read(text)), text)
})

test('types are inferred, and missing values are none of them', () => {
  const text = [
    'n,when,ok,kind,note,empty',
    '1,2024-02-29,true,a,first,',
    'NA,2024-03-01T12:30:00Z,FALSE,b,second,',
    '2.5,,yes,a,third,',
    '3,2024-03-01T12:30:00.5+02:00,,b,fourth,',
  ].join('\n')
  const table = parseCsv(text)
  assert.deepEqual(table.types, {
    ...{ n: 'number', when: 'date', ok: 'boolean', kind: 'category', note: 'text', empty: 'text' },
  })
  assert.deepEqual(table.row(1), {
    ...{ n: null, when: new Date('2024-03-01T12:30:00Z'), ok: false, kind: 'b', note: 'second', empty: null },
  })
  assert.deepEqual(table.row(3).when, new Date('2024-03-01T10:30:00.500Z'))
  assert.equal(table.row(3).ok, null)
  assert.equal(table.length, 4)
})

test('days that the calendar does not have are no dates', () => {
  for (const text of ['2023-02-29', '2024-04-31', '2024-13-01', '2024-1-1', '2024-01-01T24:30', '0050-01-01x'])
    assert.ok(Number.isNaN(dateOf(text)), text)
})

test('levels are in the order of their texts, whatever came first', () => {
  const column = parseCsv('k\nb\na\nb\na\n').column('k')
  assert.deepEqual(column, { name: 'k', type: 'category', values: Int32Array.of(1, 0, 1, 0), levels: ['a', 'b'] })
})

test('paths, URLs, bytes, Blobs and streams are read, plain and gzip, other delimiters and without a header', async () => {
  const text = 'a\tb\n1\t"x\ty"\n2\tz\n'
  const want = [
    [1, 'x\ty'],
    [2, 'z'],
  ]
  const folder = await mkdtemp(join(tmpdir(), 'csv-'))
  try {
    await writeFile(join(folder, 'a.tsv'), text)
    await writeFile(join(folder, 'b.tsv.gz'), gzipSync(text))
    assert.deepEqual(rowsOf(await readCsv(join(folder, 'a.tsv'))), want)
    assert.deepEqual(rowsOf(await readCsv(join(folder, 'b.tsv.gz'))), want)
    assert.deepEqual(rowsOf(await readCsv(new URL(`file://${folder}/a.tsv`))), want)
  } finally {
    await rm(folder, { recursive: true })
  }
  const tabs = { delimiter: '\t' }
  const packed = new Uint8Array(gzipSync(text))
  const drop = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of packed) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
  for (const source of [bytesOf(text), packed, new Blob([packed]), drop(), drop])
    assert.deepEqual(rowsOf(await readCsv(source, tabs)), want)
  assert.deepEqual(rowsOf(await readCsv(`data:text/csv,${encodeURIComponent(text)}`, tabs)), want)
  await assert.rejects(readCsv(packed.subarray(0, 30), tabs), {
    name: 'FormatError',
    message: /gzip data is damaged or truncated/,
  })
  assert.deepEqual(parseCsv('1;2\n', { delimiter: ';', header: false }).row(0), { column1: 1, column2: 2 })
  assert.deepEqual(parseCsv('1,2\n', { header: ['x', 'y'] }).row(0), { x: 1, y: 2 })
  assert.deepEqual(parseCsv('x,y\n1,2\n', { columns: ['y'] }).row(0), { y: 2 })
})

const bad: [string, string, object, RegExp][] = [
  ['a quote that is never closed', 'a,b\n1,2\n3,"4\n5,6\n', {}, /line 3, column 2 \('b'\): the quote that opens here/],
  ['text after a closing quote', 'a,b\n1,"2"x\n', {}, /line 2, column 2 \('b'\): "x" follows the closing quote\./],
  ['a quote closed lines later', 'a,b\n1,"2\n3,"4"\n', {}, /line 2, column 2 .*"4" follows .*, 1 line after/],
  ['a quote inside of a field', 'a,b\n1,5" pipe\n', {}, /line 2, column 2 \('b'\): a quote stands inside/],
  ['a row too short', 'a,b,c\n1,2,3\n1,2\n', {}, /line 3, column 3 \('c'\): the row has 2 fields, not 3/],
  ['a row too long', 'a,b\n1,2,3\n', {}, /line 2, column 3: the row has 3 fields, not 2/],
  [
    'a wrong declared type',
    'a,b\n1,x\n',
    { types: { b: 'number' } },
    /line 2, column 2 \('b'\): "x" is not a finite number/,
  ],
  ['a number that is not finite', 'a\n1e999\n', { types: { a: 'number' } }, /"1e999" is not a finite number/],
  [
    'a wrong inferred type',
    `a\n${'1\n'.repeat(20)}x\n`,
    {},
    /line 22, column 1 \('a'\): "x" is not a finite number.*declare/,
  ],
  ['a missing value', 'a,b\n1,\n', { required: ['b'] }, /line 2, column 2 \('b'\): the value is missing/],
]
for (const [what, text, options, message] of bad) {
  test(`${what} names line and column`, () => {
    assert.throws(() => parseCsv(text, options), { name: 'RowError', message })
  })
}

test('bytes that are not UTF-8 name line and column', () => {
  assert.throws(() => parseCsv(Uint8Array.of(97, 10, 98, 10, 0xff, 10)), {
    name: 'RowError',
    message: /line 3, column 1 \('a'\): the text is not UTF-8/,
  })
})

test('files that are none are errors that say so', () => {
  assert.throws(() => parseCsv(''), /CSV data is empty/)
  assert.throws(() => parseCsv(Uint8Array.of(0xff, 0xfe, 97, 0)), /is UTF-16: save it as UTF-8/)
  assert.throws(() => parseCsv('a,b,a\n'), /columns 1 and 3 are both named 'a'/)
  assert.throws(() => parseCsv('a;b\n1;2\n'), /there is one column, "a;b". Is the delimiter ";"/)
  assert.throws(() => parseCsv('a\n1\n', { types: { b: 'number' } }), /has no column 'b'. It has 'a'/)
  assert.throws(() => parseCsv('a\n', { delimiter: '||' }), /the delimiter must be one ASCII character/)
  assert.equal(parseCsv('a,b\n').length, 0)
})

test('lines are counted within quotes, blank lines too', () => {
  assert.throws(() => parseCsv('a,b\n"x\n\ny",1\n\n"z\r\n",2\n,q\n', { types: { b: 'number' } }), {
    line: 8,
    column: 2,
  })
})

test('bad rows are skipped, counted by reason and shown; good rows beside a broken quote are kept', () => {
  const text = 'a,b\n1,x\n2\n3,"y\n4,z\n5,"w"\nsix,v\n7,u\n8,"t\n9,s\n'
  const table = parseCsv(text, { types: { a: 'number', b: 'text' }, onBadRow: 'skip' })
  assert.deepEqual(
    rowsOf(table).map(([a]) => a),
    [1, 4, 5, 7, 9],
  )
  assert.deepEqual(table.skipped.reasons, { ragged: 1, quote: 2, type: 1 })
  assert.equal(table.skipped.count, 4)
  assert.deepEqual(
    table.skipped.first.map(({ line }) => line),
    [3, 4, 7, 9],
  )
  assert.deepEqual([...table.origin.lines], [2, 5, 6, 8, 10])
  assert.match(String(table), /5 rows, 4 skipped/)
})

test('a function decides row by row', () => {
  const seen: string[] = []
  const onBadRow = (bad: RowError) => {
    seen.push(`${bad.line}: ${bad.reason}`)
    if (bad.reason === 'type') throw bad
  }
  assert.throws(() => parseCsv('a,b\n1\n2,x\n', { types: { b: 'number' }, onBadRow }), RowError)
  assert.deepEqual(seen, ['2: ragged', '3: type'])
})

test('damaged text gives a FormatError or a table whose rows are all whole', () => {
  const good = bytesOf('a,b,c\n1,"x, y",true\n2,"p""q\nr",no\n3,z,yes\n')
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(good.length),
      fc.constantFrom('skip' as const, 'error' as const),
      (changes, cut, onBadRow) => {
        const bytes = good.slice()
        for (const [at, byte] of changes) bytes[at] = byte
        try {
          const table = parseCsv(bytes.subarray(0, cut), { onBadRow })
          for (const row of table.rows()) assert.equal(Object.keys(row).length, table.columns.length)
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error))
        }
      },
    ),
    { numRuns: 1000 },
  )
})
