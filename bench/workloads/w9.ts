/** W9: an LSTM over sequences, one compiled loop each way. */
import { compile, mseLoss, nn, optim, tensor } from 'descent'
import { type Step, sequence, type Workload } from '../workload.ts'

const [steps, batch, width] = [128, 32, 128]

export const w9: Workload = {
  name: 'W9',
  about: 'LSTM of 128 units, sequence 128, batch 32, 128 inputs, mean squared error, Adam: one step',
  // Input and hidden weights, forwards and twice backwards; the first input needs no gradient.
  flops: 2 * steps * batch * width * 4 * width * (3 + 2),
  bytes: 0,
}

export function prepare(): Step {
  const net = new nn.LSTM(width, width)
  const optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 })
  const shape = [steps, batch, width]
  const x = tensor(sequence(steps * batch * width, 1), { shape })
  const y = tensor(sequence(steps * batch * width, 2), { shape })
  const step = compile(() => {
    optimizer.zeroGrad()
    const [output] = net.forward(x)
    const loss = mseLoss(output, y)
    loss.backward()
    optimizer.step()
    return loss
  })
  return () => step().item()
}
