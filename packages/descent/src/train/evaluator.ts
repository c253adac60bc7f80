/** Measuring a network on a dataset. Loaded by `evaluate` and `Trainer`. */
import { noGrad } from '../autograd.ts'
import { compile } from '../compile.ts'
import type { Module } from '../nn/module.ts'
import type { Tensor } from '../tensor.ts'
import { countOf, type Data, epochsOf, type Outputs } from './batches.ts'
import type { AnyLoss, EvaluateOptions, Loss } from './evaluate.ts'
import { breathe } from './interrupt.ts'
import { Averages, accumulatingMetrics, defaultMetrics, type Metrics, meanMetrics, type Scores } from './metrics.ts'

export function lossFunction<T extends Outputs>(loss: AnyLoss<T>): Loss<T> {
  return typeof loss === 'function' ? loss : (output, target) => loss.forward(output, target)
}

/** Measures of a batch: loss and metrics, each a tensor of one element. */
export interface Measured {
  readonly loss: Tensor
  readonly metrics: Readonly<Record<string, Tensor>>
}

export function measure<T extends Outputs>(
  output: T,
  target: T,
  loss: AnyLoss<T>,
  metrics: Metrics = defaultMetrics(target),
): Measured {
  const measured = noGrad(() =>
    meanMetrics(metrics).map(([name, metric]) => [name, metric(detached(output) as Tensor, target as Tensor)] as const),
  )
  return { loss: lossFunction(loss)(output, target), metrics: Object.fromEntries(measured) }
}

function detached(output: Outputs): Outputs {
  return Array.isArray(output) ? output.map((x: Tensor) => x.detach()) : (output as Tensor).detach()
}

export function readScores({ loss, metrics }: Measured): Scores {
  return {
    loss: loss.item(),
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, value.item()])),
  }
}

/** `evaluate` for many times: its plans are kept. */
export function evaluator<T extends Outputs>(
  net: Module<[Tensor], T>,
  { loss, metrics, batchSize = 256 }: EvaluateOptions<T>,
): (data: Data) => Promise<Scores> {
  const accumulating = accumulatingMetrics(metrics ?? {})
  const run = compile((x: Tensor, y: T) =>
    noGrad(() => {
      const output = net.forward(x)
      return { ...measure(output, y, loss, metrics), outputs: accumulating.length > 0 ? output : null }
    }),
  )
  return async (data) => {
    const before = net.training
    const epochs = epochsOf('validation', data, { batchSize })
    net.eval()
    try {
      const averages = new Averages()
      for (const [, metric] of accumulating) metric.reset()
      for await (const batch of epochs.batches(0, 0)) {
        const measured = run(batch.x, batch.y as unknown as T)
        averages.add(countOf(batch), readScores(measured))
        for (const [, metric] of accumulating) metric.update(measured.outputs as Tensor, batch.y)
        await breathe()
      }
      const { loss: mean, metrics: means } = averages.scores()
      const whole = accumulating.map(([name, metric]) => [name, metric.compute()] as const)
      return { loss: mean, metrics: { ...means, ...Object.fromEntries(whole) } }
    } finally {
      net.train(before)
      await epochs.close()
    }
  }
}
