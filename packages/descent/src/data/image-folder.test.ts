import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { imageFolder } from './image-folder.ts'
import { DataLoader } from './loader.ts'
import { randomSplit } from './subset.ts'

let folder: string

type Rgb = readonly [number, number, number]

async function picture(
  path: string,
  height: number,
  width: number,
  pixel: (y: number, x: number) => Rgb,
): Promise<void> {
  const pixels = height * width
  const bytes = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i++) bytes.set(pixel(Math.floor(i / width), i % width), 3 * i)
  await mkdir(join(folder, path, '..'), { recursive: true })
  await sharp(bytes, { raw: { height, width, channels: 3 } }).toFile(join(folder, path))
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'images-'))
  await picture('good/cat/b.png', 2, 3, (y, x) => [10 * y, 20 * x, 255])
  await picture('good/cat/deep/a.png', 2, 3, () => [255, 0, 0])
  await picture('good/dog/a.jpg', 20, 30, () => [0, 128, 255])
  await writeFile(join(folder, 'good/dog/notes.txt'), 'no picture')
  await picture('mixed/a/1.png', 8, 8, () => [1, 1, 1])
  await picture('mixed/a/2.jpg', 64, 64, (y, x) => [(y * x) % 256, y, x])
  await picture('mixed/b/3.png', 8, 8, () => [3, 3, 3])
  await picture('mixed/b/4.png', 40, 40, (y, x) => [(7 * y * x) % 256, y, x])
  for (const file of ['a/2.jpg', 'b/4.png']) {
    const bytes = await readFile(join(folder, 'mixed', file))
    await writeFile(join(folder, 'mixed', file), bytes.subarray(0, bytes.length / 2))
  }
  await writeFile(join(folder, 'mixed/b/5.png'), 'this is text')
})
after(() => rm(folder, { recursive: true }))

test('classes are the folders, examples [C, H, W], pixels normalised', async () => {
  const images = await imageFolder(join(folder, 'good'), { size: [2, 3], mean: [0.5, 0, 0], std: [0.5, 1, 1] })
  assert.deepEqual([images.length, images.classes, [...images.labels()]], [3, ['cat', 'dog'], [0, 0, 1]])
  const { x, y } = await images.read(Int32Array.of(0, 1))
  assert.deepEqual(x.shape, [2, 3, 2, 3])
  const near = (from: number, want: readonly number[]) => {
    for (const [i, value] of want.entries())
      assert.ok(Math.abs((x.values[from + i] as number) - value) < 1e-6, `${from + i}`)
  }
  near(
    0,
    [0, 0, 0, 10, 10, 10].map((byte) => (byte / 255 - 0.5) / 0.5),
  )
  near(
    6,
    [0, 20, 40, 0, 20, 40].map((byte) => byte / 255),
  )
  near(12, [1, 1, 1, 1, 1, 1])
  near(18, [1, 1, 1, 1, 1, 1])
  assert.deepEqual(y, { shape: [2], values: Int32Array.of(0, 0) })
})

test('grey is the luma of Pillow, and pictures are made the size that is wanted', async () => {
  const images = await imageFolder(join(folder, 'good'), { size: 4, channels: 1 })
  const { x } = await images.read(Int32Array.of(1, 2))
  assert.deepEqual(x.shape, [2, 1, 4, 4])
  assert.ok(Math.abs((x.values[0] as number) - 76 / 255) < 1e-6)
  assert.ok(Math.abs((x.values[16] as number) - 104 / 255) < 0.02)
  const four = await imageFolder(join(folder, 'good'), { size: 2, channels: 4 })
  assert.deepEqual((await four.read(Int32Array.of(0))).x.values.slice(-4), Float32Array.of(1, 1, 1, 1))
})

test('a bordered picture keeps its proportions', async () => {
  const images = await imageFolder(join(folder, 'good'), { size: 6, fit: 'contain' })
  const { x } = await images.read(Int32Array.of(1))
  assert.deepEqual([x.values[0], x.values[3 * 6]], [0, 1])
})

