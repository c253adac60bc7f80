/** The whole trainings of `training.json`: the loss at every step, and the state at the end. */
import { binaryCrossEntropy, compile, crossEntropy, mseLoss, nn, type Tensor } from '../src/index.ts'
import { Args, type TrainingCase, tensorOf, tensorsOf } from './cases.ts'
import { compareNumbers, compareTensor, training, type Verdict } from './compare.ts'
import { loadState } from './layers.ts'
import { type Mode, missing } from './operation.ts'
import { optimizers } from './optimizers.ts'

/** The networks by the first word of a case's name, which goes on to describe them. */
const networks: Readonly<Record<string, () => nn.Module>> = {
  xor: () => new nn.Sequential(new nn.Linear(2, 8), new nn.Tanh(), new nn.Linear(8, 1), new nn.Sigmoid()),
  cnn: () =>
    new nn.Sequential(
      new nn.Conv2d(1, 4, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(4, 8, 3),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(32, 3),
    ),
  mlp: () => new nn.Sequential(new nn.Linear(6, 16), new nn.BatchNorm1d(16), new nn.GELU(), new nn.Linear(16, 2)),
}

const losses: Readonly<Record<string, (output: Tensor, target: Tensor) => Tensor>> = {
  binary_cross_entropy: (output, target) => binaryCrossEntropy(output, target),
  cross_entropy: (output, target) => crossEntropy(output, target),
  mse: (output, target) => mseLoss(output, target),
}

export function runTraining(c: TrainingCase, mode: Mode): Verdict[] {
  const args = new Args(c.args)
  const network = networks[c.name.split(':')[0] ?? '']
  const loss = losses[args.text('loss')]
  const optimizerOf = optimizers[args.text('optimizer')]
  if (!network || !loss || !optimizerOf) return [missing]
  const net = network()
  loadState(net, tensorsOf(c.state))
  const optimizer = optimizerOf([...net.parameters()], args)
  const train = (x: Tensor, y: Tensor): Tensor => {
    optimizer.zeroGrad()
    const value = loss(net.forward(x), y)
    value.backward()
    optimizer.step()
    return value
  }
  const step = mode === 'compiled' ? compile(train) : train
  const [x, y] = [tensorOf(c.x), tensorOf(c.y)]
  const got = c.losses.map(() => step(x, y).item())
  const after = net.stateDict()
  return [
    compareNumbers('loss by step', got, c.losses, training),
    ...Object.entries(c.state_after).map(([name, want]) =>
      compareTensor(`${name} afterwards`, after[name] ?? null, want, training),
    ),
  ]
}
