import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { testedDevices } from './devices/tested.ts'
import {
  arange,
  cat,
  compile,
  conv,
  DTypeError,
  eye,
  full,
  IndexError,
  linspace,
  maximum,
  minimum,
  ones,
  randint,
  ShapeError,
  setDevice,
  stack,
  Tensor,
  tensor,
  where,
  zeros,
} from './index.ts'

for (const { name: device, skip } of testedDevices) {
  test(`${device}: paddings with NaN and either infinity are three operations`, { skip }, () => {
    setDevice(device)
    const x = tensor([1])
    const padded = (...xs: Tensor[]): Tensor[] =>
      [Number.NaN, Infinity, -Infinity].flatMap((value) => xs.map((y) => y.pad([0, 1], { value })))
    const expected = [Number.NaN, Infinity, -Infinity].map((value) => [1, value])
    assert.deepEqual(
      padded(x).map((y) => y.toArray()),
      expected,
    )
    assert.deepEqual(
      compile(padded)(x).map((y) => y.toArray()),
      expected,
    )
  })

  test(`${device}: views share storage and read as copies would`, { skip }, () => {
    setDevice(device)
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        (n, m, start, step) => {
          const x = arange(n * m).reshape(n, m)
          const rows = Array.from({ length: n }, (_, i) => Array.from({ length: m }, (_, j) => i * m + j))
          const turned = x.t()
          assert.equal(turned.stored.storage, x.stored.storage)
          assert.deepEqual(
            turned.toArray(),
            Array.from({ length: m }, (_, j) => rows.map((row) => row[j])),
          )
          assert.deepEqual(x.flip([0, 1]).toArray(), rows.map((row) => row.toReversed()).toReversed())
          const part = x.slice([start, null, step], null)
          assert.deepEqual(
            part.toArray(),
            rows.filter((_, i) => i >= start && (i - start) % step === 0),
          )
          assert.deepEqual(
            x.t().add(1).toArray(),
            Array.from({ length: m }, (_, j) => rows.map((row) => (row[j] as number) + 1)),
          )
          assert.deepEqual(
            x.flip(1).slice(null, [0, 1]).mul(2).toArray(),
            rows.map((row) => [2 * (row.at(-1) as number)]),
          )
          assert.equal(x.slice(0).unsqueeze(0).expand(3, m).stored.storage, x.stored.storage)
        },
      ),
      { numRuns: 30 },
    )
  })

  test(`${device}: new tensors hold what they should`, { skip }, () => {
    setDevice(device)
    assert.deepEqual(zeros([2, 2]).toArray(), [
      [0, 0],
      [0, 0],
    ])
    assert.deepEqual(ones([2], { dtype: 'i32' }).data(), Int32Array.of(1, 1))
    assert.deepEqual(full([2], 2.5).toArray(), [2.5, 2.5])
    assert.deepEqual(linspace(0, 1, 3).toArray(), [0, 0.5, 1])
    assert.deepEqual(eye(2, 3).toArray(), [
      [1, 0, 0],
      [0, 1, 0],
    ])
    assert.deepEqual(tensor([[true, false]]).toArray(), [[true, false]])
    assert.deepEqual(tensor(Uint8Array.of(0, 7)).data(), Uint8Array.of(0, 1))
    assert.deepEqual(tensor(Int32Array.of(3, 4)).dtype, 'i32')
    assert.equal(tensor(5).item(), 5)
    assert.deepEqual(zeros([0, 3]).add(1).toArray(), [])
    const drawn = randint(3, 6, [200]).data()
    assert.ok(drawn.every((v) => v >= 3 && v < 6) && new Set(drawn).size === 3)
  })

  test(`${device}: indexing takes what people expect`, { skip }, () => {
    setDevice(device)
    const x = arange(12).reshape(3, 4)
    assert.deepEqual(x.slice(-1).toArray(), [8, 9, 10, 11])
    assert.deepEqual(x.slice(null, [null, null, -1]).slice(0).toArray(), [3, 2, 1, 0])
    assert.deepEqual(x.index(tensor(Int32Array.of(2, 0)), [1, 3]).toArray(), [
      [9, 10],
      [1, 2],
    ])
    assert.deepEqual(where(x.gt(5), x, -1).slice(1).toArray(), [-1, -1, 6, 7])
    assert.deepEqual(
      x.split(3, 1).map((part) => part.shape),
      [
        [3, 3],
        [3, 1],
      ],
    )
    assert.deepEqual(cat([x, x], 1).shape, [3, 8])
    assert.deepEqual(stack([x.slice(0), x.slice(2)]).toArray(), [
      [0, 1, 2, 3],
      [8, 9, 10, 11],
    ])
    assert.deepEqual(maximum(x, 6).slice(1).toArray(), [6, 6, 6, 7])
    assert.deepEqual(minimum(x, 6).slice(1).toArray(), [4, 5, 6, 6])
  })

  test(`${device}: a class out of range names index and range`, { skip }, () => {
    setDevice(device)
    assert.throws(
      () => tensor(Int32Array.of(0, 5, 9)).oneHot(5),
      (e: IndexError) => e instanceof IndexError && e.index === 5 && e.size === 5,
    )
    assert.throws(
      () => ones([2, 3]).gather(1, tensor(Int32Array.of(-1, 0), { shape: [2, 1] })),
      /gather: index -1 is out of range; it must be at least 0 and below 3/,
    )
  })

  test(`${device}: copy_ and fill_ write whole tensors and views`, { skip }, () => {
    setDevice(device)
    const x = zeros([2, 3])
    x.slice(null, [1, 2]).fill_(4)
    x.slice(0).copy_([1, 2, 3])
    assert.deepEqual(x.toArray(), [
      [1, 2, 3],
      [0, 4, 0],
    ])
    x.copy_(x.add(1))
    assert.deepEqual(x.toArray(), [
      [2, 3, 4],
      [1, 5, 1],
    ])
    assert.throws(() => x.copy_([1]), ShapeError)
  })

  test(`${device}: backward adds to the leaves`, { skip }, () => {
    setDevice(device)
    const w = tensor([1, 2], { requiresGrad: true })
    for (let i = 0; i < 2; i++) w.mul(w).sum().backward()
    assert.deepEqual(w.grad?.toArray(), [4, 8])
    assert.throws(() => w.mul(2).backward(), ShapeError)
  })
}

