/**
 * COMPILE: from the first call of a step to the moment at which the device has made its plan ready (workloads/compile.ts).
 * `node descent-compile.ts DEVICE THREADS W4|W6 cold|warm` prints "done" and the milliseconds.
 */
import { type DeviceName, setDevice, setThreads } from 'descent'
import { deviceNamed } from '../../packages/descent/src/backend.ts'
import { prepare } from '../workloads/index.ts'

const [name, threads, workload, temperature] = process.argv.slice(2) as [DeviceName, string, string, 'cold' | 'warm']
setThreads(Number(threads))
setDevice(name)

const device = deviceNamed(name)
const prepareOnDevice = device.prepare.bind(device)
let ready = 0
device.prepare = (plan) => {
  const runner = prepareOnDevice(plan)
  ready = performance.now()
  return runner
}

/** Also runs the step once, as a program would. */
function planned(): number {
  const step = prepare(workload)
  const called = performance.now()
  step()
  return ready - called
}

let time = planned()
if (temperature === 'warm') time = planned()
process.stdout.write(`done ${time}\n`, () => process.exit(0))
