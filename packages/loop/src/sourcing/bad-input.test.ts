import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeContent, exampleId } from '../store/content.ts'
import { testFolder, testProject } from '../test-project.ts'
import { importFiles } from './import.ts'
import { allExamples, holdings, testFile } from './test-import.ts'

test('bad rows are counted, named by line and reason, and kept as they were written', async (t) => {
  const columns = "columns: { x: 'number', day: 'date' }"
  const project = await testProject(t, 'tabular', `export default { kind: 'tabular', maxBadShare: 0.9, ${columns} }`)
  const path = await testFile(
    t,
    'a.csv',
    'x,note,day\n1,a,2024-01-01\nmany,b,2024-01-02\n3,"two\nlines",2024-01-03\n4,c\n5,d,2024-02-31\n6,"e"e,2024-01-04\n7,f,2024-01-05\n',
  )
  const report = await importFiles(project, [path])
  const [source] = report.sources
  assert.deepEqual([report.rows, report.added, report.bad], [7, 3, 4])
  assert.deepEqual(
    source?.rejects.map(({ place, reason }) => `${place}: ${reason}`),
    [
      `3: column 1 ('x'): "many" is no finite number`,
      '6: the row has 2 fields, not 3',
      `7: column 3 ('day'): "2024-02-31" is no date (as in 2024-03-01 or 2024-03-01T12:30:00Z)`,
      '8: column 2: "e" follows the closing quote',
    ],
  )
  const kept = (await readFile(source?.rejectFile ?? '', 'utf8')).trim().split('\n')
  assert.deepEqual(
    kept.map((line) => JSON.parse(line).original),
    ['many,b,2024-01-02', '4,c', '5,d,2024-02-31', '6,"e"e,2024-01-04'],
  )
})

test('too many bad rows stop the import, which leaves nothing behind but its reject file', async (t) => {
  const project = await testProject(t, 'tabular')
  const good = await testFile(t, 'good.csv', 'x,k\n1,a\n2,b\n')
  await importFiles(project, [good], { target: 'k' })
  const before = await holdings(project)
  // It also says something new about rows that were there: another label and a split.
  const rows = Array.from({ length: 1000 }, (_, i) => (i % 10 === 9 ? 'bad' : `${i},${i === 1 ? 'b' : 'a'}`))
  const path = await testFile(t, 'bad.csv', `x,k\n${rows.join('\n')}\n`)
  const failed = importFiles(project, [path], { split: 'test' })
  await assert.rejects(failed, (error: Error) => {
    assert.equal(error.name, 'UserError')
    assert.match(
      error.message,
      /bad\.csv: 100 of the first 1000 rows are bad, more than the limit of 5 % \(maxBadShare in descent\.config\.ts\)\. Where a column was taken for the wrong type, say so in columns there\. The first: line 11: the row has 1 field, not 2\. They are in .*import-2\.jsonl\. Nothing was imported\.$/,
    )
    return true
  })
  assert.deepEqual(await holdings(project), before)
  const rejects = await readFile(join(project.store.folder, 'rejects', 'import-2.jsonl'), 'utf8')
  assert.equal(rejects.trim().split('\n').length, 100)
  await writeFile(path, `x,k\n${rows.filter((row) => row !== 'bad').join('\n')}\n`)
  assert.equal((await importFiles(project, [path], { split: 'test' })).added, 898)
})

test('columns must be those of the project, in any order', async (t) => {
  const project = await testProject(t, 'tabular')
  await importFiles(project, [await testFile(t, 'a.csv', 'x,y,k\n1,2,a\n3,4,b\n')], { target: 'k' })
  const before = await holdings(project)
  const changed = await testFile(t, 'b.csv', 'x,z,k\n1,2,a\n')
  await assert.rejects(importFiles(project, [changed]), {
    name: 'UserError',
    message: `${changed}: the columns are not those of the project's rows (missing: y; new: z). Bring the header into line, or leave columns out with columns: { "z": 'ignore' } in descent.config.ts. Nothing was imported.`,
  })
  assert.deepEqual(await holdings(project), before)
  const other = await testFile(t, 'c.csv', 'k,y,x\na,2,1\nb,6,5\n')
  const report = await importFiles(project, [other])
  assert.deepEqual([report.added, report.duplicates], [1, 1])
})

