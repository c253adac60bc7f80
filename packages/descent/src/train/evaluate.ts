/** How good a network is on a dataset. */
import { noGrad } from '../autograd.ts'
import { compile } from '../compile.ts'
import type { Dataset } from '../data/dataset.ts'
import { DataLoader } from '../data/loader.ts'
import type { Module } from '../nn/module.ts'
import type { Tensor } from '../tensor.ts'
import { breathe } from './interrupt.ts'
import { Averages, defaultMetrics, type Metrics, type Scores } from './metrics.ts'

/** From a batch's outputs and targets to one element. */
export type Loss = (output: Tensor, target: Tensor) => Tensor

export interface EvaluateOptions {
  readonly loss: Loss
  /** Default: accuracy where targets are classes (i32). */
  readonly metrics?: Metrics
  /** Default 256. */
  readonly batchSize?: number
}

/** Measures of a batch: loss and metrics, each a tensor of one element. */
export interface Measured {
  readonly loss: Tensor
  readonly metrics: Readonly<Record<string, Tensor>>
}

export function measure(
  output: Tensor,
  target: Tensor,
  loss: Loss,
  metrics: Metrics = defaultMetrics(target),
): Measured {
  const measured = noGrad(() =>
    Object.entries(metrics).map(([name, metric]) => [name, metric(output.detach(), target)] as const),
  )
  return { loss: loss(output, target), metrics: Object.fromEntries(measured) }
}

export function readScores({ loss, metrics }: Measured): Scores {
  return {
    loss: loss.item(),
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, value.item()])),
  }
}

/**
 * The mean loss and metrics of a network over a dataset, in eval mode, without gradients. Throws RangeError for an
 * empty dataset.
 *
 * @example
 * ```ts
 * import { data, evaluate, mseLoss, nn, tensor } from 'descent'
 * const pairs = new data.TensorDataset(tensor([[1], [2]]), tensor([[1], [2]]))
 * const { loss } = await evaluate(new nn.Flatten(), pairs, { loss: mseLoss })
 * console.log(loss) // → 0
 * ```
 */
export async function evaluate(net: Module, dataset: Dataset, options: EvaluateOptions): Promise<Scores> {
  return evaluator(net, options)(dataset)
}

/** `evaluate` for many times: its plans are kept. */
export function evaluator(
  net: Module,
  { loss, metrics, batchSize = 256 }: EvaluateOptions,
): (dataset: Dataset) => Promise<Scores> {
  const run = compile((x: Tensor, y: Tensor) => noGrad(() => measure(net.forward(x), y, loss, metrics)))
  return async (dataset) => {
    const before = net.training
    net.eval()
    try {
      const averages = new Averages()
      for (const { x, y, numbers } of new DataLoader(dataset, { batchSize })) {
        averages.add(numbers.length, readScores(run(x, y)))
        await breathe()
      }
      return averages.scores()
    } finally {
      net.train(before)
    }
  }
}
