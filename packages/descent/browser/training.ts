/** A small network that learns for a few steps, compiled: run by Node and by the page, so that both can be compared. */
import {
  compile,
  crossEntropy,
  loadInspection,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  randint,
  randn,
  setDevice,
  setThreads,
  type Tensor,
} from '../src/index.ts'

export interface Report {
  /** The bits of each step's loss. */
  readonly losses: readonly number[]
  /** The bits of the logits for the last batch, after training. */
  readonly logits: readonly number[]
}

const steps = 30

/** `threads`: as `setThreads`; null for the device's own choice. */
export function learn(threads: number | null): Report {
  setDevice('wasm')
  if (threads !== null) setThreads(threads)
  manualSeed(3)
  const net = new nn.Sequential(
    new nn.Conv2d(1, 8, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(0.1),
    new nn.Linear(200, 32),
    new nn.Tanh(),
    new nn.Linear(32, 10),
  )
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 })
  const images = randn([64, 1, 12, 12])
  const labels = randint(0, 10, [64])
  const step = compile((x: Tensor, y: Tensor) => {
    optimizer.zeroGrad()
    const loss = crossEntropy(net.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss
  })
  const losses = Array.from({ length: steps }, () => bits(step(images, labels).data())[0] as number)
  net.eval()
  const answer = compile((x: Tensor) => net.forward(x))
  return { losses, logits: bits(noGrad(() => answer(images)).data()) }
}

/** The error of a print that comes before what prints is loaded, the print itself, and a sum on the device reference. */
export async function inspect(): Promise<readonly [string, string, number]> {
  const double = compile((x: Tensor) => x.mul(2))
  const x = ones([3])
  double(x)
  let error = ''
  try {
    double.print('kernels')
  } catch (thrown) {
    error = (thrown as Error).message
  }
  await loadInspection()
  const printed = double.print('kernels')
  setDevice('reference')
  const sum = ones([3]).mul(0.1).sum().item()
  setDevice('wasm')
  return [error, printed, sum]
}

function bits(values: ReturnType<Tensor['data']>): number[] {
  return Array.from(new Int32Array(Float32Array.from(values).buffer))
}