test('what is empty is said to be empty', async (t) => {
  const table = await testProject(t, 'tabular')
  for (const [name, content, message] of [
    ['a.csv', '', /a\.csv is empty\. Nothing was imported/],
    ['a.csv', '\n\n', /a\.csv holds no rows\. Nothing was imported/],
    ['a.csv', 'x,y\n', /a\.csv holds a header \(x, y\) and no rows\. Nothing was imported/],
    ['a.jsonl', '\n', /a\.jsonl holds no rows that can be read\. Nothing was imported/],
    ['a.json', '[]', /a\.json holds no rows that can be read\. Nothing was imported/],
    ['a.parquet', '', /a\.parquet is no Parquet file that can be read/],
  ] as const) {
    await assert.rejects(importFiles(table, [await testFile(t, name, content)]), { name: 'UserError', message })
  }
  await assert.rejects(importFiles(table, [await testFolder(t)]), /The folder .* is empty/)
  await assert.rejects(importFiles(table, ['nowhere.csv']), /nowhere\.csv does not exist \(looked for .*nowhere\.csv\)/)
  assert.deepEqual(await holdings(table), { examples: [], fields: [] })

  const texts = await testProject(t, 'text', "export default { kind: 'text', maxBadShare: 0.5 }")
  const folder = await testFolder(t)
  await mkdir(join(folder, 'a'))
  await writeFile(join(folder, 'a/1.txt'), '')
  await writeFile(join(folder, 'a/2.txt'), 'something')
  const report = await importFiles(texts, [folder])
  assert.deepEqual(
    report.sources[0]?.rejects.map(({ name, reason }) => [name, reason]),
    [['a/1.txt', 'it is empty']],
  )
  assert.equal(report.added, 1)
})

const utf16 = (text: string, bigEndian = false, mark = true): Uint8Array => {
  const bytes = Buffer.from((mark ? '\ufeff' : '') + text, 'utf16le')
  return bigEndian ? bytes.swap16() : bytes
}

test('the same table has the same rows in whatever encoding it is written', async (t) => {
  const text = `name,price\n${Array.from({ length: 40 }, (_, i) => `Crème brûlée ${i},${i}`).join('\n')}\n`
  const euro = text.replaceAll('Crème', '\x80 Crème')
  for (const [name, bytes, note] of [
    ['utf-8 with its mark', Buffer.from(`\ufeff${text}`), ''],
    ['utf-16le', utf16(text), 'read as UTF-16 (little-endian)'],
    ['utf-16be', utf16(text, true), 'read as UTF-16 (big-endian)'],
    ['utf-16le without its mark', utf16(text, false, false), 'read as UTF-16 (little-endian)'],
    ['latin-1', Buffer.from(text, 'latin1'), 'read as Latin-1'],
    ['windows-1252', Buffer.from(euro, 'latin1'), 'read as Windows-1252'],
  ] as const) {
    const project = await testProject(t, 'tabular')
    const report = await importFiles(project, [await testFile(t, 'menu.csv', bytes)])
    const dish = name === 'windows-1252' ? '€ Crème brûlée' : 'Crème brûlée'
    const expected = Array.from({ length: 40 }, (_, i) =>
      exampleId(encodeContent({ kind: 'row', values: { name: `${dish} ${i}`, price: i } })),
    )
    assert.deepEqual(new Set((await allExamples(project)).map(({ id }) => id)), new Set(expected), name)
    assert.equal(report.sources[0]?.notes.join(), note)
  }
})

test('a byte that is not UTF-8 in a file that is makes its row bad, not the file', async (t) => {
  const project = await testProject(t, 'tabular')
  const rows = Array.from({ length: 100 }, (_, i) => Buffer.from(`Zoë ${i},${i}\n`))
  rows[6] = Buffer.from('Zo\xeb 6,6\n', 'latin1')
  const report = await importFiles(project, [
    await testFile(t, 'a.csv', Buffer.concat([Buffer.from('a,b\n'), ...rows])),
  ])
  assert.equal(report.added, 99)
  assert.deepEqual(
    report.sources[0]?.rejects.map(({ place, reason }) => [place, reason]),
    [[8, 'the text is not UTF-8']],
  )
})