test('a picture that cannot be decoded stops the reading and is named', async () => {
  const images = await imageFolder(join(folder, 'mixed'), { size: 8 })
  const names = images.files.map(({ path }) => path)
  assert.deepEqual(names, ['a/1.png', 'a/2.jpg', 'b/3.png', 'b/4.png', 'b/5.png'])
  for (const bad of ['a/2.jpg', 'b/4.png', 'b/5.png']) {
    await assert.rejects(images.read(Int32Array.of(names.indexOf(bad))), {
      name: 'FormatError',
      message: new RegExp(`^${bad} cannot be decoded: .*`),
    })
  }
})

test('bad pictures are left out and named, with workers and without; or a function is told', async (t) => {
  const warned = t.mock.method(console, 'warn', () => {})
  const seen: string[] = []
  for (const [numWorkers, onBad] of [
    [0, 'skip'],
    [1, 'skip'],
    [0, ({ name }: { readonly name: string }) => seen.push(name)],
  ] as const) {
    const images = await imageFolder(join(folder, 'mixed'), { size: 8, onBad })
    await using loader = new DataLoader(images, { batchSize: 2, numWorkers })
    for (let epoch = 0; epoch < 2; epoch++) {
      const found: [number[], number[]][] = []
      for await (const { y, numbers } of loader) found.push([[...numbers], [...y.data()]])
      // Batches hold 0 and 1, 2 and 3, and 4.
      assert.deepEqual(found, [
        [[0], [0]],
        [[2], [1]],
      ])
    }
    assert.deepEqual(loader.skipped.map(({ name }) => name).sort(), ['a/2.jpg', 'b/4.png', 'b/5.png'])
  }
  assert.deepEqual(seen.sort(), ['a/2.jpg', 'b/4.png', 'b/5.png'])
  assert.equal(warned.mock.callCount(), 9)
  assert.match(String(warned.mock.calls[0]?.arguments[0]), /left out a\/2\.jpg, which cannot be decoded/)
})

test('what is left out of a part keeps the numbers of the part', async (t) => {
  t.mock.method(console, 'warn', () => {})
  const images = await imageFolder(join(folder, 'mixed'), { size: 8, onBad: 'skip' })
  const [part] = randomSplit(images, [5], { seed: 1 })
  const { numbers, y } = await (part as NonNullable<typeof part>).read(Int32Array.of(0, 1, 2, 3, 4))
  const kept = Array.from(numbers ?? [], (n) => part?.numbers[n])
  assert.deepEqual(kept.toSorted(), [0, 2])
  assert.deepEqual(
    [...(y as { values: Int32Array }).values],
    kept.map((n) => Number(n === 2)),
  )
})

test('decoded pictures are kept as far as they fit, and files can be given as a list', async () => {
  const file = join(folder, 'kept.png')
  await picture('kept.png', 2, 2, () => [255, 255, 255])
  const read = async (cacheBytes: number) => {
    const blob = new Blob([await readFile(file)])
    let opened = 0
    const value = () => {
      opened++
      return Blob.prototype.arrayBuffer.call(blob)
    }
    Object.defineProperty(blob, 'arrayBuffer', { value })
    const images = await imageFolder([{ path: 'c/1.png', file: blob }], { size: 2, cacheBytes })
    const first = (await images.read(Int32Array.of(0))).x.values
    assert.deepEqual((await images.read(Int32Array.of(0))).x.values, first)
    return opened
  }
  assert.deepEqual([await read(1000), await read(11)], [1, 2])
})

test('folders that cannot be are errors that say what is expected', async () => {
  await mkdir(join(folder, 'empty'), { recursive: true })
  await assert.rejects(
    imageFolder(join(folder, 'empty'), { size: 2 }),
    /holds no pictures: there must be a folder for each/,
  )
  await assert.rejects(imageFolder(join(folder, 'good/cat'), { size: 2 }), /'b.png' is in no folder of a class/)
  await assert.rejects(imageFolder(join(folder, 'nowhere'), { size: 2 }), /ENOENT.*nowhere/)
  await assert.rejects(imageFolder(join(folder, 'good'), { size: 0 }), /whole numbers above 0, not 0/)
  await assert.rejects(imageFolder(join(folder, 'good'), { size: 2, mean: [1, 2] }), /must be given for 3 channels/)
})
