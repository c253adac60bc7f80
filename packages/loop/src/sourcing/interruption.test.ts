import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { initProject, openProject } from '../project/project.ts'
import { projectStatus } from '../project/status.ts'
import { seeded } from '../random.ts'
import { testFolder, testProject } from '../test-project.ts'
import { importFiles } from './import.ts'
import { testFile } from './test-import.ts'
import { ended, type Kept, kept, startImport, writeRows } from './test-kill.ts'

// Two batches; each import below must end with what one that nobody disturbed keeps.
const rows = 60_000
let root = ''
let path = ''
let undisturbed: Kept
let rejects = ''

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'descent-loop-'))
  path = join(root, 'rows.csv')
  await writeRows(path, rows)
  const project = await initProject(join(root, 'undisturbed'), 'tabular')
  await importFiles(project, [path], { target: 'k' })
  await project.close()
  undisturbed = await kept(join(root, 'undisturbed'))
  rejects = await readFile(join(root, 'undisturbed/.descent/rejects/import-1.jsonl'), 'utf8')
})
after(() => rm(root, { recursive: true, force: true }))

async function emptyProject(folder: string): Promise<string> {
  await (await initProject(folder, 'tabular')).close()
  return folder
}

/** Waits until an import has kept so many rows. */
async function untilRows(folder: string, least: number): Promise<void> {
  const project = await openProject(folder)
  try {
    for (;;) {
      const latest = await project.store.db.selectFrom('import').select('rows').orderBy('id', 'desc').executeTakeFirst()
      if (latest && latest.rows >= least) return
      await setTimeout(5)
    }
  } finally {
    await project.close()
  }
}

/** The import goes on, and ends as if nothing had happened. */
async function goesOn(folder: string): Promise<void> {
  const { code, said } = await ended(startImport(folder, [path, '--target', 'k']))
  assert.equal(code, 0, said)
  assert.deepEqual(await kept(folder), undisturbed)
  assert.equal(await readFile(join(folder, '.descent/rejects/import-1.jsonl'), 'utf8'), rejects)
}

test('an import that is killed again and again goes on where it was, to the same end', async (t) => {
  const folder = await emptyProject(await testFolder(t))
  const random = seeded(11)
  let most = 0
  for (const moment of ['at its start', 'after a batch'] as const) {
    const child = startImport(folder, [path, '--target', 'k'])
    const end = ended(child)
    if (moment === 'after a batch') await untilRows(folder, 1)
    await setTimeout(random.uniform() * (moment === 'at its start' ? 500 : 100))
    child.kill('SIGKILL')
    assert.equal((await end).signal, 'SIGKILL')
    const { examples, status } = await kept(folder)
    assert.ok(status === null || status === 'running', `${status}`)
    assert.ok(examples >= most)
    most = examples
  }
  assert.ok(most > 0)
  const project = await openProject(folder)
  const { next } = await projectStatus(project)
  await project.close()
  assert.equal(next.command, `descent import ${path} --target k`)
  await goesOn(folder)
})

const full =
  /^Error: The disk is full: .* cannot (grow|be written)\. What was reported as done is kept; make room and run the command again\.\n$/

const noLimit = process.platform === 'win32' && 'there is no ulimit here'
test('files that may not grow end an import in one sentence', { skip: noLimit }, async (t) => {
  const folder = await emptyProject(await testFolder(t))
  const bin = fileURLToPath(new URL('../../bin/descent.mjs', import.meta.url))
  // In KB, for each file: less than all needs.
  const limited = 'ulimit -f 9000; exec "$0" "$@"'
  const args = ['-c', limited, process.execPath, bin, '-C', folder, 'import', path, '--target', 'k']
  const { code, said } = await ended(spawn('bash', args, { env: { ...process.env, NO_COLOR: '1' } }))
  assert.match(said, full)
  assert.equal(code, 1)
  await kept(folder)
  await goesOn(folder)
})

test('a disk that is full ends an import in one sentence', async (t) => {
  const disk = join(await testFolder(t), 'disk')
  await mkdir(disk)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=9m', 'tmpfs', disk]).status !== 0)
    return t.skip('a small disk cannot be mounted here')
  try {
    const folder = await emptyProject(join(disk, 'project'))
    const { code, said } = await ended(startImport(folder, [path, '--target', 'k']))
    assert.match(said, full)
    assert.equal(code, 1)
    spawnSync('mount', ['-o', 'remount,size=200m', disk])
    await kept(folder)
    await goesOn(folder)
  } finally {
    spawnSync('umount', [disk])
  }
})

test('one import runs at a time; the other is told so, and changes nothing', async (t) => {
  const folder = await emptyProject(await testFolder(t))
  const child = startImport(folder, [path, '--target', 'k'])
  const end = ended(child)
  await untilRows(folder, 0)
  const project = await openProject(folder)
  t.after(() => project.close())
  const other = await testFile(t, 'other.csv', 'x,y,word,k\n-1,2,w,a\n')
  await assert.rejects(importFiles(project, [other], { target: 'k' }), {
    name: 'UserError',
    message: `Another command is importing ${path} into this project (process ${child.pid}): wait until it has ended, or stop it. Nothing was changed.`,
  })
  assert.equal((await end).code, 0)
  assert.deepEqual(await kept(folder), undisturbed)
  assert.equal((await importFiles(project, [other], { target: 'k' })).added, 1)
})

test('Ctrl-C keeps what was read, and the same command goes on', async (t) => {
  const project = await testProject(t, 'tabular')
  const controller = new AbortController()
  const stopped = importFiles(project, [path], {
    target: 'k',
    signal: controller.signal,
    onProgress: () => controller.abort(),
  })
  await assert.rejects(stopped, /^StoppedError: Stopped after \d+ rows of .*, which are kept: the same command goes on/)
  const report = await importFiles(project, [path], { target: 'k' })
  assert.equal(report.sources[0]?.resumed, true)
  assert.deepEqual([report.rows, report.added, report.duplicates, report.bad], undisturbed.counts)
})

test('an import that was stopped, and whose file has changed, begins anew; what it kept stays', async (t) => {
  const project = await testProject(t, 'tabular')
  const changing = await testFile(t, 'rows.csv', await readFile(path))
  const controller = new AbortController()
  const options = { target: 'k', signal: controller.signal, onProgress: () => controller.abort() }
  await assert.rejects(importFiles(project, [changing], options), /StoppedError/)
  await rm(changing)
  await writeRows(changing, 500, 2)
  const report = await importFiles(project, [changing], { target: 'k' })
  assert.match(report.sources[0]?.notes.join() ?? '', /an earlier import of it was stopped after \d+ rows, which stay/)
  assert.equal(report.rows, 500)
  assert.equal((await projectStatus(project)).boxes[0]?.state, 'done')
})
