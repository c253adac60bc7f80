/** The same network on the same irises, with batches of some size: the only setting that differs. */
import { crossEntropy, data, fit, manualSeed, nn, optim } from 'descent'
import type { Irises } from '../iris/iris.ts'

export interface Descent {
  readonly name: string
  readonly batchSize: number
  /** The mean loss over all irises at the beginning and after each epoch. */
  readonly losses: readonly number[]
  /** The share of irises that it tells right at the end. */
  readonly accuracy: number
  readonly steps: number
  readonly seconds: number
}

export async function descend(
  name: string,
  irises: Irises,
  options: { readonly batchSize: number; readonly epochs: number; readonly lr: number },
): Promise<Descent> {
  const { batchSize, epochs, lr } = options
  manualSeed(1)
  const net = new nn.Sequential(new nn.Linear(4, 8), new nn.Tanh(), new nn.Linear(8, 3))
  const train = new data.TensorDataset(irises.x, irises.y)
  const before = crossEntropy(net.forward(irises.x), irises.y).item()
  const began = performance.now()
  // The loss of an epoch is measured while weights change; on the irises as validation it is that of one network.
  const { history } = await fit(net, {
    train,
    validation: train,
    loss: crossEntropy,
    optimizer: new optim.SGD(net.parameters(), { lr }),
    epochs,
    batchSize,
    seed: 1,
    progress: false,
  })
  const last = history.at(-1)?.validation
  return {
    name,
    batchSize,
    losses: [before, ...history.map((report) => report.validation?.loss ?? Number.NaN)],
    accuracy: last?.metrics.accuracy ?? Number.NaN,
    steps: epochs * Math.ceil(train.length / batchSize),
    seconds: (performance.now() - began) / 1000,
  }
}
