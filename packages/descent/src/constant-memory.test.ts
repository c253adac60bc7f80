/** Steps run in constant memory: neither compiled nor eager ones leave anything behind. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const library = new URL('./index.ts', import.meta.url).href

/** Resident megabytes gained after the first thousand of `steps` steps of a small network (2-8-8-1, 64 rows). */
function growth(compiled: boolean, steps: number): number {
  const source = `
    import { compile, manualSeed, mseLoss, nn, optim, randn } from ${JSON.stringify(library)}
    manualSeed(1)
    const net = new nn.Sequential(new nn.Linear(2, 8), new nn.Tanh(), new nn.Linear(8, 8), new nn.Tanh(), new nn.Linear(8, 1))
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 })
    const [x, y] = [randn([64, 2]), randn([64, 1])]
    const body = (a, b) => {
      optimizer.zeroGrad()
      const loss = mseLoss(net.forward(a), b)
      loss.backward()
      optimizer.step()
      return loss
    }
    const step = ${compiled ? 'compile(body)' : 'body'}
    const settled = async () => {
      for (let i = 0; i < 4; i++) {
        globalThis.gc()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      return process.memoryUsage.rss()
    }
    let before = 0
    for (let i = 0; i < ${steps}; i++) {
      if (i === 1000) before = await settled()
      step(x, y).item()
    }
    console.log((await settled() - before) / 2 ** 20)`
  const args = ['--expose-gc', '--input-type=module', '--eval', source]
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    encoding: 'utf8',
  })
  assert.match(stdout, /^-?[\d.e-]+\n$/, stderr)
  return Number(stdout)
}

test('100,000 compiled steps change the resident size by less than 10 MB', () => {
  assert.ok(growth(true, 100_000) < 10)
})

test('10,000 eager steps change the resident size by less than 10 MB', () => {
  assert.ok(growth(false, 10_000) < 10)
})
