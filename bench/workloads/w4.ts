/** W4: a convolutional network on digits. */
import { compile, crossEntropy, nn, optim, tensor } from 'descent'
import { classes, type Step, sequence, type Workload } from '../workload.ts'

const batch = 64

/** Operations of the forward pass of one image: both convolutions, both dense layers. */
export const convolutionFlops: readonly number[] = [
  2 * 26 * 26 * 32 * 9,
  2 * 24 * 24 * 64 * 32 * 9,
  2 * 9216 * 128,
  2 * 128 * 10,
]

export const w4: Workload = {
  name: 'W4',
  about: 'CNN on [64, 1, 28, 28]: conv 32, conv 64, maxpool, dense 128, dense 10, Adam: one step',
  flops: batch * convolutionFlops.reduce((sum, flops, i) => sum + flops * (i === 0 ? 2 : 3), 0),
  bytes: 0,
}

export function network(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, 32, 3),
    new nn.ReLU(),
    new nn.Conv2d(32, 64, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(9216, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  )
}

export function prepare(): Step {
  const net = network()
  const optimizer = new optim.Adam(net.parameters())
  const x = tensor(sequence(batch * 784), { shape: [batch, 1, 28, 28] })
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
