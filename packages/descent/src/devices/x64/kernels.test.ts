/**
 * Kernels on x64 against the reference device, to the bit where arithmetic is exact: with AVX-512 and with AVX2, all
 * memory between pages that nobody may touch.
 */
import { describe } from 'node:test'
import { testGemms, testSmallGemms } from '../vector/gemm-claims.ts'
import { testLoops } from '../vector/loop-claims.ts'
import { testRowKernels } from '../vector/row-kernel-claims.ts'
import { testWholeLoops } from '../vector/whole-loop-claims.ts'
import type { Machine } from './allocate.ts'
import { x64Device } from './device.ts'
import { GuardedDevice } from './guarded.ts'
import { machines } from './machine.ts'

const found = x64Device()
const missing = typeof found === 'string' ? found : false

/** So few registers that nearly everything lies in memory at some time. */
function fewRegisters(wide: boolean): Machine {
  const { preserved } = wide ? machines.wide : machines.narrow
  const vectors = [0, 1, 2, 3, 4]
  const lists = [[1, 6, 7, 3], vectors, [1, 2, 3]]
  return { registers: lists, fewer: lists, preserved }
}

const variants = [
  { name: 'memory at the end of its pages', options: () => ({ flush: 'end' as const }), runs: 100 },
  { name: 'memory at the start of its pages', options: () => ({}), runs: 50 },
  { name: 'few registers', options: (wide: boolean) => ({ machine: fewRegisters(wide) }), runs: 100 },
]

for (const wide of [true, false]) {
  const skip = missing || (wide && typeof found !== 'string' && !found.wide ? 'no AVX-512 here' : false)
  for (const { name, options, runs } of variants) {
    const label = `${wide ? 'AVX-512' : 'AVX2'}, ${name}`
    describe(label, { skip }, () => {
      let device: GuardedDevice | null = null
      const guarded = () => {
        device ??= new GuardedDevice(wide, 2, options(wide))
        return device
      }
      testLoops(label, guarded, runs)
      testRowKernels(label, guarded, runs / 2)
      testGemms(label, guarded, { runs, most: Infinity })
      testSmallGemms(label, guarded)
      testWholeLoops(label, guarded)
    })
  }
}
