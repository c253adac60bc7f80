import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { presentLabels } from '../labeling/events.ts'
import { openProject } from '../project/project.ts'
import { testFolder } from '../test-project.ts'
import { descent } from './test-command.ts'

const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 7},${i % 2 ? 'red' : 'blue'},${i % 3 ? 'yes' : 'no'}`)
const csv = `n,price,colour,sold\n${rows.join('\n')}\n`
const config = (settings: string) => `export default { kind: 'tabular'${settings} }\n`

/** Files that are there for a case, the command, and what the one sentence says. */
interface Case {
  readonly what: string
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly args: readonly string[]
  readonly says: RegExp
}

const cases: readonly Case[] = [
  {
    what: 'an empty file',
    files: { 'new.csv': '' },
    args: ['import', 'new.csv'],
    says: /new\.csv is empty. Nothing was imported/,
  },
  {
    what: 'a changed header',
    files: { 'new.csv': 'n,price,color,sold\n90,1,red,yes\n' },
    args: ['import', 'new.csv'],
    says: /missing: colour; new: color/,
  },
  {
    what: 'a row without an end',
    files: { 'new.csv': `n,price,colour,sold\n90,1,"${'y,'.repeat(10_000_000)}` },
    args: ['import', 'new.csv'],
    says: /no rows that can be read/,
  },
  {
    what: 'a field of 20 MB',
    files: { 'new.csv': `n,price,colour,sold\n90,1,${'y'.repeat(20_000_000)},yes\n91,1,red,yes\n` },
    args: ['import', 'new.csv'],
    says: /new\.csv, line 2: the row is longer than 16 MB/,
  },
  {
    what: 'an unknown column in the config',
    files: { 'descent.config.ts': config(`, columns: { size: 'number' }`) },
    args: ['snapshot'],
    says: /name 'size', .* They have: n, price, colour/,
  },
  {
    what: 'another kind in the config than the examples have',
    files: { 'descent.config.ts': `export default { kind: 'image' }` },
    args: ['train'],
    says: /says kind: 'image', .* of the kind 'tabular'/,
  },
  {
    what: 'a config with a syntax error',
    files: { 'descent.config.ts': `export default { kind: 'tabular',` },
    args: ['status'],
    says: /descent\.config\.ts cannot be read: /,
  },
  {
    what: 'a setting that is none',
    files: { 'descent.config.ts': config(', taget: 1') },
    args: ['status'],
    says: /'taget' is no setting/,
  },
  {
    what: 'a label outside of the label set',
    files: { 'new.csv': csv, 'descent.config.ts': config(`, classes: ['yes', 'no']`) },
    args: ['import', 'new.csv', '--label', 'perhaps'],
    says: /"perhaps" is none of the project's classes \(yes, no\)/,
  },
  {
    what: 'a recipe that throws',
    files: { 'recipe.ts': `throw new Error('no luck')` },
    args: ['train', '--recipe', 'recipe.ts'],
    says: /recipe\.ts.* no luck/,
  },
  {
    what: 'a network that throws',
    files: { 'recipe.ts': `export default { network: () => { throw new Error('no luck') } }` },
    args: ['architecture', '--recipe', 'recipe.ts'],
    says: /recipe.* no luck/,
  },
  {
    what: 'a recipe that is no JSON',
    files: { 'recipe.json': '{"epochs": 3' },
    args: ['train', '--recipe', 'recipe.json'],
    says: /recipe\.json/,
  },
  { what: 'a recipe that is not there', args: ['train', '--recipe', 'gone.json'], says: /gone\.json/ },
  { what: 'an unknown run', args: ['evaluate', '77'], says: /no run 77/ },
  { what: 'an unknown snapshot', args: ['train', '--snapshot', '77'], says: /snapshot.*77/ },
  { what: 'an unknown example', args: ['impact', 'abc'], says: /begins with abc/ },
  { what: 'an id that cannot be one', args: ['forget', 'xyz'], says: /'xyz' is no example id/ },
]

test('each mistake is one sentence and code 1, and the project stays as it was', async (t) => {
  const folder = await testFolder(t)
  assert.equal((await descent(folder, ['init', '--kind', 'tabular'])).code, 0)
  await writeFile(join(folder, 'rows.csv'), csv)
  assert.equal((await descent(folder, ['import', 'rows.csv', '--target', 'sold'])).code, 0)
  assert.equal((await descent(folder, ['snapshot'])).code, 0)
  const state = async () => {
    await writeFile(join(folder, 'descent.config.ts'), config(''))
    const project = await openProject(folder)
    const runs = await project.store.db.selectFrom('run').select('status').where('status', '!=', 'failed').execute()
    const snapshots = await project.store.db.selectFrom('snapshot').select('hash').execute()
    const labels = [...(await presentLabels(project.store))].map(([number, { value }]) => `${number} ${value}`)
    await project.close()
    return { runs, snapshots, labels: labels.join() }
  }
  const before = await state()
  for (const { what, files = {}, args, says } of cases) {
    await t.test(what, async () => {
      for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
      const { code, err, out } = await descent(folder, args)
      assert.equal(code, 1, out + err)
      assert.match(err, says)
      assert.match(err, /^Error: [^\n]+\n$/)
      assert.deepEqual(await state(), before)
    })
  }
})

