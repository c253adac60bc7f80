import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import sharp from 'sharp'
import { requester, withChampion } from '../../deployment/test-serving.ts'
import { digitProject, penguinProject } from '../../registry/test-versions.ts'
import type { Content, ImageContent } from '../../store/content.ts'
import { testProject } from '../../test-project.ts'
import { descent } from '../test-command.ts'

const bin = fileURLToPath(new URL('../../../bin/descent.mjs', import.meta.url))

/** `descent serve` in a process of its own, and where it answers. */
async function started(folder: string, args: readonly string[] = []) {
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', ...args], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  const address = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        out += text
        const found = /answers at (http:\S+)/.exec(out)
        if (found) resolve(found[1] as string)
      })
    }
    child.once('close', () => reject(new Error(out)))
  })
  return { child, address, out: () => out, ask: requester({ address }) }
}

function pixelsOf([first]: readonly { readonly content: Content }[]): Uint8Array {
  return (first as { content: ImageContent }).content.bytes
}

test('descent serve answers until Ctrl-C, then answers what was asked, writes its log and ends with code 0', async (t) => {
  const { project, examples } = await withChampion(await digitProject(t))
  const { child, ask, out } = await started(project.folder, ['--random-share', '1'])
  const pixels = pixelsOf(examples)
  const raw = { 'content-type': 'application/octet-stream' }
  const replies = Array.from({ length: 40 }, () => ask('POST', '/predict', pixels, raw))
  await replies[0]
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  const answered = (await Promise.allSettled(replies)).filter(({ status }) => status === 'fulfilled').length
  assert.match(out(), /Version 1 of \S+ answers at http:\/\/127\.0\.0\.1:\d+/)
  assert.match(out(), new RegExp(`Answered ${answered} requests?\\. ${answered} predictions? logged\\.`))
  const rows = await project.store.db.selectFrom('prediction').select('random').execute()
  assert.deepEqual(
    rows.map(({ random }) => random),
    Array(answered).fill(1),
  )
})

test('kill -9 under load: every prediction that was acknowledged is there, and the database is sound', async (t) => {
  const { project, examples } = await withChampion(await digitProject(t))
  const pixels = pixelsOf(examples)
  const acknowledged: string[] = []
  for (const moment of [120, 260]) {
    const { child, ask } = await started(project.folder)
    const sender = async () => {
      for (;;) {
        const { body } = await ask('POST', '/predict?wait=logged', pixels, {
          'content-type': 'application/octet-stream',
        })
        if (body.logged) acknowledged.push(body.id)
      }
    }
    const senders = Promise.allSettled(Array.from({ length: 16 }, sender))
    const before = acknowledged.length
    while (acknowledged.length === before) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, moment))
    child.kill('SIGKILL')
    await senders
  }
  const db = new Database(join(project.store.folder, 'project.db'))
  t.after(() => db.close())
  assert.deepEqual(db.pragma('integrity_check'), [{ integrity_check: 'ok' }])
  assert.deepEqual(db.pragma('foreign_key_check'), [])
  const there = new Set(db.prepare('select id from prediction').pluck().all())
  assert.ok(acknowledged.length > 16)
  assert.deepEqual(
    acknowledged.filter((id) => !there.has(id)),
    [],
  )
})

test('descent predict: a table in, the same table out with predictions; what is wrong stays in its line', async (t) => {
  const { project, examples } = await withChampion(await penguinProject(t))
  const rows = examples.slice(0, 3).map(({ content }) => (content as Extract<Content, { kind: 'row' }>).values)
  const names = Object.keys(rows[0] ?? {})
  const line = (row: Record<string, unknown>, note: string) => [...names.map((name) => row[name] ?? ''), note].join(',')
  const input = [
    [...names, 'note'].join(','),
    line(rows[0] ?? {}, '"a, ""quoted"" note"'),
    'too,short',
    line({ ...rows[1], 'Body Mass (g)': 'heavy' }, ''),
    line(rows[2] ?? {}, 'last'),
  ]
  await writeFile(join(project.folder, 'in.csv'), `${input.join('\n')}\n`)
  const { code, err } = await descent(project.folder, ['predict', 'in.csv', '--out', 'out.csv'])
  assert.equal(code, 1)
  assert.match(err, /Version 1 predicted 2 inputs: out\.csv\./)
  assert.match(err, /2 inputs could not be predicted/)
  const out = (await readFile(join(project.folder, 'out.csv'), 'utf8')).trimEnd().split('\n')
  assert.equal(out[0], [...names, 'note', 'predicted', 'probability', 'uncertainty', 'version', 'error'].join(','))
  assert.match(out[1] ?? '', /"a, ""quoted"" note",\w+,[\d.]+,[\d.]+,1,$/)
  assert.match(out[2] ?? '', new RegExp(`^too,short,.*line 3: the row has 2 fields, not ${names.length + 1}`))
  assert.match(out[3] ?? '', /line 4: 'Body Mass \(g\)': ""heavy"" is no finite number\./)
  assert.match(out[4] ?? '', /,last,\w+,[\d.]+,[\d.]+,1,$/)
  const piped = await descent(project.folder, ['predict', 'in.csv', '--version', '1'])
  assert.equal(piped.out.trimEnd(), out.join('\n'))
  const wrong = await descent(project.folder, ['predict', 'nothing.csv'])
  assert.deepEqual([wrong.code, /nothing\.csv does not exist/.test(wrong.err)], [1, true])
})

test('descent predict: pictures in a folder, one that is broken among them', async (t) => {
  const { project, examples } = await withChampion(await digitProject(t))
  await mkdir(join(project.folder, 'pictures'))
  for (const [i, { content }] of examples.slice(0, 3).entries()) {
    const png = await sharp((content as ImageContent).bytes, { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toBuffer()
    await writeFile(join(project.folder, 'pictures', `${i}.png`), i === 1 ? png.subarray(0, 70) : png)
  }
  const { out, err, code } = await descent(project.folder, ['predict', 'pictures'])
  const lines = out.trimEnd().split('\n')
  assert.equal(lines[0], 'file,predicted,probability,uncertainty,version,error')
  assert.match(lines[1] ?? '', /^0\.png,\d,[\d.]+,[\d.]+,1,$/)
  assert.match(lines[2] ?? '', /^1\.png,,,,,.*cannot be read/)
  assert.match(lines[3] ?? '', /^2\.png,\d,/)
  assert.deepEqual([code, /1 input could not be predicted/.test(err)], [1, true])
})

test('descent token: made and shown once, listed, revoked', async (t) => {
  const project = await testProject(t, 'text')
  const made = await descent(project.folder, ['token', 'create', 'shop', '--per-minute', '100'])
  assert.match(made.out, /^descent_[\w-]{43}\n$/)
  assert.match(made.err, /shown this once/)
  const list = await descent(project.folder, ['token', 'list'])
  assert.match(list.out, /shop\s+100\s+/)
  assert.ok(!list.out.includes(made.out.trim()))
  assert.match((await descent(project.folder, ['token', 'revoke', 'shop'])).out, /is revoked/)
  assert.match((await descent(project.folder, ['token', 'list'])).out, /revoked/)
  const none = await descent(project.folder, ['token', 'revoke', 'other'])
  assert.deepEqual([none.code, /no token 'other'/.test(none.err)], [1, true])
})
