/**
 * W8: from nothing to the end of W2's first step. `node descent-once.ts DEVICE THREADS`. As the npm scripts do, it
 * lets Node keep the sources without their types, and the engine's code for them, from one start to the next.
 */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { setDevice, setThreads } = await import('descent')
const { prepare } = await import('../workloads/w2.ts')

setDevice(process.argv[2] === 'reference' ? 'reference' : 'wasm')
setThreads(Number(process.argv[3] ?? 2))
const loss = prepare(32)()
process.stdout.write(`done ${loss}\n`, () => process.exit(0))
