/** W1: a tiny network, where a step is nothing but overhead. */
import { compile, mseLoss, nn, optim, tensor } from 'descent'
import { mlpStepFlops, type Step, sequence, type Workload } from '../workload.ts'

export const w1: Workload = {
  name: 'W1',
  about: 'MLP 2-8-8-1, tanh, 64 rows, MSE, SGD: one step',
  flops: mlpStepFlops(64, [2, 8, 8, 1]),
  bytes: 0,
}

export function prepare(): Step {
  const net = new nn.Sequential(
    new nn.Linear(2, 8),
    new nn.Tanh(),
    new nn.Linear(8, 8),
    new nn.Tanh(),
    new nn.Linear(8, 1),
  )
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 })
  const x = tensor(sequence(128), { shape: [64, 2] })
  const y = tensor(sequence(64, 2), { shape: [64, 1] })
  const step = compile(() => {
    optimizer.zeroGrad()
    const loss = mseLoss(net.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss
  })
  return () => step().item()
}
