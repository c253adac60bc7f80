import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('main.ts', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
/** Of the promise of three minutes, with a machine in mind that does other things beside. */
const limit = 5 * 60_000

function run(): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, '--exit'], { cwd: root, env: { ...process.env, NO_COLOR: '1' } })
    const timer = setTimeout(() => child.kill('SIGKILL'), limit)
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, out, err })
    })
  })
}

test('once round the circle: the drift rings, its labels make a better model, and that one answers', async () => {
  const { code, out, err } = await run()
  assert.deepEqual([code, err], [0, ''], out)
  assert.match(out, /500 digits as they were: [\d.]+ % right; alarms: none\./)
  assert.match(out, /^ALARM after \d+ requests: drift:embedding: .* \d+ digits put into the queue$/m)
  assert.match(out, /labels given by "replay": here the true labels are played back/)
  assert.match(out, /Version 2 answers now, without a request dropped\./)
  const [, before = 0, after = 0] = (
    /1,000 more digits, turned or inverted: ([\d.]+) % right before, ([\d.]+) % now/.exec(out) ?? []
  ).map(Number)
  assert.ok(after > before + 10, `${before} % before, ${after} % now`)
  assert.match(out, /What \d+ new labels bought:\n {2}on recent traffic/)
  assert.match(out, /The circle is closed after \d+ s\.\nStopped\.\n$/)
})