test('outside of a project each command says how to make one', async (t) => {
  const folder = await testFolder(t)
  for (const args of [['status'], ['import', 'x.csv'], ['label'], ['evaluate']]) {
    const { code, err } = await descent(folder, args)
    assert.equal(code, 1)
    assert.match(err, /^Error: There is no project in .*: make one with `descent init`[^\n]*\n$/)
  }
})

test('nothing to label because nothing was imported is said', async (t) => {
  const folder = await testFolder(t)
  await descent(folder, ['init', '--kind', 'text'])
  const { code, err } = await descent(folder, ['label'])
  assert.equal(code, 1)
  assert.equal(err, 'Error: There are no examples yet: bring some with `descent import PATH…`.\n')
})

test('a database from a newer version is left alone', async (t) => {
  const folder = await testFolder(t)
  await descent(folder, ['init', '--kind', 'text'])
  const path = join(folder, '.descent', 'project.db')
  const db = new Database(path)
  db.prepare(`update meta set value = '999' where key = 'schemaVersion'`).run()
  db.close()
  const { code, err } = await descent(folder, ['status'])
  assert.equal(code, 1)
  assert.match(err, /^Error: [^\n]*newer[^\n]*\n$/)
})

test('two processes write at once: both end well, and nothing is lost or there twice', async (t) => {
  const folder = await testFolder(t)
  await descent(folder, ['init', '--kind', 'tabular'])
  await writeFile(join(folder, 'descent.config.ts'), config(`, classes: ['yes', 'no']`))
  await writeFile(join(folder, 'rows.csv'), csv)
  await descent(folder, ['import', 'rows.csv', '--target', 'sold'])
  const more = Array.from({ length: 30_000 }, (_, i) => `${1000 + i},1,red,yes`)
  await writeFile(join(folder, 'more.csv'), `n,price,colour,sold\n${more.join('\n')}\n`)
  const [imported, labelled, counted] = await Promise.all([
    descent(folder, ['import', 'more.csv']),
    descent(folder, ['label', '--as', 'ada', '--again', '--strategy', 'random', '-n', '30'], '12'.repeat(15)),
    descent(folder, ['snapshot']),
  ])
  for (const { code, err } of [imported, labelled, counted]) assert.equal(code, 0, err)
  assert.match(labelled.out, /30 labels given by ada/)
  const project = await openProject(folder)
  const { db } = project.store
  const { n } = await db.selectFrom('example').select(db.fn.countAll<number>().as('n')).executeTakeFirstOrThrow()
  const by = await db.selectFrom('label').select('number').where('labeler', '=', 'ada').execute()
  await project.close()
  assert.deepEqual([Number(n), by.length], [30_040, 30])
})

test('images with labels of their own are not given another by --label', async (t) => {
  const folder = await testFolder(t)
  await descent(folder, ['init', '--kind', 'image'])
  await writeFile(
    join(folder, 'x-images-idx3-ubyte'),
    Buffer.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 9, 8, 7, 6),
  )
  await writeFile(join(folder, 'x-labels-idx1-ubyte'), Buffer.of(0, 0, 8, 1, 0, 0, 0, 1, 3))
  const files = ['x-images-idx3-ubyte', 'x-labels-idx1-ubyte']
  const { code, err } = await descent(folder, ['import', ...files, '--label', 'five'])
  assert.equal(code, 1)
  assert.match(
    err,
    /^Error: .*holds a label for each image, and --label gives all of them one: .*Nothing was imported\.\n$/,
  )
  const right = await descent(folder, ['import', ...files])
  assert.match(right.out, /label: 3 1 \(100\.0 %\)/)
})

test('without the package sharp only pictures are refused, with what to install', async (t) => {
  const folder = await testFolder(t)
  const hook = join(folder, 'without-sharp.mjs')
  await writeFile(
    hook,
    `import { registerHooks } from 'node:module'
registerHooks({
  resolve(name, context, next) {
    if (name === 'sharp') throw new Error('Cannot find package sharp')
    return next(name, context)
  },
})`,
  )
  const without = (...args: readonly string[]) => descent(folder, args, '', ['--import', hook])
  assert.equal((await without('init', 'rows', '--kind', 'tabular')).code, 0)
  await writeFile(join(folder, 'rows.csv'), csv)
  const rows = await without('-C', 'rows', 'import', 'rows.csv', '--target', 'sold')
  assert.equal(rows.code, 0, rows.err)
  await without('init', 'pictures', '--kind', 'image')
  await mkdir(join(folder, 'photos', 'cat'), { recursive: true })
  await writeFile(join(folder, 'photos', 'cat', '1.png'), 'png')
  const { code, err } = await without('-C', 'pictures', 'import', 'photos')
  assert.equal(code, 1)
  assert.match(err, /^Error: Pictures need the package sharp, .*`npm install sharp`\.\n$/)
})
