import { testGemms, testSmallGemms } from '../vector/gemm-claims.ts'
import { testBackwards, testLoops } from '../vector/loop-claims.ts'
import { testRowKernels } from '../vector/row-kernel-claims.ts'
import { testWholeLoops } from '../vector/whole-loop-claims.ts'
import { WasmDevice, wasmDevice } from './device.ts'

testLoops('wasm', wasmDevice)
// A device of its own, whose first buffer stands at a low address.
testBackwards('wasm', () => new WasmDevice(1))
testRowKernels('wasm', wasmDevice)
testGemms('wasm', wasmDevice)
testSmallGemms('wasm', wasmDevice)
testWholeLoops('wasm', wasmDevice)
