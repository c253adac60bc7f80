/** Kernels on x64 against the reference device, to the bit where arithmetic is exact: with AVX-512 and with AVX2. */
import { describe } from 'node:test'
import { testLoops } from '../vector/loop-claims.ts'
import { testRowKernels } from '../vector/row-kernel-claims.ts'
import { X64Device, x64Device } from './device.ts'

const found = x64Device()
const missing = typeof found === 'string' ? found : false
const device = (wide: boolean) => () => {
  if (typeof found === 'string') throw new Error(found)
  return found.wide === wide ? found : new X64Device(wide, 2)
}

for (const wide of [true, false]) {
  const name = wide ? 'AVX-512' : 'AVX2'
  const skip = missing || (wide && typeof found !== 'string' && !found.wide ? 'no AVX-512 here' : false)
  describe(name, { skip }, () => {
    testLoops(name, device(wide))
    testRowKernels(name, device(wide))
  })
}
