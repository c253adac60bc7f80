import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { testFolder } from '../test-project.ts'
import { EnergyMeter, environmentOf } from './environment.ts'

test('energy is what the counters of all packages went up by, over their turn too; none where they cannot be read', async (t) => {
  const root = await testFolder(t)
  const set = async (zone: string, microjoules: number) => {
    await mkdir(join(root, zone), { recursive: true })
    await writeFile(join(root, zone, 'energy_uj'), `${microjoules}\n`)
    await writeFile(join(root, zone, 'max_energy_range_uj'), '10000000\n')
  }
  assert.equal(new EnergyMeter(root).take(), null)
  await set('intel-rapl:0', 1_000_000)
  await set('intel-rapl:1', 9_000_000)
  // Part of a package, which counts it already.
  await set('intel-rapl:0:0', 5_000_000)
  const meter = new EnergyMeter(root)
  await set('intel-rapl:0', 3_000_000)
  await set('intel-rapl:1', 500_000)
  await set('intel-rapl:0:0', 9_000_000)
  assert.equal(meter.take(), 2 + 1.5)
  assert.equal(meter.take(), 0)
})

test('the commit of the project’s folder is recorded, and whether files had changed since', async (t) => {
  const folder = await testFolder(t)
  assert.equal((await environmentOf(folder)).commit, null)
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
  git('init')
  git('commit', '--allow-empty', '-m', 'first')
  const commit = git('rev-parse', 'HEAD').trim()
  assert.equal((await environmentOf(folder)).commit, commit)
  await writeFile(join(folder, 'a.txt'), 'a')
  const { commit: changed, cores, threads, processor, process: own } = await environmentOf(folder, 1)
  assert.equal(changed, `${commit}+`)
  assert.ok(cores >= 1 && threads === 1 && processor.length > 0)
  assert.equal(own.pid, process.pid)
})
