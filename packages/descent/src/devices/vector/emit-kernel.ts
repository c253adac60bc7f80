/** Every kind of kernel to its emitter. */
import type { GemmKernel, Kernel } from '../../kernel/kernel.ts'
import { emitLoops } from './loops.ts'
import { emitScan } from './scan.ts'
import { emitScatter } from './scatter.ts'
import { emitSort } from './sort.ts'
import type { EmittedKernel, Target } from './target.ts'

export function emitKernel<T extends Target>(
  kernel: Kernel,
  target: T,
  emitGemm: (kernel: GemmKernel, target: T) => EmittedKernel,
): EmittedKernel {
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
