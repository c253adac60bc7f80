/** Matrix products in WebAssembly: which panels cover a product, and the functions that pack and multiply them. */
import type { Kind } from '../vector/code.ts'
import type { GemmMachine, Run } from '../vector/gemm-machine.ts'
import type { WasmCode } from './code.ts'
import type { FunctionBuilder, ModuleBuilder } from './encode.ts'
import { emitMicro, panelColumns, panelHeights } from './gemm-micro.ts'
import { emitPack } from './gemm-pack.ts'

export function gemmMachine(
  module: ModuleBuilder,
  relaxedSimd: boolean,
  newFunction: (parameters: readonly Kind[]) => WasmCode,
): GemmMachine {
  const known = new Map<string, FunctionBuilder>()
  return {
    rate: 27,
    blockBytes: 384 * 1024,
    mostDepth: 256,
    depthGrain: 4,
    mostAsLoops: 1 << 14,
    panels: (_m, _n, sums) => ({ columns: panelColumns[sums], height: panelHeights[0], sums }),
    cover,
    micro({ sums }, height) {
      const key = `${height} in ${sums}`
      const f = known.get(key) ?? emitMicro(module, height, sums, relaxedSimd)
      known.set(key, f)
      return f
    },
    pack: (operand, width, evaluate) => emitPack(newFunction, operand, width, evaluate),
  }
}

/** As many of the highest panels as leave no row unused. */
export function cover(rows: number): readonly Run[] {
  const height = panelHeights[0]
  const most = Math.floor(rows / height)
  for (let high = most; high >= Math.max(0, most - 2); high--) {
    const rest = exact[rows - high * height]
    if (rest) return high > 0 ? [{ height, count: high }, ...rest] : rest
  }
  return [{ height: 4, count: rows < 4 ? 1 : 2 }]
}
const exact: Readonly<Record<number, readonly Run[]>> = {
  0: [],
  4: [{ height: 4, count: 1 }],
  5: [{ height: 5, count: 1 }],
  8: [{ height: 4, count: 2 }],
  9: [
    { height: 5, count: 1 },
    { height: 4, count: 1 },
  ],
  13: [
    { height: 5, count: 1 },
    { height: 4, count: 2 },
  ],
}
