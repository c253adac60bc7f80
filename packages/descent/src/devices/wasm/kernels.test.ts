import { testGemms, testSmallGemms } from '../vector/gemm-claims.ts'
import { testLoops } from '../vector/loop-claims.ts'
import { testRowKernels } from '../vector/row-kernel-claims.ts'
import { testWholeLoops } from '../vector/whole-loop-claims.ts'
import { wasmDevice } from './device.ts'

testLoops('wasm', wasmDevice)
testRowKernels('wasm', wasmDevice)
testGemms('wasm', wasmDevice)
testSmallGemms('wasm', wasmDevice)
testWholeLoops('wasm', wasmDevice)
