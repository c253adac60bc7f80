import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureLimits as measureWasm } from '../wasm/limits.ts'
import { x64Device } from './device.ts'
import { measureLimits } from './limits.ts'

const found = x64Device()

test('the limits of this machine are those of a computer', { skip: typeof found === 'string' ? found : false }, () => {
  const [one, two] = [measureLimits(1), measureLimits(2)]
  assert.deepEqual([one.threads, two.threads], [1, 2])
  for (const { flops, bytes } of [one, two]) {
    assert.ok(flops > 1e9 && flops < 1e13, `${flops} operations a second`)
    assert.ok(bytes > 1e8 && bytes < 1e12, `${bytes} bytes a second`)
  }
})

test('so are those in WebAssembly', () => {
  const { threads, flops, bytes } = measureWasm()
  assert.equal(threads, 1)
  assert.ok(flops > 1e8 && flops < 1e12, `${flops} operations a second`)
  assert.ok(bytes > 1e8 && bytes < 1e12, `${bytes} bytes a second`)
})
