/** W8: from nothing to the end of W2's first step. `node descent-once.ts DEVICE THREADS`. */
import { type DeviceName, setDevice, setThreads } from 'descent'
import { prepare } from '../workloads/w2.ts'

setDevice((process.argv[2] ?? 'wasm') as DeviceName)
setThreads(Number(process.argv[3] ?? 2))
const loss = prepare(32)()
process.stdout.write(`done ${loss}\n`, () => process.exit(0))
