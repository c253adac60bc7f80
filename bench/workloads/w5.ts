/** W5: one answer at a time, from the networks of W2 and W4. */
import { compile, noGrad, type Tensor, tensor } from 'descent'
import { type Step, sequence, type Workload } from '../workload.ts'
import { network as mlp } from './w2.ts'
import { network as cnn, convolutionFlops } from './w4.ts'

export const w5mlp: Workload = {
  name: 'W5_mlp',
  about: 'inference of MLP 784-128-10, batch 1',
  flops: 2 * (784 * 128 + 128 * 10),
  bytes: 0,
}

export const w5cnn: Workload = {
  name: 'W5_cnn',
  about: "inference of W4's CNN, batch 1",
  flops: convolutionFlops.reduce((sum, flops) => sum + flops, 0),
  bytes: 0,
}

export function prepare(kind: 'mlp' | 'cnn'): Step {
  const net = (kind === 'mlp' ? mlp() : cnn()).eval()
  const x = tensor(sequence(784), { shape: kind === 'mlp' ? [1, 784] : [1, 1, 28, 28] })
  const answer = compile((input: Tensor) => net.forward(input))
  return () => noGrad(() => answer(x).data())
}
