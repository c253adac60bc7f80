/** What should be labelled next, in which order, and why. */

import type { Project } from '../project/project.ts'
import { seeded } from '../random.ts'
import { labelingPool, type PoolOptions } from './pool.ts'

/** One example to ask about. */
export interface Choice {
  /** Its number. */
  readonly example: number
  /** Why it was chosen, in a few words. */
  readonly reason: string
}

export interface QueueOptions extends PoolOptions {
  readonly count: number
  readonly seed?: number | undefined
}

/** Chooses at random among what the labeler could label. */
export async function randomQueue(project: Project, { count, seed = 1, ...pool }: QueueOptions): Promise<Choice[]> {
  const numbers = await labelingPool(project, pool)
  const order = seeded(seed).permutation(numbers.length)
  return Array.from(order.subarray(0, count), (i) => ({ example: numbers[i] as number, reason: 'chosen at random' }))
}
