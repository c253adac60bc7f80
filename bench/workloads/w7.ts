/** W7: a chain of elementwise operations and a sum, over more than the caches hold. */
import { compile, noGrad, type Tensor, tensor } from 'descent'
import { type Step, sequence, type Workload } from '../workload.ts'

const length = 10_000_000

export const w7: Workload = {
  name: 'W7',
  about: 'sum(tanh(1.5·x + 0.5)·x + relu(x)) over 10 million floats',
  flops: 0,
  bytes: 4 * length,
}

export function prepare(): Step {
  const x = tensor(sequence(length))
  const total = compile((v: Tensor) => v.mul(1.5).add(0.5).tanh().mul(v).add(v.relu()).sum())
  return () => noGrad(() => total(x).item())
}
