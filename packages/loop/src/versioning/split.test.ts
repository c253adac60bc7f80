import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deal, type SplitItem, type SplitSettings } from './split.ts'

const settings: SplitSettings = { validation: 0.15, test: 0.2, by: 'hash', seed: 1 }

function item(i: number, more: Partial<SplitItem> = {}): SplitItem {
  return { id: `id${i}`, stratum: null, group: null, time: null, given: null, frozen: false, ...more }
}

const splitsOf = (items: readonly SplitItem[], with_: Partial<SplitSettings> = {}) =>
  deal(items, { ...settings, ...with_ }).map(({ split }) => split)
const shareOf = (splits: readonly unknown[], split: string) => splits.filter((s) => s === split).length / splits.length

test('the shares hold, in every class alike', () => {
  const items = Array.from({ length: 1000 }, (_, i) => item(i, { stratum: i % 10 === 0 ? 'rare' : 'common' }))
  const splits = splitsOf(items)
  for (const stratum of ['rare', 'common']) {
    const own = splits.filter((_, i) => items[i]?.stratum === stratum)
    assert.ok(Math.abs(shareOf(own, 'test') - 0.2) < 0.01)
    assert.ok(Math.abs(shareOf(own, 'validation') - 0.15) < 0.01)
  }
})

test('the order of arrival does not matter, the seed does', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...Array(60).keys()], { minLength: 60 }), (order) => {
      const items = [...Array(60).keys()].map((i) => item(i, { stratum: String(i % 3) }))
      const straight = splitsOf(items)
      const shuffled = splitsOf(order.map((i) => items[i] as SplitItem))
      assert.deepEqual(
        order.map((i) => straight[i]),
        shuffled,
      )
    }),
  )
  const items = Array.from({ length: 100 }, (_, i) => item(i))
  assert.notDeepEqual(splitsOf(items), splitsOf(items, { seed: 2 }))
})

test('a frozen test set stays, and nothing that comes later joins it, whatever comes', () => {
  const arrival = fc.record({
    stratum: fc.constantFrom('a', 'b'),
    group: fc.option(fc.constantFrom('g1', 'g2', 'g3')),
    given: fc.option(fc.constantFrom('train', 'validation', 'test')),
  })
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 40 }), fc.array(arrival, { maxLength: 40 }), (first, later) => {
      const before = first.map((more, i) => item(i, more as Partial<SplitItem>))
      const dealt = splitsOf(before)
      const frozen = before.map((one, i) => ({ ...one, frozen: dealt[i] === 'test' }))
      if (!frozen.some((one) => one.frozen)) return
      const all = [...frozen, ...later.map((more, i) => item(1000 + i, more as Partial<SplitItem>))]
      const splits = splitsOf(all)
      const test = new Set(all.filter((_, i) => splits[i] === 'test').map(({ id }) => id))
      assert.deepEqual(test, new Set(frozen.filter((one) => one.frozen).map(({ id }) => id)))
      const groups = new Set(frozen.filter((one) => one.frozen).map(({ group }) => group))
      all.forEach(({ group, frozen }, i) => {
        if (group !== null && groups.has(group) && !frozen) assert.equal(splits[i], null, 'its group is tested on')
      })
    }),
  )
})

test('a group is never torn apart', () => {
  const one = fc.record({
    group: fc.constantFrom('a', 'b', 'c', 'd'),
    given: fc.option(fc.constantFrom('train', 'test', 'validation')),
    stratum: fc.constantFrom('x', 'y'),
  })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), (list) => {
      const items = list.map((more, i) => item(i, more as Partial<SplitItem>))
      const splits = splitsOf(items)
      for (const group of ['a', 'b', 'c', 'd']) {
        assert.ok(new Set(splits.filter((_, i) => items[i]?.group === group)).size <= 1)
      }
    }),
  )
})

test('by time: nothing in the test set is older than anything that is trained on', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 60 }), (times) => {
      const items = times.map((time, i) => item(i, { time: String(time) }))
      const splits = splitsOf(items, { by: 'time' })
      const of = (split: string) => times.filter((_, i) => splits[i] === split)
      assert.ok(Math.min(...of('test'), 99) >= Math.max(...of('train'), -1))
      assert.ok(Math.min(...of('test'), 99) >= Math.max(...of('validation'), -1))
    }),
  )
  assert.deepEqual(deal([item(1)], { ...settings, by: 'time' }), [{ split: null, reason: 'has no time' }])
})

test('what an import named is obeyed, and the rest is shared out as if the test set were of its size', () => {
  const items = Array.from({ length: 800 }, (_, i) => item(i, i < 100 ? { given: 'test' } : { given: 'train' }))
  const splits = splitsOf(items)
  assert.ok(splits.slice(0, 100).every((split) => split === 'test'))
  assert.equal(shareOf(splits.slice(100), 'test'), 0)
  assert.ok(Math.abs(shareOf(splits.slice(100), 'validation') - 0.15 / 0.8) < 0.01)
})
