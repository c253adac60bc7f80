/** Machines without shared memory, or with one core, compute the same bits. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

const library = new URL('../../index.ts', import.meta.url).href
const source = `
  const { compile, manualSeed, mseLoss, nn, optim, randn } = await import(${JSON.stringify(library)})
  manualSeed(3)
  const net = new nn.Sequential(new nn.Linear(200, 300), new nn.ReLU(), new nn.Linear(300, 5))
  const optimizer = new optim.Adam(net.parameters())
  const [x, y] = [randn([256, 200]), randn([256, 5])]
  const step = compile(() => {
    optimizer.zeroGrad()
    const loss = mseLoss(net.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss
  })
  console.log(Array.from({ length: 6 }, () => step().item()).join(' '))`

function losses(program: string, args: readonly string[], before = ''): string {
  const node = [...args, '--input-type=module', '--eval', before + source]
  const env = { ...process.env, DESCENT_DEVICE: 'wasm' }
  const { stdout, stderr } = spawnSync(program, node, { encoding: 'utf8', env })
  assert.match(stdout, /^[\d.]+( [\d.]+){5}\n$/, stderr)
  return stdout
}

const usual = losses(process.execPath, [])

test('without shared memory', () => {
  assert.equal(losses(process.execPath, [], 'delete globalThis.SharedArrayBuffer;'), usual)
})

const taskset = spawnSync('taskset', ['--version']).error === undefined
test('on one core', { skip: taskset ? false : 'this system has no taskset' }, () => {
  assert.equal(losses('taskset', ['-c', '0', process.execPath]), usual)
})
