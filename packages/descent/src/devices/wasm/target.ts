/** WebAssembly as a target of the emitters that all machines share. */
import type { Kind } from '../vector/code.ts'
import type { Target } from '../vector/target.ts'
import { type CodeOptions, valueTypes, WasmCode } from './code.ts'
import type { ModuleBuilder } from './encode.ts'
import { gemmMachine } from './gemm-machine.ts'

export function wasmTarget(module: ModuleBuilder, options: CodeOptions): Target {
  const newFunction = (parameters: readonly Kind[]): WasmCode => {
    const type = module.type(
      parameters.map((kind) => valueTypes[kind]),
      [],
    )
    return module.add(new WasmCode(module.nextIndex, type, parameters.length, options))
  }
  return {
    lanes: 4,
    fused: options.relaxedSimd,
    scaledAddresses: false,
    freeConstants: false,
    copies: 4,
    streamBytes: Infinity,
    prefetches: false,
    newFunction,
    gemm: gemmMachine(module, options.relaxedSimd, newFunction),
  }
}
