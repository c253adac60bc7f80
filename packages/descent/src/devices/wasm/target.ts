/** WebAssembly as a target of the emitters that all machines share. */
import type { Kind } from '../vector/code.ts'
import type { Target } from '../vector/target.ts'
import { type CodeOptions, valueTypes, WasmCode } from './code.ts'
import type { ModuleBuilder } from './encode.ts'

export interface WasmTarget extends Target, CodeOptions {
  readonly module: ModuleBuilder
  newFunction(parameters: readonly Kind[]): WasmCode
}

export function wasmTarget(module: ModuleBuilder, options: CodeOptions): WasmTarget {
  return {
    ...options,
    module,
    lanes: 4,
    fused: options.relaxedSimd,
    scaledAddresses: false,
    copies: 4,
    newFunction(parameters) {
      const type = module.type(
        parameters.map((kind) => valueTypes[kind]),
        [],
      )
      return module.add(new WasmCode(module.nextIndex, type, parameters.length, options))
    },
  }
}
