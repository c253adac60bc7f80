/**
 * How much a process's resident memory grows from step 1,000 on: `node bench/memory.ts DEVICE compiled|eager STEPS`.
 * That is five times the median of five parts of the way: what leaks does so in every part, while the engine takes memory
 * once when it optimizes a function, which on a busy machine may be late.
 */
import { type DeviceName, mseLoss, nn, optim, setDevice, tensor } from 'descent'
import { type Step, sequence } from './workload.ts'
import { prepare } from './workloads/w1.ts'

const parts = 5

function eager(): Step {
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
  return () => {
    optimizer.zeroGrad()
    const loss = mseLoss(net.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()
  }
}

const [device, mode, steps] = process.argv.slice(2)
setDevice(device as DeviceName)
const step = mode === 'eager' ? eager() : prepare()
for (let i = 0; i < 1000; i++) step()
const growths: number[] = []
for (let part = 0; part < parts; part++) {
  const before = process.memoryUsage.rss()
  for (let i = 0; i < (Number(steps) - 1000) / parts; i++) step()
  growths.push(process.memoryUsage.rss() - before)
}
const median = growths.sort((a, b) => a - b)[(parts - 1) / 2] as number
process.stdout.write(`${((parts * median) / 2 ** 20).toFixed(1)} MB\n`, () => process.exit(0))
