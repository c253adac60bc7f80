/** W3: a network of large matrices. */
import { compile, crossEntropy, nn, optim, tensor } from 'descent'
import { classes, mlpStepFlops, type Step, sequence, type Workload } from '../workload.ts'

const widths = [1024, 2048, 2048, 10] as const
const batch = 256
const parameters = 1024 * 2048 + 2048 * 2048 + 2048 * 10

export const w3: Workload = {
  name: 'W3',
  about: 'MLP 1024-2048-2048-10, ReLU, cross-entropy, Adam, batch 256: one step',
  flops: mlpStepFlops(batch, widths),
  // Adam reads and writes each parameter and its two moments.
  bytes: parameters * 24,
}

export function prepare(): Step {
  const net = new nn.Sequential(
    new nn.Linear(1024, 2048),
    new nn.ReLU(),
    new nn.Linear(2048, 2048),
    new nn.ReLU(),
    new nn.Linear(2048, 10),
  )
  const optimizer = new optim.Adam(net.parameters())
  const x = tensor(sequence(batch * 1024), { shape: [batch, 1024] })
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
