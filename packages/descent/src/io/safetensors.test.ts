import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { tensor } from '../create.ts'
import { Linear } from '../nn/linear.ts'
import { decodeSafetensors, encodeSafetensors, loadSafetensors, saveSafetensors } from './safetensors.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'))
})
after(() => rm(folder, { recursive: true }))

test('tensors of every dtype come back as they were, views too', () => {
  const weight = tensor([
    [1, 2],
    [3, 4],
  ])
  const { tensors, metadata } = decodeSafetensors(
    encodeSafetensors(
      { turned: weight.t(), steps: tensor([3], { dtype: 'i32' }), mask: tensor([true, false]) },
      { a: 'b' },
    ),
  )
  assert.deepEqual(tensors.turned?.toArray(), [
    [1, 3],
    [2, 4],
  ])
  assert.deepEqual([tensors.steps?.dtype, tensors.steps?.toArray()], ['i32', [3]])
  assert.deepEqual([tensors.mask?.dtype, tensors.mask?.toArray()], ['bool', [true, false]])
  assert.deepEqual(metadata, { a: 'b' })
})

test('a saved network is loaded into another with the same results', async () => {
  const path = join(folder, 'net.safetensors')
  const [a, b] = [new Linear(4, 3), new Linear(4, 3)]
  await saveSafetensors(path, a.stateDict())
  b.loadStateDict(await loadSafetensors(path))
  assert.deepEqual(b.weight.data(), a.weight.data())
  assert.deepEqual(await readdir(folder), ['net.safetensors'], 'no temporary file stays')
})

test('a truncated file is a FormatError that names it', async () => {
  const path = join(folder, 'short.safetensors')
  await saveSafetensors(path, new Linear(4, 3).stateDict())
  await writeFile(path, (await readFile(path)).subarray(0, -1))
  await assert.rejects(loadSafetensors(path), {
    name: 'FormatError',
    message: /short\.safetensors: .*lie outside of the file's 59 bytes/,
  })
})

test('a file that cannot be written leaves nothing behind', async () => {
  await assert.rejects(saveSafetensors(join(folder, 'missing', 'net.safetensors'), {}), { code: 'ENOENT' })
  assert.equal(
    (await readdir(folder)).some((name) => name.endsWith('.tmp')),
    false,
  )
})
