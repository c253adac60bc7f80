import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import sharp, { type Sharp } from 'sharp'
import { seeded } from '../../random.ts'
import { nearImages, shrink, sketchImage } from './near-images.ts'
import { nearRows } from './near-rows.ts'
import { nearTexts, sketchText, textLikeness } from './near-texts.ts'

const random = seeded(3)

test('rows whose numbers were rounded or disturbed a little are near; others are not', () => {
  const rows = 2000
  const columns = Array.from({ length: 6 }, () => Float64Array.from({ length: rows }, () => random.normal()))
  // The last hundred rows are the first hundred, disturbed by a ten-thousandth of the spread.
  for (const values of columns)
    for (let i = 0; i < 100; i++) values[rows - 100 + i] = (values[i] as number) + 1e-4 * (random.uniform() - 0.5)
  const like = nearRows(
    columns.map((values) => ({ values, spread: 1 })),
    rows,
  )
  const found = [...like.keys()].filter((r) => like[r] !== -1)
  assert.ok(found.length >= 98, `${found.length} of 100`)
  for (const r of found) assert.equal(like[r], r - (rows - 100))
})

test('rows of few values are near one another by chance, and nothing is said', () => {
  const values = Float64Array.from({ length: 1000 }, () => random.below(50))
  const like = nearRows([{ values, spread: 10 }], 1000)
  assert.ok(like.every((other) => other === -1))
})

const words = (count: number) => Array.from({ length: count }, () => `w${random.below(5000)}`)

/** By definition. */
function jaccard(a: readonly string[], b: readonly string[]): number {
  const shingles = (text: readonly string[]) => new Set(text.slice(2).map((_, i) => text.slice(i, i + 3).join(' ')))
  const [x, y] = [shingles(a), shingles(b)]
  return x.intersection(y).size / x.union(y).size
}

test('the likeness of two texts is the share of three-word sequences that they have in common', () => {
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 60 }), fc.nat(60), fc.nat(20), (length, from, more) => {
      const a = words(length)
      const b = [...a.slice(Math.min(from, length)), ...words(more + 3)]
      const [x, y] = [sketchText(a.join(' ')), sketchText(b.join(', ').toUpperCase())]
      // Up to 128 sequences a sketch holds them all.
      assert.equal(textLikeness(x, y), jaccard(a, b))
    }),
    { seed: 1, numRuns: 200 },
  )
  const long = words(2000)
  const changed = long.map((word, i) => (i % 40 === 0 ? 'other' : word))
  const estimate = textLikeness(sketchText(long.join(' ')), sketchText(changed.join(' ')))
  assert.ok(Math.abs(estimate - jaccard(long, changed)) < 0.15, `${estimate}, not ${jaccard(long, changed)}`)
})

test('texts with a few words changed are found among many; texts of their own are not', () => {
  const texts = Array.from({ length: 400 }, () => words(20 + random.below(200)))
  const copies = texts.slice(0, 50).map((text) => [...text, 'one', 'more'])
  const like = nearTexts([...texts, ...copies].map((text) => sketchText(text.join(' '))))
  assert.deepEqual([...like.subarray(400)], [...copies.keys()])
  assert.ok(like.subarray(0, 400).every((other) => other === -1))
})

test('a picture is found again smaller, brighter and compressed, and not turned around', async () => {
  const [width, height] = [120, 90]
  const picture = (seed: number) => {
    const of = seeded(seed)
    const waves = Array.from({ length: 8 }, () => [of.normal() / 20, of.normal() / 20, 7 * of.uniform()] as const)
    return Uint8Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)]
      return 128 + waves.reduce((sum, [a, b, phase]) => sum + 14 * Math.sin(a * x + b * y + phase), 0)
    })
  }
  const raw = (pixels: Uint8Array) => sharp(pixels, { raw: { width, height, channels: 1 } })
  const read = async (image: Sharp) => {
    const { data, info } = await sharp(await image.toBuffer())
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true })
    return sketchImage(shrink(data, info.width, info.height, info.channels))
  }
  const originals = Array.from({ length: 40 }, (_, i) => sketchImage(shrink(picture(i), width, height, 1)))
  const one = picture(7)
  const again = await Promise.all([
    read(raw(one).jpeg({ quality: 40 })),
    read(raw(one).resize(60, 45).png()),
    read(raw(one).linear(0.7, 30).png()),
  ])
  const flipped = await read(raw(one).flop().png())
  const like = nearImages([...originals, ...again, flipped])
  // A copy may be most like another copy, which is like the original.
  const origin = (i: number): number => (like[i] === -1 ? i : origin(like[i] as number))
  assert.deepEqual([40, 41, 42].map(origin), [7, 7, 7])
  assert.equal(like[43], -1)
  assert.ok(like.subarray(0, 40).every((other) => other === -1))
})

test('to shrink a picture is to take means, whatever its size', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 90 }),
      fc.nat(255),
      (width, height, grey) => {
        const flat = shrink(new Uint8Array(width * height * 3).fill(grey), width, height, 3)
        assert.ok(flat.every((value) => Math.abs(value - grey) < 1e-9))
        const pixels = Uint8Array.from({ length: width * height }, (_, i) => (i * 37) % 256)
        const mean = (values: ArrayLike<number>) =>
          Array.from(values).reduce((sum, value) => sum + value, 0) / values.length
        assert.ok(Math.abs(mean(shrink(pixels, width, height, 1)) - mean(pixels)) < 1e-9)
      },
    ),
    { seed: 1, numRuns: 50 },
  )
})
