import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rungs } from './successive-halving.ts'

test('each round has fewer trials and more epochs, by the factor; the last trains for all epochs', () => {
  assert.deepEqual(rungs(18, 3, 90), [
    { trials: 18, epochs: 10 },
    { trials: 6, epochs: 30 },
    { trials: 2, epochs: 90 },
  ])
  assert.deepEqual(rungs(27, 3, 5), [
    { trials: 27, epochs: 2 },
    { trials: 9, epochs: 5 },
  ])
  assert.deepEqual(rungs(2, 3, 40), [{ trials: 2, epochs: 40 }])
  const whole = (min: number, max: number) => fc.integer({ min, max })
  fc.assert(
    fc.property(whole(2, 200), whole(2, 10), whole(1, 300), (trials, factor, epochs) => {
      const rounds = rungs(trials, factor, epochs)
      assert.equal(rounds[0]?.trials, trials)
      assert.equal(rounds.at(-1)?.epochs, epochs)
      for (const [i, { trials: n, epochs: e }] of rounds.entries()) {
        const next = rounds[i + 1]
        assert.ok(n >= 1 && e >= 1)
        assert.ok(!next || (next.trials < n && next.epochs > e))
      }
    }),
  )
})
