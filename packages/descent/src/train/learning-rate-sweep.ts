/** The sweep of `findLearningRate`, which loads this. */
import { compile } from '../compile.ts'
import type { Dataset } from '../data/dataset.ts'
import { DataLoader, type NumberedBatch } from '../data/loader.ts'
import { NonFiniteGradientError } from '../errors.ts'
import type { Module } from '../nn/module.ts'
import type { Tensor } from '../tensor.ts'
import type { FindLearningRateOptions } from './find-learning-rate.ts'
import { breathe } from './interrupt.ts'
import { generatorOf, keepState } from './kept-state.ts'
import { LearningRateCurve } from './learning-rate-curve.ts'

/** How much an earlier loss counts for the running mean that says whether the loss ran away. */
const MEMORY = 0.9
/** How far above the best it may go, in units of the best or of what was gained. */
const RUNAWAY = 3

export async function sweep(net: Module, options: FindLearningRateOptions): Promise<LearningRateCurve> {
  const { train, optimizer, from = 1e-7, to = 10, steps = 100, batchSize = 32, seed = 0 } = options
  if (!(from > 0 && from < to && Number.isFinite(to)))
    throw new RangeError(`findLearningRate: the rates must be 0 < from < to, not from ${from} to ${to}.`)
  if (!(Number.isInteger(steps) && steps >= 3))
    throw new RangeError(`findLearningRate: steps must be a whole number from 3 on, not ${steps}.`)
  if (train.length === 0) throw new RangeError('findLearningRate: the training dataset is empty.')
  const restore = keepState(net, optimizer)
  try {
    net.train()
    generatorOf(net).seed(seed)
    const { lr: base } = optimizer.groups[0] as { lr: number }
    const ratios = optimizer.groups.map(({ lr }) => (base === 0 ? 1 : lr / base))
    const step = sweepStep(net, options)
    const batches = endless(train, batchSize, seed)
    const tried: { lr: number; loss: number }[] = []
    const runsAway = watch()
    for (let i = 0; i < steps; i++) {
      const lr = from * (to / from) ** (i / (steps - 1))
      for (const [g, group] of optimizer.groups.entries()) group.lr = lr * (ratios[g] as number)
      const { x, y } = batches.next().value
      const loss = step(x, y)
      if (!Number.isFinite(loss)) return new LearningRateCurve(tried, steps, true)
      tried.push({ lr, loss })
      if (runsAway(loss)) return new LearningRateCurve(tried, steps, true)
      await breathe()
    }
    return new LearningRateCurve(tried, steps, false)
  } finally {
    restore()
  }
}

/** A training step that gives the loss before it, NaN where its gradient is no number. */
function sweepStep(net: Module, { loss, optimizer, compile: compiled = true }: FindLearningRateOptions) {
  const run = (x: Tensor, y: Tensor): Tensor => {
    optimizer.zeroGrad()
    const value = loss(net.forward(x), y)
    value.backward()
    optimizer.step()
    return value.detach()
  }
  const step = compiled ? compile(run) : run
  return (x: Tensor, y: Tensor): number => {
    try {
      return step(x, y).item()
    } catch (error) {
      if (error instanceof NonFiniteGradientError) return Number.NaN
      throw error
    }
  }
}

/** Batches of one size where the dataset allows, in ever new orders. */
function* endless(train: Dataset, batchSize: number, seed: number): Generator<NumberedBatch, never> {
  const loader = new DataLoader(train, { batchSize, shuffle: true, seed, dropLast: train.length >= batchSize })
  while (true) yield* loader
}

function watch(): (loss: number) => boolean {
  let mean = 0
  let weight = 0
  let first: number | null = null
  let best = Infinity
  return (loss) => {
    mean = MEMORY * mean + (1 - MEMORY) * loss
    weight = MEMORY * weight + (1 - MEMORY)
    const now = mean / weight
    first ??= now
    best = Math.min(best, now)
    return now - best > RUNAWAY * Math.max(Math.abs(best), first - best)
  }
}
