import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cat,
  checkIndex,
  compile,
  conv,
  ones,
  rand,
  randn,
  scan,
  setDevice,
  type Tensor,
  tensor,
  zeros,
} from '../index.ts'

setDevice('reference')

/** The kernels of a compiled function, by kind. */
function kernels(fn: (...xs: Tensor[]) => Tensor, ...inputs: Tensor[]): string[] {
  const compiled = compile(fn)
  compiled(...inputs)
  return [...compiled.print('plan').matchAll(/^kernel \d+: (\w+( flat)?)/gm)].map((match) => match[1] as string)
}

test('a chain of elementwise operations with a sum is one kernel', () => {
  assert.deepEqual(
    kernels((x) => x.mul(1.5).add(0.5).tanh().mul(x).add(x.relu()).sum(), ones([1000])),
    ['loops'],
  )
})

test('a long sum is taken in parts, whose number does not depend on threads', () => {
  assert.deepEqual(
    kernels((x) => x.tanh().sum(), ones([100_000])),
    ['loops', 'loops'],
  )
})

test('bias, activation and residual are the epilogue of the product', () => {
  const [w, b] = [randn([5, 4]), randn([5])]
  assert.deepEqual(
    kernels((x, r) => x.matmul(w.t()).add(b).relu().add(r), ones([3, 4]), ones([3, 5])),
    ['gemm'],
  )
  const [k, c] = [randn([2, 3, 3, 3]), randn([2, 1, 1])]
  assert.deepEqual(
    kernels((x) => conv(x, k).add(c).relu(), ones([2, 3, 6, 6])),
    ['gemm'],
  )
})

test('softmax, cross-entropy and layer norm read a row once, with their gradients', () => {
  assert.deepEqual(
    kernels((x) => x.softmax(1), ones([3, 4])),
    ['loops'],
  )
  assert.deepEqual(
    kernels((x) => x.sub(x.mean(1, true)).div(x.variance(1, { keepdim: true }).add(1e-5).sqrt()), ones([3, 4])),
    ['loops'],
  )
  const classes = tensor(Int32Array.of(0, 1, 2))
  const w = randn([3, 4]).requiresGrad_()
  const crossEntropy = (): Tensor => {
    w.grad = null
    const log = w.logSoftmax(1)
    const target = checkIndex(classes, 4, 'class').unsqueeze(1).expand(3, 4)
    target
      .eq(target.positions([1]))
      .where(log, 0)
      .sum(1)
      .neg()
      .mean()
      .backward()
    return w.grad as unknown as Tensor
  }
  assert.deepEqual(kernels(crossEntropy), ['loops'])
})

test('an optimizer updates all its parameters in one kernel', () => {
  const parameters = [randn([3, 4]), randn([7]), randn([2, 2, 2])]
  const momenta = parameters.map((p) => zeros(p.shape))
  const update = compile((rate: number) => {
    parameters.forEach((p, i) => {
      const m = momenta[i] as Tensor
      m.copy_(m.mul(0.9).add(p.mul(0.1)))
      p.copy_(p.sub(m.mul(rate)))
    })
    return tensor(0)
  })
  update(0.1)
  const flat = update.print('plan').match(/^kernel \d+: loops flat/gm) as string[]
  assert.equal(flat.length, 1)
  assert.match(update.print('plan'), /step 1: kernel (\d) × 12 .*kernel \1 × 7 .*kernel \1 × 8/)
})

test('constants fold and turned matrices turn back', () => {
  const w = randn([5, 4]).requiresGrad_()
  const f = compile((x: Tensor) => {
    w.grad = null
    x.matmul(w.t()).sum().mul(2).div(4).neg().backward()
    return w.grad as unknown as Tensor
  })
  f(ones([3, 4]))
  assert.doesNotMatch(f.print('plan'), /neg|\//)
  assert.match(f.print('plan'), /b\d\[4\*v0\+v1\] = tile/)
})

test('parts that share what they are computed from are stored by one kernel, each in its place', () => {
  const f = (x: Tensor, y: Tensor): Tensor => {
    const shared = x.mul(y).tanh().mul(x.exp())
    return cat([shared.mul(x.sigmoid()), shared.mul(y.exp()), shared.tanh().mul(y)], 1)
  }
  const [x, y] = [rand([3, 4]), rand([3, 4])]
  assert.deepEqual(kernels(f, x, y), ['loops'])
  const compiled = compile(f)
  assert.deepEqual(compiled(x, y).toArray(), f(x, y).toArray())
  assert.equal(compiled.print('kernels').match(/b\d\[.*\] = /g)?.length, 3)
})

test('a state can become parts that are computed from itself', () => {
  const state = rand([6])
  const f = (x: Tensor): Tensor => {
    const [a, b] = [x.slice([0, 3]), x.slice([3, 6])]
    const shared = a.exp().mul(b.tanh()).sigmoid()
    return cat([shared.mul(b.exp()).mul(a.tanh()), shared.tanh().mul(a.exp())])
  }
  const want = f(state.clone()).toArray()
  const update = compile(() => {
    state.copy_(f(state))
    return tensor(0)
  })
  update()
  assert.deepEqual(state.toArray(), want)
})

test('a loop finds the gradients of its results where they are, not put together from parts', () => {
  const w = rand([4, 4]).requiresGrad_()
  const step = compile((x: Tensor) => {
    w.grad = null
    const { carry, outputs } = scan(
      ([h], [slice]) => {
        const next = (h as Tensor)
          .matmul(w)
          .add(slice as Tensor)
          .tanh()
        return { carry: [next], outputs: [next] }
      },
      [zeros([2, 4])],
      [x],
    )
    const [last, all] = [carry[0] as Tensor, outputs[0] as Tensor]
    last.mul(2).sum().add(all.square().sum()).backward()
    return w.grad as unknown as Tensor
  })
  step(rand([5, 2, 4]))
  // Only the carry's last cotangent is one of zeros elsewhere.
  assert.ok((step.print('graph').match(/= pad/g) ?? []).length <= 1)
})
