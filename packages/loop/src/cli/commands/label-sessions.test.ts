import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { presentEvents } from '../../labeling/events.ts'
import type { Project } from '../../project/project.ts'
import { seeded } from '../../random.ts'
import { addExamples, texts } from '../../test-examples.ts'
import { testProject } from '../../test-project.ts'
import { descent } from '../test-command.ts'

const bin = fileURLToPath(new URL('../../../bin/descent.mjs', import.meta.url))
const config = `export default { kind: 'text', classes: ['ham', 'spam'] }`
const numbered = (count: number) => texts(...Array.from({ length: count }, (_, i) => `text ${i}`))
const labelsBy = async ({ store }: Project, labeler: string) =>
  (await presentEvents(store)).filter((event) => event.labeler === labeler).length

test('kill -9 at any moment of labelling: every answer after which the next example was shown is kept', async (t) => {
  const project = await testProject(t, 'text', config)
  const total = 400
  await addExamples(project, numbered(total))
  const random = seeded(Date.now())
  let kept = 0
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, [bin, 'label', '--as', 'ada', '-n', '80'], { cwd: project.folder })
    const killAt = 2 + random.below(30)
    let out = ''
    let shown = 0
    await new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text
        shown = Math.max(0, ...Array.from(out.matchAll(/^(\d+) of \d+ · ada/gm), ([, place]) => Number(place)))
        if (shown >= killAt) child.kill('SIGKILL')
      })
      child.on('error', reject)
      child.on('close', () => resolve())
      child.stdin.on('error', () => {})
      child.stdin.write('12'.repeat(60))
    })
    assert.ok(shown >= killAt, out.slice(-500))
    const labels = await labelsBy(project, 'ada')
    // The n-th example on the screen says that n − 1 answers are kept; more may be, which it had no time to show.
    assert.ok(labels >= kept + shown - 1, `${labels} labels, of which ${kept} before; ${shown} was on the screen`)
    kept = labels
  }
  const { code, out } = await descent(project.folder, ['label', '--as', 'ada', '-n', '2'], '11')
  assert.equal(code, 0)
  assert.match(out, /2 labels given by ada/)
  assert.equal(await labelsBy(project, 'ada'), kept + 2)
})

test('two people in two processes at once: both go on, and every example ends up labelled', async (t) => {
  const project = await testProject(t, 'text', config)
  await addExamples(project, numbered(60))
  const keys = '1'.repeat(60)
  const results = await Promise.all(
    ['ada', 'bob'].map((name) => descent(project.folder, ['label', '--as', name, '-n', '60'], keys)),
  )
  for (const { code, err, out } of results) {
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /0 left in this queue/)
  }
  const events = await presentEvents(project.store)
  assert.equal(new Set(events.map(({ example }) => example)).size, 60)
  for (const [i, name] of ['ada', 'bob'].entries()) {
    const said = Number(/(\d+) labels? given by/.exec(results[i]?.out ?? '')?.[1] ?? 0)
    assert.equal(await labelsBy(project, name), said, 'what it says it kept is kept')
  }
})

const terminal = spawnSync('script', ['--version']).status === 0

test('in a real terminal: one key an answer without Enter, the screen is drawn anew, and Ctrl-C ends it', {
  skip: terminal ? false : 'there is no program `script` to make a terminal with',
}, async (t) => {
  const project = await testProject(t, 'text', config)
  await addExamples(project, numbered(10))
  const child = spawn('script', ['-qfec', `${process.execPath} ${bin} label --as ada`, '/dev/null'], {
    cwd: project.folder,
    env: { ...process.env, TERM: 'xterm-256color' },
  })
  let out = ''
  const waiters: { readonly pattern: RegExp; readonly resolve: () => void }[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    for (const { pattern, resolve } of waiters) if (pattern.test(out)) resolve()
  })
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      waiters.push({ pattern, resolve })
      if (pattern.test(out)) resolve()
      child.on('close', () => reject(new Error(`It ended before ${pattern}: ${out}`)))
    })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const plain = (text: string) => `${text.split('').join('(\\x1b\\[[0-9;]*m)*')}`
  await until(new RegExp(plain('1 of 10')))
  assert.match(out, /no network is trained yet/)
  child.stdin.write('1')
  await until(new RegExp(plain('2 of 10')))
  assert.equal(await labelsBy(project, 'ada'), 1)
  child.stdin.write('s')
  await until(new RegExp(plain('3 of 10')))
  child.stdin.write('x')
  await until(/There is no key 'x' here/)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequence that clears the screen.
  assert.ok((out.match(/\x1b\[2J/g) ?? []).length >= 4)
  child.stdin.write('\x03')
  await ended
  assert.match(out, /1 label given by ada .*, 1 skipped, 8 left in this queue/)
  assert.equal(await labelsBy(project, 'ada'), 1)
})