test('what is no text is named', async (t) => {
  const project = await testProject(t, 'tabular')
  for (const [bytes, message] of [
    [[0x50, 0x4b, 3, 4, 20, 0], /a ZIP archive or an Excel workbook \(save it as CSV\)/],
    [[0x89, 0x50, 0x4e, 0x47, 13, 10], /a PNG image/],
    [[...Buffer.from('PAR1')], /Parquet \(give --format parquet\)/],
    [[0xff, 0xfe, 0, 0, 65, 0, 0, 0], /UTF-32 \(save it as UTF-8\)/],
    [[1, 0, 0, 2, 3, 0, 0, 9], /binary data: it holds zero bytes/],
  ] as const) {
    const path = await testFile(t, 'a.csv', Uint8Array.from(bytes))
    await assert.rejects(importFiles(project, [path]), { name: 'UserError', message })
  }
  await assert.rejects(importFiles(project, [await testFile(t, 'a.png', 'x')]), /a project of kind tabular takes csv/)
  await assert.rejects(
    importFiles(project, [await testFile(t, 'a.xyz', 'x')]),
    /of no format that is known by its name/,
  )
  const image = await testProject(t, 'image', "export default { kind: 'image', maxBadShare: 0.9 }")
  const report = await importFiles(image, [
    await testFile(t, 'a.png', 'no picture'),
    await testFile(t, 'b.png', await onePixel()),
  ])
  assert.match(report.sources[0]?.rejects[0]?.reason ?? '', /it cannot be decoded/)
  assert.equal(report.added, 1)
})

async function onePixel(): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp')
  return sharp(Uint8Array.of(7), { raw: { width: 1, height: 1, channels: 1 } })
    .png()
    .toBuffer()
}

test('a label outside of the label set makes a row bad; as an option it is refused', async (t) => {
  const config = "export default { kind: 'tabular', classes: ['cat', 'dog'], target: 'k', maxBadShare: 0.5 }"
  const project = await testProject(t, 'tabular', config)
  const report = await importFiles(project, [await testFile(t, 'a.csv', 'x,k\n1,cat\n2,dog\n3,dgo\n')])
  assert.deepEqual(report.sources[0]?.classes, { cat: 1, dog: 1 })
  assert.deepEqual(
    report.sources[0]?.rejects.map(({ reason }) => reason),
    [`the label "dgo" is none of the project's classes (cat, dog)`],
  )
  const texts = await testProject(t, 'text', "export default { kind: 'text', classes: ['ham', 'spam'] }")
  await assert.rejects(
    importFiles(texts, [await testFile(t, 'a.txt', 'x')], { label: 'smap' }),
    /The label "smap" is none of the project's classes \(ham, spam\)\. Nothing was imported/,
  )
})

test('an unknown column is named, wherever it stands, with those that there are', async (t) => {
  const path = await testFile(t, 'a.csv', 'x,y\n1,2\n')
  const bare = await testProject(t, 'tabular')
  const expect = (where: string) => `${path} has no column 'z' (${where}). It has: x, y. Nothing was imported.`
  for (const option of ['target', 'group', 'time'] as const) {
    await assert.rejects(importFiles(bare, [path], { [option]: 'z' }), { message: expect(`--${option}`) })
  }
  for (const [settings, message] of [
    ["target: 'z'", expect('target in descent.config.ts')],
    ["split: { group: 'z' }", expect('split.group in descent.config.ts')],
    ["split: { time: 'z' }", expect('split.time in descent.config.ts')],
    [
      "columns: { z: 'number' }",
      `descent.config.ts: columns names z, which ${path} does not have. It has: x, y. Nothing was imported.`,
    ],
  ] as const) {
    const project = await testProject(t, 'tabular', `export default { kind: 'tabular', ${settings} }`)
    await assert.rejects(importFiles(project, [path]), { name: 'UserError', message })
    assert.deepEqual(await holdings(project), { examples: [], fields: [] })
  }
  const texts = await testProject(t, 'text')
  await assert.rejects(importFiles(texts, [path]), /which column is the text\? Say it with --text: x, y/)
  await assert.rejects(importFiles(bare, [await testFile(t, 'b.csv', 'x,x\n1,2\n')]), /the header names "x" twice/)
})

test('of several files, those before the one that fails stay, and are named', async (t) => {
  const project = await testProject(t, 'tabular')
  const [good, bad] = [await testFile(t, 'a.csv', 'x,y\n1,2\n'), await testFile(t, 'b.csv', 'x,z\n1,2\n')]
  await assert.rejects(importFiles(project, [good, bad]), (error: Error) =>
    error.message.endsWith(`Nothing was imported. Before it, ${good} was imported.`),
  )
  assert.equal((await allExamples(project)).length, 1)
})

test('a closing quote that is missing costs its own row', async (t) => {
  const project = await testProject(t, 'tabular', "export default { kind: 'tabular', maxBadShare: 0.5 }")
  const report = await importFiles(project, [await testFile(t, 'a.csv', 'x,y\n1,a\n2,"b\n3,c\n4,d\n')])
  assert.deepEqual([report.added, report.bad], [3, 1])
  assert.deepEqual(
    report.sources[0]?.rejects.map(({ place }) => place),
    [3],
  )
})
