import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { presentLabels } from '../labeling/events.ts'
import { testProject } from '../test-project.ts'
import { importFiles } from './import.ts'
import { allExamples, dataOf, testFile } from './test-import.ts'

interface Row {
  readonly size: number | null
  readonly count: number
  readonly name: string
  readonly day: string
  readonly ok: boolean
  readonly kind: 'a' | 'b'
}

const names = ['size', 'count', 'name', 'day', 'ok', 'kind'] as const

function separated(rows: readonly Row[], by: string): string {
  const cell = (value: Row[keyof Row]) =>
    typeof value === 'string' ? `"${value.replaceAll('"', '""')}"` : (value ?? '')
  return [names, ...rows.map((row) => names.map((name) => cell(row[name])))]
    .map((cells) => `${cells.join(by)}\n`)
    .join('')
}

function parquet(rows: readonly Row[]): Uint8Array {
  const column = <K extends keyof Row>(name: K) => rows.map((row) => row[name])
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'size', data: column('size'), type: 'DOUBLE', nullable: true },
        { name: 'count', data: column('count'), type: 'INT32' },
        { name: 'name', data: column('name'), type: 'STRING' },
        { name: 'day', data: column('day').map((day) => new Date(`${day}T00:00:00Z`)), type: 'TIMESTAMP' },
        { name: 'ok', data: column('ok'), type: 'BOOLEAN' },
        { name: 'kind', data: column('kind'), type: 'STRING' },
      ],
      rowGroupSize: 7,
    }),
  )
}

test('the same rows are the same examples in every format', async (t) => {
  const day = fc.date({ min: new Date('1950-01-01'), max: new Date('2050-01-01'), noInvalidDate: true })
  const rows = fc.sample(
    fc.record<Row>({
      size: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { freq: 5 }),
      count: fc.integer({ min: -1000, max: 1000 }),
      name: fc.string({ minLength: 1 }).filter((text) => /[^\s\d.]/.test(text) && !/^(na|n\/a|nan|null)$/i.test(text)),
      day: day.map((date) => date.toISOString().slice(0, 10)),
      ok: fc.boolean(),
      kind: fc.constantFrom('a', 'b'),
    }),
    { numRuns: 40, seed: 3 },
  )
  const files = {
    'rows.csv': separated(rows, ','),
    'semicolons.csv': separated(rows, ';'),
    'rows.tsv': separated(rows, '\t'),
    'rows.csv.gz': gzipSync(separated(rows, ',')),
    'rows.jsonl': rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    'rows.json': JSON.stringify(rows),
    'rows.parquet': parquet(rows),
  }
  const config = "export default { kind: 'tabular', columns: { name: 'text' } }"
  const project = await testProject(t, 'tabular', config)
  let first = true
  for (const [name, content] of Object.entries(files)) {
    const report = await importFiles(project, [await testFile(t, name, content)], { target: 'kind' })
    assert.deepEqual([name, report.rows, report.bad, report.added], [name, rows.length, 0, first ? rows.length : 0])
    first = false
  }
  const fields = await project.store.db.selectFrom('field').select(['name', 'type']).orderBy('position').execute()
  assert.deepEqual(
    fields.map(({ name, type }) => [name, type]),
    [
      ['size', 'number'],
      ['count', 'number'],
      ['name', 'text'],
      ['day', 'date'],
      ['ok', 'boolean'],
    ],
  )
  const examples = await allExamples(project)
  const { kind: _, ...expected } = rows[0] as Row
  assert.deepEqual(examples[0]?.content, {
    kind: 'row',
    values: Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== null)),
  })
  const events = await project.store.db.selectFrom('label').selectAll().execute()
  assert.equal(events.length, rows.length)
})

test('penguins: columns, types, gaps and classes', async (t) => {
  const folder = dataOf(t, 'vega-datasets')
  if (!folder) return
  const project = await testProject(t, 'tabular')
  const report = await importFiles(project, [join(folder, 'data/penguins.json')], { target: 'Species' })
  const [source] = report.sources
  assert.deepEqual([report.rows, report.added, report.bad], [344, 344, 0])
  assert.deepEqual(source?.classes, { Adelie: 152, Chinstrap: 68, Gentoo: 124 })
  assert.deepEqual(
    source?.columns.map(({ name, type, missing }) => [name, type, missing]),
    [
      ['Island', 'category', 0],
      ['Beak Length (mm)', 'number', 2],
      ['Beak Depth (mm)', 'number', 2],
      ['Flipper Length (mm)', 'number', 2],
      ['Body Mass (g)', 'number', 2],
      ['Sex', 'category', 10],
    ],
  )
  assert.deepEqual(source?.findings?.predictors, [])
  assert.equal(source?.findings?.nearDuplicates.count, 0)
})

