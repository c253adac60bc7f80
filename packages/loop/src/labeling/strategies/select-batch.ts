/**
 * The way in to all strategies: checks the pool, sees to it that there is what the strategy needs, and picks. Before any
 * model exists, strategies that need one give way to core-set on raw features, and that to drawing by lot; the batch says
 * so.
 */
import { seeded } from '../../random.ts'
import { badge } from './badge.ts'
import { bald } from './bald.ts'
import { checkPool } from './check-pool.ts'
import { coreSet } from './core-set.ts'
import { entropy } from './entropy.ts'
import { leastConfidence } from './least-confidence.ts'
import { margin } from './margin.ts'
import { random } from './random-strategy.ts'
import { type Need, type Pool, type Strategy, type StrategyName, type Suggestion, strategyNames } from './strategy.ts'

export const strategies: Readonly<Record<StrategyName, Strategy>> = {
  random,
  leastConfidence,
  margin,
  entropy,
  bald,
  coreSet,
  badge,
}

export interface SelectOptions {
  readonly strategy: StrategyName
  /** How many to pick. */
  readonly count: number
  readonly seed: number
  /** Uncertainty strategies look among the `diversity × count` most uncertain for those that differ. Default 5; 1: off. */
  readonly diversity?: number
}

export interface Batch {
  /** The strategy that picked: another than the one asked for, where the pool lacks what that one needs. */
  readonly strategy: StrategyName
  /** Why another strategy picked, in words; null where it did not. */
  readonly note: string | null
  /** The best first, each example once. */
  readonly suggestions: readonly Suggestion[]
}

/**
 * The `count` examples of a pool that should be labelled next, best first, each with a reason in words; all of them where
 * there are fewer. The same pool, options and seed give the same batch. Throws RangeError for a pool that contradicts
 * itself, and for options that are no such.
 *
 * @example
 * ```ts
 * import { selectBatch } from '@descent/loop'
 * const probabilities = Float32Array.of(0.98, 0.02, 0.55, 0.45)
 * const pool = { count: 2, classes: ['cat', 'dog'], probabilities }
 * const { suggestions } = selectBatch(pool, { strategy: 'margin', count: 1, seed: 1 })
 * console.log(suggestions[0].index, suggestions[0].reason)
 * // → 1 the model wavers between cat (55 %) and dog (45 %)
 * ```
 */
export function selectBatch(pool: Pool, { strategy, count, seed, diversity = 5 }: SelectOptions): Batch {
  if (!Object.hasOwn(strategies, strategy))
    throw new RangeError(`There is no strategy '${strategy}'. There are: ${strategyNames.join(', ')}.`)
  if (!(Number.isInteger(count) && count >= 0))
    throw new RangeError(`A batch's count is a whole number from 0, not ${count}.`)
  if (!(diversity >= 1)) throw new RangeError(`diversity is a number from 1, not ${diversity}.`)
  checkPool(pool)
  let used = strategies[strategy]
  while (!canPick(used, pool)) used = strategies[used.otherwise]
  const suggestions = pool.count === 0 ? [] : used.pick(pool, { count, diversity, random: seeded(seed) })
  return {
    strategy: used.name,
    note: used.name === strategy ? null : note(strategies[strategy], used, pool),
    suggestions,
  }
}

function canPick(strategy: Strategy, pool: Pool): boolean {
  if (strategy.name === 'coreSet') return Boolean(pool.embedding ?? pool.features)
  return strategy.needs.every((need) => pool[need] !== undefined)
}

const words: Readonly<Record<StrategyName, string>> = {
  random: 'the lot',
  leastConfidence: 'least confidence',
  margin: 'margin',
  entropy: 'entropy',
  bald: 'BALD',
  coreSet: 'core-set, which covers the data,',
  badge: 'BADGE',
}

function note(asked: Strategy, used: Strategy, pool: Pool): string {
  const lacking: Record<Need, string> = {
    probabilities: 'the model gives numbers, not classes',
    samples: 'the network has no dropout',
    embedding: 'there is no embedding',
  }
  const first = asked.needs.find((need) => pool[need] === undefined)
  const model = pool.probabilities ?? pool.samples ?? pool.embedding
  const why = model && first ? lacking[first] : 'there is no model yet'
  return `${words[asked.name]} cannot choose, as ${why}: ${words[used.name]} chooses instead`
}
