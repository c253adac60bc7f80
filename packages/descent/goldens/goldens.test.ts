/** A selection of the golden cases, so that a clone needs no other folder: every device, eager and compiled. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { testedDevices } from '../src/devices/tested.ts'
import type { Cases } from './cases.ts'
import { compareNumbers, usual } from './compare.ts'
import { runCases } from './runner.ts'

const cases: Cases = JSON.parse(readFileSync(new URL('selection.json', import.meta.url), 'utf8'))

for (const { name: device, skip } of testedDevices) {
  for (const mode of ['eager', 'compiled'] as const) {
    test(`the selected golden cases hold on ${device}, ${mode}`, { skip }, () => {
      const outcomes = runCases(cases, device, mode)
      const failures = outcomes.flatMap((o) => o.failures.map((failure) => `${o.family} ${o.name}: ${failure}`))
      assert.ok(outcomes.length >= 40)
      assert.deepEqual(failures, [])
    })
  }
}

test('a comparison names the element that is furthest off, and takes NaN and infinity only for themselves', () => {
  const shape = [2, 2]
  assert.equal(compareNumbers('x', [1, 2, 3, 4 + 1e-6], [1, 2, 3, 4], usual, shape), null)
  assert.match(
    compareNumbers('x', [1, 2.1, 4, 4], [1, 2, 3, 4], usual, shape) ?? '',
    /error 1.00 at \[1, 0\]: 4 instead of 3 \(2 of 4/,
  )
  assert.equal(compareNumbers('x', [Number.NaN, Infinity], [Number.NaN, Infinity], usual), null)
  assert.notEqual(compareNumbers('x', [1], [Number.NaN], usual), null)
  assert.notEqual(compareNumbers('x', [Number.NaN], [1], usual), null)
  assert.notEqual(compareNumbers('x', [1e30], [Infinity], usual), null)
  assert.notEqual(compareNumbers('x', [1], [2], null), null)
})

test('the runner ends with code 2 and says why where the folder is missing or an option is unknown', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [fileURLToPath(new URL('run.ts', import.meta.url)), ...args], { encoding: 'utf8' })
  const missing = run('--dir', 'no-such-folder')
  assert.equal(missing.status, 2)
  assert.match(missing.stderr, /folder no-such-folder does not exist/)
  const unknown = run('--dir', '.', '--device', 'abacus')
  assert.equal(unknown.status, 2)
  assert.match(unknown.stderr, /abacus: expected one of reference, wasm, x64/)
  assert.equal(run().status, 2)
})