test('cars: a number is the label, and some have none', async (t) => {
  const folder = dataOf(t, 'vega-datasets')
  if (!folder) return
  const project = await testProject(t, 'tabular')
  const report = await importFiles(project, [join(folder, 'data/cars.json')], { target: 'Miles_per_Gallon' })
  const [source] = report.sources
  assert.deepEqual([report.added, source?.classes, source?.findings?.labelled], [406, null, 398])
  assert.equal(source?.columns.find(({ name }) => name === 'Year')?.type, 'date')
  const labels = [...(await presentLabels(project.store)).values()]
  assert.ok(labels.every(({ value }) => typeof value === 'number'))
  assert.equal(source?.findings?.labelSpread?.greatest, 46.6)
})

test('a Parquet file of three million flights is read a part at a time', async (t) => {
  const folder = dataOf(t, 'vega-datasets')
  if (!folder) return
  const project = await testProject(t, 'tabular')
  const controller = new AbortController()
  const reading = importFiles(project, [join(folder, 'data/flights-3m.parquet')], {
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done > 0) controller.abort()
    },
  })
  await assert.rejects(reading, /StoppedError: Stopped after 40000 rows/)
  const [flight] = await allExamples(project)
  assert.ok(flight?.content.kind === 'row')
  assert.deepEqual(Object.keys(flight.content.values).sort(), ['date', 'delay', 'destination', 'distance', 'origin'])
})

test('texts come from a column, labels from another', async (t) => {
  const project = await testProject(t, 'text')
  const path = await testFile(t, 'mails.csv', 'from,body,kind\nann,"Hello, you",ham\nbob,Win now,spam\n')
  const report = await importFiles(project, [path], { target: 'kind' })
  assert.deepEqual(report.sources[0]?.notes, ['not kept: from'])
  assert.deepEqual(
    (await allExamples(project)).map(({ content }) => content),
    [
      { kind: 'text', text: 'Hello, you' },
      { kind: 'text', text: 'Win now' },
    ],
  )
})

test('pictures come from folders that name their class', async (t) => {
  const { default: sharp } = await import('sharp')
  const project = await testProject(t, 'image')
  const picture = (grey: number) =>
    sharp(Buffer.alloc(12, grey).fill(9, 0, 3), { raw: { width: 4, height: 3, channels: 1 } })
  const path = await testFile(t, 'set/dark/1.png', await picture(30).png().toBuffer())
  const folder = join(path, '../..')
  const { mkdir, writeFile } = await import('node:fs/promises')
  await mkdir(join(folder, 'light'))
  await writeFile(join(folder, 'light/2.jpg'), await picture(200).jpeg().toBuffer())
  await writeFile(join(folder, 'light/3.png'), await picture(210).png().toBuffer())
  await writeFile(join(folder, 'notes.txt'), 'not a picture')
  const report = await importFiles(project, [folder])
  assert.deepEqual(report.sources[0]?.classes, { dark: 1, light: 2 })
  const [dark] = await allExamples(project)
  assert.ok(dark?.content.kind === 'image' && dark.content.media === 'image/png')
  assert.deepEqual(Buffer.from(dark.content.bytes), await readFile(path))
})

test('a column by which examples stay together, or follow one another, is kept beside them', async (t) => {
  const project = await testProject(t, 'tabular', "export default { kind: 'tabular', split: { group: 'patient' } }")
  const path = await testFile(t, 'a.csv', 'patient,x,day,k\np1,1,2024-01-02,a\np1,2,2024-01-01,b\np2,3,,a\n')
  await importFiles(project, [path], { target: 'k', time: 'day' })
  const rows = await project.store.db
    .selectFrom('example')
    .select(['group_key', 'time_key'])
    .orderBy('number')
    .execute()
  assert.deepEqual(rows, [
    { group_key: 'p1', time_key: '2024-01-02' },
    { group_key: 'p1', time_key: '2024-01-01' },
    { group_key: 'p2', time_key: null },
  ])
})
