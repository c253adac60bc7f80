import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModuleBuilder } from './encode.ts'
import { cover } from './gemm-machine.ts'
import { emitMicro, panelColumns, panelHeights } from './gemm-micro.ts'

test('panels cover all rows, and more only where there are 1, 2, 3 or 7', () => {
  for (let rows = 1; rows <= 300; rows++) {
    const covered = cover(rows).reduce((sum, { height, count }) => sum + height * count, 0)
    assert.equal(covered, rows < 4 ? 4 : rows === 7 ? 8 : rows)
  }
})

for (const sums of ['f32', 'f64'] as const) {
  for (const fused of [true, false]) {
    test(`the micro-kernel in ${sums}, ${fused ? 'with' : 'without'} fused multiply-adds, at every height and depth`, () => {
      const module = new ModuleBuilder()
      module.importMemory('env', 'memory', 1, 1, true)
      for (const height of panelHeights) emitMicro(module, height, sums, fused, `height${height}`)
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { env: { memory } })
      const words = new Float32Array(memory.buffer)
      const columns = panelColumns[sums]
      const [a, b, c, panels, rowLength] = [16, 1024, 4096, 2, 20]
      const wanted = (height: number, k: number, row: number, column: number, before: number): number => {
        const panel = Math.floor(column / columns)
        if (panel >= panels) return 3
        let sum = before
        for (let l = 0; l < k; l++) {
          const [x, y] = [words[a + l * height + row], words[b + (panel * k + l) * columns + (column % columns)]]
          sum += (x as number) * (y as number)
        }
        return sum
      }
      for (const height of panelHeights) {
        for (let k = 0; k < 10; k++) {
          for (let i = a; i < c; i++) words[i] = (i * 7) % 11
          for (const accumulate of [0, 1]) {
            words.fill(3, c)
            const micro = exports[`height${height}`] as (...parameters: number[]) => void
            micro(4 * a, 4 * b, 4 * c, panels, k, 4 * rowLength, accumulate)
            for (let i = 0; i < height * rowLength; i++) {
              const [row, column] = [Math.floor(i / rowLength), i % rowLength]
              const want = wanted(height, k, row, column, accumulate * 3)
              assert.equal(words[c + i], want, `${height} rows, k ${k}, row ${row}, column ${column}`)
            }
          }
        }
      }
    })
  }
}
