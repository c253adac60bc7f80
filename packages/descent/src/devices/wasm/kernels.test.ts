import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addConstant, scale, variable } from '../../kernel/index-expr.ts'
import type { LoopKernel } from '../../kernel/kernel.ts'
import type { Storage } from '../device.ts'
import { testGemms, testSmallGemms } from '../vector/gemm-claims.ts'
import { testLoops } from '../vector/loop-claims.ts'
import { planOf } from '../vector/random-kernel.ts'
import { testRowKernels } from '../vector/row-kernel-claims.ts'
import { testWholeLoops } from '../vector/whole-loop-claims.ts'
import { WasmDevice, wasmDevice } from './device.ts'

testLoops('wasm', wasmDevice)
testRowKernels('wasm', wasmDevice)
testGemms('wasm', wasmDevice)
testSmallGemms('wasm', wasmDevice)
testWholeLoops('wasm', wasmDevice)

test('rows read and written backwards where memory begins', () => {
  // 7 is no multiple of the lanes: a lane that does not count would lie far before the buffer.
  const [rows, columns] = [7, 5000]
  const length = rows * columns
  const row = variable(0, rows)
  const backwards = addConstant(scale(row, -columns), (rows - 1) * columns)
  const load = { kind: 'load', dtype: 'f32', guarded: false } as const
  for (const access of ['read', 'write'] as const) {
    const [read, written] = access === 'read' ? [0, 1] : [1, 0]
    const [from, to] = access === 'read' ? [backwards, row] : [row, backwards]
    const kernel: LoopKernel = {
      kind: 'loops',
      flat: false,
      // The buffer that is walked backwards is the first, and the device its own: it stands at a low address.
      buffers: [
        { dtype: 'f32', access, length },
        { dtype: 'f32', access: access === 'read' ? 'write' : 'read', length },
      ],
      rows: [{ id: 0, size: rows }],
      stages: [
        {
          axes: [],
          reductions: [],
          stores: [{ buffer: written, index: to, value: { ...load, buffer: read, index: from } }],
        },
      ],
    }
    const device = new WasmDevice(1)
    const storages = [0, 1].map(() =>
      device.adopt(
        'f32',
        Float32Array.from({ length }, (_, i) => i),
      ),
    )
    device.prepare(planOf(kernel)).run(storages)
    const result = device.read(storages[written] as Storage, 0, length)
    for (let i = 0; i < rows; i++) {
      const far = (rows - 1 - i) * columns
      assert.equal(result[access === 'read' ? i : far], access === 'read' ? far : i)
    }
  }
})
