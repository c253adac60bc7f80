import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { DeviceName } from 'descent'
import { fastDevices } from './devices.ts'

/** Runs W1's step in a process of its own; gives the growth of its resident memory after the first thousand steps. */
function growth(device: DeviceName, mode: 'compiled' | 'eager', steps: number): number {
  const program = fileURLToPath(new URL('./memory.ts', import.meta.url))
  // The engine doubles its nursery whenever enough has survived: a fixed size keeps that out of the measurement.
  const args = ['--min-semi-space-size=8', '--max-semi-space-size=8', program, device, mode, String(steps)]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.match(stdout, /^-?[\d.]+ MB$/m, stderr)
  return Number.parseFloat(stdout)
}

for (const device of fastDevices()) {
  test(`100,000 compiled steps on ${device} need no more memory than a thousand`, () => {
    assert.ok(growth(device, 'compiled', 100_000) < 10)
  })

  test(`10,000 eager steps on ${device} need no more memory than a thousand`, () => {
    assert.ok(growth(device, 'eager', 10_000) < 10)
  })
}
