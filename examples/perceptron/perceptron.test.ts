import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { grad, heaviside, mseLoss, tensor } from 'descent'
import fc from 'fast-check'
import { readIrises } from '../iris/iris.ts'
import { Perceptron } from './perceptron.ts'

test('where a plane separates two classes with a margin, mistakes end, within the bound of the proof', () => {
  const point = fc.tuple(fc.float({ min: -1, max: 1, noNaN: true }), fc.float({ min: -1, max: 1, noNaN: true }))
  fc.assert(
    fc.property(fc.array(point, { minLength: 2, maxLength: 12 }), (points) => {
      const margin = 0.1
      const kept = points.filter(([a, b]) => Math.abs(a + b) / Math.SQRT2 >= margin)
      if (kept.length === 0) return
      const [x, y] = [tensor(kept), tensor(kept.map(([a, b]) => Number(a + b > 0)))]
      const perceptron = new Perceptron(2)
      // Novikoff: at most (R / margin)² mistakes; R² ≤ 1 + 1 + 1 with the bias.
      let total = 0
      for (let last = 1; last !== 0; total += last) {
        last = perceptron.epoch(x, y)
        assert.ok(total + last <= 3 / margin ** 2, `${total + last} mistakes`)
      }
      assert.deepEqual(perceptron.forward(x).toArray(), y.toArray())
    }),
    { numRuns: 20 },
  )
})

test('it tells setosa from the other irises without a mistake', () => {
  const irises = readIrises()
  const y = irises.y.eq(0).float()
  const perceptron = new Perceptron(4)
  for (let epoch = 0; epoch < 10; epoch++) perceptron.epoch(irises.x, y)
  assert.deepEqual(perceptron.forward(irises.x).toArray(), y.toArray())
})

test('no gradient comes through the step, and one does through a sigmoid', () => {
  const [x, y, w] = [
    tensor([
      [1, 2],
      [3, -1],
    ]),
    tensor([1, 0]),
    tensor([0.5, -0.25]),
  ]
  const through = (unit: typeof heaviside) => grad((v) => mseLoss(unit(x.matmul(v)), y))(w).toArray() as number[]
  assert.deepEqual(through(heaviside), [0, 0])
  assert.ok(through((z) => z.sigmoid()).every((slope) => slope !== 0))
  const learned = tensor([0.5, -0.25], { requiresGrad: true })
  assert.throws(() => mseLoss(heaviside(x.matmul(learned)), y).backward(), /no tensor with requiresGrad led to this/)
})

test('the example runs and says what it found', () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /mistakes in each epoch: .*, 0\n/)
  assert.match(stdout, /heaviside: \[0\.0000, 0\.0000, 0\.0000, 0\.0000\]/)
})
