import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../../compile.ts'
import { tensor } from '../../create.ts'
import { gradCheck } from '../../gradient.ts'
import type { Tensor } from '../../tensor.ts'
import * as F from './functions.ts'
import { GELU, PReLU, Softplus } from './modules.ts'

const differentiable: Record<string, (x: Tensor) => Tensor> = {
  sigmoid: F.sigmoid,
  tanh: F.tanh,
  softsign: F.softsign,
  hardtanh: F.hardtanh,
  relu6: F.relu6,
  hardsigmoid: F.hardsigmoid,
  tanhshrink: F.tanhshrink,
  logSigmoid: F.logSigmoid,
  relu: F.relu,
  leakyRelu: F.leakyRelu,
  elu: F.elu,
  selu: F.selu,
  celu: (x) => F.celu(x, 0.7),
  softplus: (x) => F.softplus(x, 2),
  threshold: (x) => F.threshold(x, 0.1, -0.3),
  softshrink: F.softshrink,
  hardshrink: F.hardshrink,
  gelu: F.gelu,
  'gelu by tanh': (x) => F.gelu(x, 'tanh'),
  silu: F.silu,
  mish: F.mish,
  hardswish: F.hardswish,
  glu: F.glu,
  softmax: (x) => F.softmax(x, 0),
  logSoftmax: (x) => F.logSoftmax(x, 0),
  softmin: (x) => F.softmin(x, 0),
  prelu: (x) => F.prelu(x, tensor([0.3], { device: x.device })),
}

for (const [name, activation] of Object.entries(differentiable)) {
  test(`${name} has the gradient that differences give, and finite ones for ±100 and ±10000`, () => {
    gradCheck(activation, [tensor([-4.2, -1.7, -0.31, 0.12, 0.77, 1.9, 3.6, 7.3])])
    const x = tensor([-10000, -100, -30, 0, 30, 100, 10000, 1]).requiresGrad_()
    const y = activation(x)
    y.sum().backward()
    for (const values of [y.data(), x.grad?.data() as Float32Array])
      assert.ok(values.every(Number.isFinite), String(values))
  })
}

test('smooth functions are exact far from zero', () => {
  const at = (fn: (x: Tensor) => Tensor, x: number) => fn(tensor([x])).item()
  assert.equal(at(F.softplus, 100), 100)
  assert.ok(Math.abs(at(F.softplus, -20) / Math.log1p(Math.exp(-20)) - 1) < 1e-5)
  assert.equal(at(F.logSigmoid, -100), -100)
  assert.ok(Math.abs(at(F.logSigmoid, 20) / -Math.log1p(Math.exp(-20)) - 1) < 1e-5)
  assert.equal(at(F.mish, 100), 100)
})

test('nothing learns through heaviside', () => {
  const x = tensor([-1, 0, Number.NaN]).requiresGrad_()
  const y = F.heaviside(x)
  assert.deepEqual(y.toArray(), [0, 1, Number.NaN])
  assert.equal(y.requiresGrad, false)
  assert.throws(() => y.sum().backward())
})

test('NaN stays NaN', () => {
  for (const name of ['relu6', 'hardtanh', 'elu', 'softplus', 'hardshrink', 'softshrink', 'gelu', 'logSigmoid']) {
    assert.ok(Number.isNaN((differentiable[name] as (x: Tensor) => Tensor)(tensor([Number.NaN])).item()), name)
  }
})

test('layers are their functions, eager and compiled', () => {
  const x = tensor([[-2, 0.5, 3]])
  const close = (a: Tensor, b: Tensor) => assert.ok(a.sub(b).abs().max().item() < 1e-6)
  close(new GELU('tanh').forward(x), F.gelu(x, 'tanh'))
  const softplus = new Softplus(2)
  close(compile((value: Tensor) => softplus.forward(value))(x), F.softplus(x, 2))
  assert.deepEqual(new PReLU(3).forward(x).toArray(), [[-0.5, 0.5, 3]])
})

test('shapes that cannot be are errors that say so', () => {
  assert.throws(
    () => F.glu(tensor([1, 2, 3])),
    /glu: dimension -1 of \[3\] has extent 3, which does not divide into halves/,
  )
  assert.throws(
    () => F.prelu(tensor([[1, 2]]), tensor([1, 2, 3])),
    /the weight must be \[1\] or \[2\] for \[1,2\], got \[3\]/,
  )
})