test('parts of a matrix, wherever they lie, are read in place', () => {
  setDevice('wasm')
  const x = arange(3000).reshape(1000, 3)
  let total = 0
  for (let i = 0; i < 1000; i++) total += x.slice(i).flip(0).sub(i).sum().item()
  assert.equal(total, (3000 * 2999) / 2 - (3 * 1000 * 999) / 2)
  assert.deepEqual(x.t().slice(1, [998, null]).mul(2).toArray(), [2 * 2995, 2 * 2998])
})

test('a bias before centring gets a gradient of exactly zero, but not where a value is no number', () => {
  setDevice('wasm')
  const gradient = (weights: readonly number[]): unknown => {
    const bias = tensor([0.1, 0.2], { requiresGrad: true })
    const x = tensor([
      [0.3, 1.7],
      [-2.1, 0.4],
      [0.9, -0.6],
    ])
    x.add(bias).center(0).tanh().mul(tensor(weights).unsqueeze(1)).sum().backward()
    return bias.grad?.abs().toArray()
  }
  assert.deepEqual(gradient([0.3, 0.7, 1.1]), [0, 0])
  assert.deepEqual(gradient([0.3, Number.NaN, 1.1]), [Number.NaN, Number.NaN])
})

test('errors name the shapes and say what to do', () => {
  setDevice('wasm')
  assert.throws(() => ones([32, 784]).matmul(ones([128, 784])), {
    name: 'ShapeError',
    message: 'matmul: [32, 784] × [128, 784]: inner sizes 784 and 128 differ. Did you mean b.transpose(-2, -1)?',
  })
  assert.throws(
    () => ones([2, 3]).add(ones([2])),
    /add: shapes \[2, 3\] and \[2\] do not broadcast: 3 and 2 meet in dimension -1/,
  )
  assert.throws(() => ones([2, 3]).reshape(4), /reshape: \[2, 3\] has 6 elements, \[4\] would have 4/)
  assert.throws(() => tensor([[1, 2], [3]]), /ragged/)
  assert.throws(() => ones([2]).matmul(ones([3])), ShapeError)
  assert.throws(() => ones([2, 2], { dtype: 'i32' }).matmul(ones([2, 2])), DTypeError)
  assert.throws(() => ones([1, 3, 5, 5]).item(), /needs a tensor of one element/)
  assert.throws(() => conv(ones([1, 3, 5, 5]), ones([4, 2, 3, 3])), /the input has 3 channels, the weight expects 2/)
  assert.throws(() => ones([2], { dtype: 'i32', requiresGrad: true }), DTypeError)
  assert.throws(() => ones([3, 2]).sum(2), /dimension 2 does not exist/)
  assert.throws(() => zeros([0]).max(), ShapeError)
})

test('a tensor prints its values, shape and dtype', () => {
  setDevice('wasm')
  assert.equal(
    String(
      tensor([
        [1.5, -2],
        [0.25, 3],
      ]),
    ),
    'Tensor([[ 1.5000, -2.0000],\n        [ 0.2500,  3.0000]], shape=[2, 2], dtype=f32)',
  )
  assert.equal(inspect(tensor([1, 2, 3])), 'Tensor([1., 2., 3.], shape=[3], dtype=f32)')
  assert.match(String(arange(2000)), /\[ *0\., +1\., +2\., +\.\.\., +1997\., +1998\., +1999\.\]/)
  assert.ok(tensor(1) instanceof Tensor)
})

test('no gradient flows through whole numbers', () => {
  setDevice('wasm')
  const x = tensor([1.5, 2.5], { requiresGrad: true })
  assert.equal(x.int().requiresGrad, false)
  assert.equal(x.bool().float().requiresGrad, false)
  x.int().mul(x).sum().backward()
  assert.deepEqual(x.grad?.toArray(), [1, 2])
})
