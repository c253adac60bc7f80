/** Every kind of kernel to its emitter. */
import type { Kernel } from '../../kernel/kernel.ts'
import { emitGemm } from './gemm.ts'
import { emitLoops } from './loops.ts'
import { emitScan } from './scan.ts'
import { emitScatter } from './scatter.ts'
import { emitSort } from './sort.ts'
import type { EmittedKernel, Target } from './target.ts'

export function emitKernel(kernel: Kernel, target: Target): EmittedKernel {
  switch (kernel.kind) {
    case 'loops':
      return emitLoops(kernel, target)
    case 'gemm':
      return emitGemm(kernel, target)
    case 'scan':
      return emitScan(kernel, target)
    case 'scatter':
      return emitScatter(kernel, target)
    case 'sort':
      return emitSort(kernel, target)
  }
}
