import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { addLabeler, appendLabel, presentLabels, retractLabel } from '../labeling/events.ts'
import { testFolder, testProject } from '../test-project.ts'
import { migrations } from './migrations.ts'
import { openSqlite } from './sqlite.ts'
import { Store } from './store.ts'

test('a database of an older version is copied, then brought forward', async (t) => {
  const folder = await testFolder(t)
  const path = join(folder, 'project.db')
  await (await openSqlite(path)).close()
  const more = [
    ...migrations,
    async (db: Parameters<(typeof migrations)[0]>[0]) =>
      void (await db.schema.createTable('later').addColumn('a', 'integer').execute()),
  ]
  const later = await openSqlite(path, more)
  const tables = (await later.db.introspection.getTables()).map(({ name }) => name)
  await later.close()
  assert.ok(tables.includes('later'))
  const backup = (await readdir(folder)).find((name) => name.includes('before-version')) as string
  const old = new Database(join(folder, backup), { readonly: true })
  assert.deepEqual(old.prepare("select value from meta where key = 'schemaVersion'").get(), {
    value: String(migrations.length),
  })
  old.close()

  await assert.rejects(
    openSqlite(path),
    /schema version \d+, and this program knows versions up to \d+: it was written by a newer Descent/,
  )
})

test('a step that fails leaves the database as it was', async (t) => {
  const path = join(await testFolder(t), 'project.db')
  await (await openSqlite(path)).close()
  const failing = async (db: Parameters<(typeof migrations)[0]>[0]) => {
    await db.schema.createTable('half').addColumn('a', 'integer').execute()
    throw new Error('no')
  }
  await assert.rejects(openSqlite(path, [...migrations, failing]), /no/)
  const { db, close } = await openSqlite(path)
  assert.ok(!(await db.introspection.getTables()).some(({ name }) => name === 'half'))
  await close()
})

test('a file that is no database is named, and left alone', async (t) => {
  const folder = await testFolder(t)
  await writeFile(join(folder, 'project.db'), 'this is no database, but long enough to be looked at '.repeat(40))
  await assert.rejects(Store.open(folder), /project\.db is damaged or no SQLite database/)
})

test('what is put into files comes back, once, and damage is noticed', async (t) => {
  const { store } = await testProject(t, 'text')
  const bytes = Buffer.from('some content')
  const hash = await store.files.put(bytes)
  assert.equal(await store.files.put(bytes), hash)
  assert.deepEqual(Buffer.from(await store.files.get(hash)), bytes)
  await writeFile(store.files.path(hash), 'other content')
  await assert.rejects(store.files.get(hash), /was changed or damaged/)
})

test('two writers wait for one another', async (t) => {
  const project = await testProject(t, 'text')
  const other = await Store.open(project.store.folder)
  t.after(() => other.close())
  const order: string[] = []
  const first = project.store.transaction(async (db) => {
    await addLabeler(db, 'ada', 'person')
    order.push('first')
  })
  await first
  await other.transaction(async (db) => {
    await addLabeler(db, 'bob', 'person')
    order.push('second')
  })
  assert.deepEqual(order, ['first', 'second'])
  assert.equal((await project.store.db.selectFrom('labeler').selectAll().execute()).length, 2)
})

test('labels are events: the present one is derived, and taking back brings the one before', async (t) => {
  const { store } = await testProject(t, 'text')
  const { db } = store
  await db
    .insertInto('import')
    .values({
      path: 'a',
      format: 'text',
      options: '{}',
      started_at: '',
      status: 'done',
      rows: 1,
      added: 1,
      duplicates: 0,
      bad: 0,
    })
    .execute()
  await db
    .insertInto('example')
    .values({ id: '0'.repeat(32), media: 'text', body: Buffer.from('a'), bytes: 1, import_id: 1, place: 1 })
    .execute()
  for (const [name, kind] of [
    ['ada', 'person'],
    ['bob', 'person'],
    ['file', 'file'],
    ['rule', 'rule'],
  ] as const)
    await addLabeler(db, name, kind)
  const give = (labeler: string, value: string) =>
    store.transaction(async () => appendLabel(store, { example: 1, labeler, value }))
  const present = async () => (await presentLabels(store)).get(1)

  await give('rule', 'spam')
  assert.equal((await present())?.value, 'spam')
  await give('file', 'ham')
  assert.equal((await present())?.value, 'ham', 'a file counts before a rule')
  const first = await give('ada', 'spam')
  assert.deepEqual(await present(), { value: 'spam', labelers: ['rule', 'ada'], against: ['file'], event: first })
  const second = await give('bob', 'ham')
  assert.equal((await present())?.value, 'ham', 'at a tie of persons the latest')
  await retractLabel(db, second)
  assert.equal((await present())?.value, 'spam')
  await retractLabel(db, first)
  assert.equal((await present())?.value, 'ham')
  assert.equal((await presentLabels(store, first)).get(1)?.value, 'spam', 'as it was then')
  await assert.rejects(retractLabel(db, 99), /no label event 99/)
})
