/** Descent as a contender: `node descent.ts DEVICE`. */
import { type DeviceName, manualSeed, setDevice, setThreads } from 'descent'
import { prepare } from '../workloads/index.ts'
import { serve } from './serve.ts'

setDevice((process.argv[2] ?? 'wasm') as DeviceName)

await serve((workload, threads) => {
  setThreads(threads)
  manualSeed(0)
  return prepare(workload)
})
process.exit(0)
