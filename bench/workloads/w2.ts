/** W2: the small digits network, at a small and a usual batch. */
import { compile, crossEntropy, nn, optim, tensor } from 'descent'
import { classes, mlpStepFlops, type Step, sequence, type Workload } from '../workload.ts'

function workload(batch: number): Workload {
  return {
    name: `W2_b${batch}`,
    about: `MLP 784-128-10, ReLU, cross-entropy, Adam, batch ${batch}: one step`,
    flops: mlpStepFlops(batch, [784, 128, 10]),
    bytes: 0,
  }
}

export const w2b32: Workload = workload(32)
export const w2b256: Workload = workload(256)

export function network(): nn.Sequential {
  return new nn.Sequential(new nn.Linear(784, 128), new nn.ReLU(), new nn.Linear(128, 10))
}

export function prepare(batch: number): Step {
  const net = network()
  const optimizer = new optim.Adam(net.parameters())
  const x = tensor(sequence(batch * 784), { shape: [batch, 784] })
  const y = tensor(classes(batch, 10))
  const step = compile(() => {
    optimizer.zeroGrad()
    const loss = crossEntropy(net.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss
  })
  return () => step().item()
}
