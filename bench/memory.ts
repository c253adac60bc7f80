/** How much a process's resident memory grows from step 1,000 on: `node bench/memory.ts DEVICE compiled|eager STEPS`. */
import { type DeviceName, mseLoss, nn, optim, setDevice, tensor } from 'descent'
import { type Step, sequence } from './workload.ts'
import { prepare } from './workloads/w1.ts'

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
const before = process.memoryUsage.rss()
for (let i = 1000; i < Number(steps); i++) step()
const after = process.memoryUsage.rss()
process.stdout.write(`${((after - before) / 2 ** 20).toFixed(1)} MB\n`, () => process.exit(0))
