/** Examples by lot: what every other strategy is measured against, and a fair sample of the pool. */
import type { Strategy } from './strategy.ts'

export const random: Strategy = {
  name: 'random',
  needs: [],
  otherwise: 'random',
  pick: (pool, { count, random: lots }) =>
    Array.from(lots.permutation(pool.count).subarray(0, count), (index) => ({
      index,
      score: 0,
      reason: 'chosen at random',
    })),
}
