import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seeded } from './random.ts'

const seeds = fc.maxSafeNat()

test('the same seed gives the same numbers, another seed others, large ones included', () => {
  const first = (seed: number) => Array.from({ length: 8 }, seeded(seed).uniform).join()
  fc.assert(
    fc.property(seeds, seeds, (a, b) => {
      assert.equal(first(a), first(a))
      if (a !== b) assert.notEqual(first(a), first(b))
    }),
  )
  assert.notEqual(first(1), first(1 + 2 ** 32))
  assert.throws(() => seeded(-1), /whole number from 0/)
})

test('uniform, whole and normal numbers have the means and variances of their distributions', () => {
  const random = seeded(3)
  const moments = (draw: () => number) => {
    const draws = Array.from({ length: 40_000 }, draw)
    const mean = draws.reduce((a, b) => a + b) / draws.length
    return [mean, draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length] as const
  }
  const near = (got: readonly [number, number], mean: number, variance: number) => {
    assert.ok(Math.abs(got[0] - mean) < 0.03 * Math.sqrt(variance), `mean ${got[0]} for ${mean}`)
    assert.ok(Math.abs(got[1] / variance - 1) < 0.04, `variance ${got[1]} for ${variance}`)
  }
  near(moments(random.uniform), 0.5, 1 / 12)
  near(
    moments(() => random.below(7)),
    3,
    4,
  )
  near(moments(random.normal), 0, 1)
})

test('a permutation holds every number once, and each number comes first equally often', () => {
  fc.assert(
    fc.property(seeds, fc.nat(40), (seed, count) => {
      const order = seeded(seed).permutation(count)
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        [...Array(count).keys()],
      )
    }),
  )
  const random = seeded(5)
  const first = new Array<number>(5).fill(0)
  for (let i = 0; i < 10_000; i++) {
    const [head = 0] = random.permutation(5)
    first[head] = (first[head] as number) + 1
  }
  for (const count of first) assert.ok(Math.abs(count - 2000) < 200, `${first}`)
})
