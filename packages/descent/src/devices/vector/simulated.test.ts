/** The emitters for machines of 4, 8 and 16 lanes, without any such machine. */
import { testGemms } from './gemm-claims.ts'
import { testBackwards, testLoops } from './loop-claims.ts'
import { testRowKernels } from './row-kernel-claims.ts'
import { simulatedDevice } from './simulated-device.ts'
import { testWholeLoops } from './whole-loop-claims.ts'

const runs = Number(process.env.KERNEL_RUNS ?? 25)

for (const [lanes, scaledAddresses, copies] of [
  [4, false, 4],
  [8, true, 2],
  [16, true, 4],
] as const) {
  const device = simulatedDevice({
    lanes,
    scaledAddresses,
    freeConstants: scaledAddresses,
    copies,
    fused: scaledAddresses,
    streamBytes: 256,
    prefetches: true,
  })
  testLoops(`${lanes} lanes`, () => device, runs)
  testBackwards(`${lanes} lanes`, () => device)
  testRowKernels(`${lanes} lanes`, () => device, runs)
  testWholeLoops(`${lanes} lanes`, () => device, { runs: 10, most: 100_000 })
  testGemms(`${lanes} lanes`, () => device, { runs, most: 100_000 })
}
