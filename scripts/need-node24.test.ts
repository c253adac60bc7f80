import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const guard = fileURLToPath(new URL('./need-node24.mjs', import.meta.url))

/** Runs the guard in a Node that believes to be of another version. */
function runAs(version: string): { status: number | null; stderr: string } {
  const pretend = `Object.defineProperty(process, 'version', { value: 'v${version}' })
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, guard],
    { encoding: 'utf8' },
  )
  return { status, stderr }
}

test('an old Node gets one line that says what to do', () => {
  const { status, stderr } = runAs('20.19.0')
  assert.equal(status, 1)
  assert.equal(stderr.trimEnd().split('\n').length, 1)
  assert.match(stderr, /needs Node 24 or newer, and this is v20\.19\.0: run `npm ci`/)
})

test('Node 24 and later pass in silence', () => {
  for (const version of ['24.0.0', '26.10.0']) assert.deepEqual(runAs(version), { status: 0, stderr: '' })
})
