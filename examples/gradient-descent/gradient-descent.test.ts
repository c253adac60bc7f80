import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readIrises } from '../iris/iris.ts'
import { plot } from './curves.ts'
import { descend } from './descend.ts'

test('the fewer examples a step, the more an epoch learns; all learn', async () => {
  const irises = readIrises()
  const settings = { epochs: 10, lr: 0.1 }
  const full = await descend('full', irises, { ...settings, batchSize: 150 })
  const mini = await descend('mini', irises, { ...settings, batchSize: 15 })
  const single = await descend('single', irises, { ...settings, batchSize: 1 })
  assert.deepEqual([full.steps, mini.steps, single.steps], [10, 100, 1500])
  assert.equal(full.losses[0], single.losses[0])
  const last = [full, mini, single].map(({ losses }) => losses.at(-1) as number)
  assert.ok((last[0] as number) < (full.losses[0] as number))
  assert.ok((last[1] as number) < (last[0] as number) && (last[2] as number) < (last[1] as number), `${last}`)
  assert.ok(single.accuracy > 0.93, `${single.accuracy}`)
  // On a full batch and a small rate, the loss falls with every step.
  for (const [i, loss] of full.losses.entries()) assert.ok(i === 0 || loss < (full.losses[i - 1] as number))
})

test('a plot has a row for each range of values, and no gaps where a curve is steep', () => {
  const lines = plot([{ mark: 'x', values: [100, 1] }], 2, 5)
  assert.deepEqual(
    lines.map((line) => line.replace(/^.*│/, '')),
    ['x', ' x', ' x', ' x', ' x'],
  )
  assert.match(lines[0] as string, /^100\.000 │/)
  assert.match(lines[4] as string, /1\.000 │/)
})

test('the example runs and says what it found', () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^full batch +150 .* 100 +\d/m)
  assert.match(stdout, /^stochastic +1 .* 15,000 +\d/m)
})
