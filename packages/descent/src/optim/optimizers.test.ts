import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { setDevice } from '../backend.ts'
import { compile } from '../compile.ts'
import { eye, tensor, zeros } from '../create.ts'
import type { DeviceName } from '../devices/device.ts'
import { testedDevices } from '../devices/tested.ts'
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts'
import { Generator, rand, randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { Adadelta } from './adadelta.ts'
import { Adagrad } from './adagrad.ts'
import { Adam, AdamW } from './adam.ts'
import { Adamax } from './adamax.ts'
import { Lion } from './lion.ts'
import { Muon } from './muon.ts'
import { NAdam } from './nadam.ts'
import type { Optimizer, ParamGroup } from './optimizer.ts'
import { RAdam } from './radam.ts'
import { RMSprop } from './rmsprop.ts'
import { SGD, type SGDSettings } from './sgd.ts'

const makers: Record<string, (p: Tensor[]) => Optimizer> = {
  SGD: (p) => new SGD(p, { lr: 0.05 }),
  'SGD with momentum and dampening': (p) => new SGD(p, { lr: 0.03, momentum: 0.8, dampening: 0.2 }),
  'SGD with Nesterov': (p) => new SGD(p, { lr: 0.02, momentum: 0.8, nesterov: true, weightDecay: 0.001 }),
  Adam: (p) => new Adam(p, { lr: 0.1 }),
  'Adam with amsgrad': (p) => new Adam(p, { lr: 0.1, amsgrad: true, weightDecay: 0.001 }),
  'Adam without memory': (p) => new Adam(p, { lr: 0.05, betas: [0, 0] }),
  AdamW: (p) => new AdamW(p, { lr: 0.1 }),
  RMSprop: (p) => new RMSprop(p, { lr: 0.05 }),
  'RMSprop, centered, with momentum': (p) => new RMSprop(p, { lr: 0.02, alpha: 0.9, momentum: 0.5, centered: true }),
  Adagrad: (p) => new Adagrad(p, { lr: 0.6, lrDecay: 1e-3 }),
  Adadelta: (p) => new Adadelta(p, { lr: 30 }),
  Adamax: (p) => new Adamax(p, { lr: 0.1 }),
  NAdam: (p) => new NAdam(p, { lr: 0.1 }),
  RAdam: (p) => new RAdam(p, { lr: 0.3 }),
  Lion: (p) => new Lion(p, { lr: 0.05, betas: [0.5, 0.5] }),
}

/** A bowl whose lowest point is (1, −2). */
function stepOf(p: Tensor, optimizer: Optimizer): () => Tensor {
  return () => {
    optimizer.zeroGrad()
    const loss = p
      .sub(tensor([1, -2]))
      .square()
      .mul(tensor([1, 3]))
      .sum()
    loss.backward()
    optimizer.step()
    return loss.detach()
  }
}

for (const [name, make] of Object.entries(makers)) {
  test(`${name} reaches the lowest point, the same way compiled as eager`, () => {
    const [a, b] = [tensor([3, 3]).requiresGrad_(), tensor([3, 3]).requiresGrad_()]
    const eager = stepOf(a, make([a]))
    const compiled = compile(stepOf(b, make([b])))
    for (let i = 0; i < 150; i++) {
      const [x, y] = [eager().item(), compiled().item()]
      assert.ok(Math.abs(x - y) <= 1e-4 * (1 + Math.abs(x)), `step ${i}: ${x} and ${y}`)
    }
    const [first, second] = a.toArray() as [number, number]
    assert.ok(Math.hypot(first - 1, second + 2) < 0.15, `${a}`)
    assert.match(compiled.explain(), /^1 plan was made/)
  })

  test(`${name} goes on from a saved state as if it had not stopped`, () => {
    const run = (interruptAt: number | null): number[] => {
      const p = tensor([3, 3]).requiresGrad_()
      let optimizer = make([p])
      let step = compile(stepOf(p, optimizer))
      for (let i = 0; i < 10; i++) {
        if (i === interruptAt) {
          const { tensors } = decodeSafetensors(encodeSafetensors(optimizer.stateDict()))
          optimizer = make([p])
          optimizer.lr = 99
          optimizer.loadStateDict(tensors)
          step = compile(stepOf(p, optimizer))
        }
        step()
      }
      return p.toArray() as number[]
    }
    // Saving rounds to 32 bits, which only the reference device has more than.
    const [a, b] = [run(4), run(null)]
    assert.ok(
      a.every((value, i) => Math.abs(value - (b[i] as number)) < 1e-6),
      `${a} and ${b}`,
    )
  })
}

interface TorchCase {
  readonly optimizer: string
  readonly options: Readonly<Record<string, unknown>>
  readonly shape: readonly number[]
  readonly first: readonly number[]
  readonly gradients: readonly (readonly number[])[]
  readonly last: readonly number[]
}

const made = { SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, RAdam, Muon } as unknown as Record<
  string,
  new (
    p: Tensor[],
    options: TorchCase['options'],
  ) => Optimizer
>

/** Six steps of PyTorch 2.15 in double precision (Muon without its rounding to bfloat16). */
const torchCases = JSON.parse(readFileSync(new URL('torch-options.json', import.meta.url), 'utf8')) as TorchCase[]

for (const { optimizer: name, options, shape, first, gradients, last } of torchCases) {
  test(`${name} with ${JSON.stringify(options)} is PyTorch's`, () => {
    const of = (values: readonly number[]) => tensor(Float32Array.from(values), { shape })
    const p = of(first).requiresGrad_()
    const optimizer = new (made[name] as (typeof made)[string])([p], options)
    const step = compile((gradient: Tensor) => {
      p.grad = gradient
      optimizer.step()
    })
    for (const gradient of gradients) step(of(gradient))
    for (const [i, got] of p.data().entries()) {
      const want = last[i] as number
      assert.ok(Math.abs(got - want) <= 1e-6 + 2e-5 * Math.abs(want), `${i}: ${got} instead of ${want}`)
    }
  })
}

test('RAdam keeps its digits where its formula subtracts large numbers', () => {
  // torch.optim.RAdam in double precision.
  const wanted = new Map([
    [5, 0.9970712626033469],
    [6, 0.9970695817602535],
    [7, 0.9970624351943084],
    [100, 0.995113989573622],
    [1001, 0.9346937643288694],
    [3000, 0.7070484758223419],
  ])
  const p = tensor([1], { requiresGrad: true })
  const radam = new RAdam([p], { lr: 1e-3 })
  const step = compile((gradient: Tensor) => {
    p.grad = gradient
    radam.step()
  })
  for (let t = 1; t <= 3000; t++) {
    step(tensor([t % 3 === 0 ? -1.5 : 1]))
    const want = wanted.get(t)
    if (want !== undefined) assert.ok(Math.abs(p.item() - want) < 2e-6 * t ** 0.5, `step ${t}: ${p.item()}, ${want}`)
  }
})

const random = {
  share: fc.double({ min: 0, max: 0.999, noNaN: true }),
  rate: fc.double({ min: 1e-4, max: 0.5, noNaN: true }),
}
/** Not `centered`: its variance is a difference of nearly equal numbers, and rounding may be all of it. */
const settings = fc.record({
  lr: random.rate,
  weightDecay: fc.constantFrom(0, 0.01, 0.02),
  maximize: fc.boolean(),
  amsgrad: fc.boolean(),
  decoupledWeightDecay: fc.boolean(),
  momentum: fc.constantFrom(0, 0.5, 0.9),
  dampening: fc.constantFrom(0, 0.25),
  lrDecay: fc.constantFrom(0, 0.1),
  alpha: random.share,
  rho: random.share,
  eps: fc.constantFrom(1e-2, 1e-4),
  betas: fc.tuple(random.share, random.share),
})

for (const [name, make] of Object.entries({ ...made, NAdam } as typeof made)) {
  test(`${name} does the same on every device, compiled and not, whatever its settings`, () => {
    fc.assert(
      fc.property(settings, fc.integer({ min: 0, max: 1000 }), (given, seed) => {
        const { betas, momentum, ...rest } = given
        const options = { ...rest, momentum, ...(['SGD', 'RMSprop', 'Muon'].includes(name) ? {} : { betas }) }
        const run = (device: DeviceName, compiled: boolean): number[][] => {
          setDevice(device)
          const generator = new Generator(seed)
          const parameters = [
            [3, 2],
            [4, 5],
          ].map((shape) => randn(shape, { generator }).requiresGrad_())
          const optimizer = new make(parameters, options)
          const body = (...gradients: Tensor[]) => {
            for (const [i, p] of parameters.entries()) p.grad = gradients[i] as Tensor
            optimizer.step()
          }
          const step = compiled ? compile(body) : body
          // Steps that only have a direction would make much of the rounding of a gradient near 0.
          const gradients = () =>
            parameters.map((p) =>
              rand(p.shape, { generator }).sub(0.5).sign().mul(rand(p.shape, { generator }).add(0.5)),
            )
          for (let t = 0; t < 4; t++) step(...gradients())
          return parameters.map((p) => [...p.data()])
        }
        const wanted = run('reference', false)
        for (const { name: device, skip } of testedDevices) {
          for (const compiled of [false, true]) {
            if (skip || (device === 'reference' && !compiled)) continue
            for (const [i, values] of run(device, compiled).entries()) {
              for (const [j, value] of values.entries()) {
                const want = (wanted[i] as number[])[j] as number
                const where = `${device}, ${compiled ? 'compiled' : 'eager'}: ${value} instead of ${want}`
                assert.ok(Math.abs(value - want) <= 1e-4 * (1 + Math.abs(want)), where)
              }
            }
          }
        }
      }),
      { numRuns: 6 },
    )
    setDevice('wasm')
  })
}

test('Muon moves by a matrix whose singular values are near 1, whatever the size of the gradient', () => {
  const p = zeros([4, 3]).requiresGrad_()
  const muon = new Muon([p], { lr: 1, momentum: 0, nesterov: false, adjustLr: 'spectralUnclamped' })
  p.grad = randn([4, 3], { generator: new Generator(5) }).mul(1e-3)
  muon.step()
  const gram = p
    .t()
    .matmul(p)
    .mul(3 / 4)
  // The singular values lie between 0.7 and 1.2, so their squares, the gram matrix's eigenvalues, do too.
  const trace = gram.diagonal().sum().item() / 3
  assert.ok(trace > 0.5 && trace < 1.44, `${gram}`)
  assert.ok(
    gram
      .sub(gram.diagonal().mul(eye(3)))
      .abs()
      .amax()
      .item() < 0.5,
    `${gram}`,
  )
  assert.throws(() => new Muon([zeros([3])]), { name: 'ShapeError', message: /takes matrices, but parameter 0 \[3\]/ })
})

test("NAdam's first step is 0.66 % shorter than PyTorch 2's, its 25th the same", () => {
  setDevice('reference')
  const p = tensor([1], { requiresGrad: true })
  const nadam = new NAdam([p], { lr: 0.01 })
  const moves = Array.from({ length: 25 }, (_, i) => {
    const before = p.item()
    p.grad = tensor([Math.sin(i + 1)])
    nadam.step()
    return p.item() - before
  })
  const longer = -0.010564517787799654 / (moves[0] as number)
  assert.ok(Math.abs(longer - 1.0066) < 1e-4, `${longer}`)
  assert.ok(Math.abs((moves[24] as number) - 0.0016063731937157044) < 1e-8, `${moves[24]}`)
})

test("Lion's steps have one size, and weight decay shrinks beside them", () => {
  const p = tensor([2, -3, 1], { requiresGrad: true })
  const lion = new Lion([p], { lr: 0.5, weightDecay: 0.5 })
  p.grad = tensor([1e-6, -50, 0])
  lion.step()
  assert.deepEqual(p.toArray(), [1, -1.75, 0.75])
})

test('a step is one kernel for each parameter, four at most, and few for all', () => {
  for (const [name, make] of Object.entries(makers)) {
    const parameters = Array.from({ length: 5 }, () => randn([6, 7]).requiresGrad_())
    const optimizer = make(parameters)
    const step = compile((...gradients: Tensor[]) => {
      for (const [i, p] of parameters.entries()) p.grad = gradients[i] as Tensor
      optimizer.step()
    })
    step(...parameters.map((p) => randn(p.shape)))
    const [, kernels, steps] = /has (\d+) kernels in (\d+) step/.exec(step.explain()) ?? []
    const most = name === 'Adadelta' ? 4 * 5 : name === 'Lion' ? 2 * 5 : 5 + 6
    assert.ok(Number(kernels) <= most && Number(steps) <= 5, `${name}: ${kernels} kernels in ${steps} steps`)
  }
})

test('groups have settings of their own, which take effect at the next step without a new plan', () => {
  const [a, b, c] = [tensor([1]), tensor([1]), tensor([1])].map((p) => p.requiresGrad_()) as [Tensor, Tensor, Tensor]
  const sgd = new SGD([{ parameters: [a] }, { parameters: [b], lr: 0.5, weightDecay: 1 }], { lr: 0.25 })
  const step = compile(() => {
    for (const p of [a, b, c]) p.grad = null
    a.add(b).add(c).sum().backward()
    sgd.step()
  })
  step()
  assert.deepEqual([a.item(), b.item(), c.item()], [0.75, 0, 1])
  const [first, second] = sgd.groups as [ParamGroup<SGDSettings>, ParamGroup<SGDSettings>]
  assert.deepEqual([first.lr, second.lr, second.weightDecay, first.parameters], [0.25, 0.5, 1, [a]])
  first.lr = 1
  second.weightDecay = 2
  step()
  assert.deepEqual([a.item(), b.item()], [-0.25, -0.5])
  assert.match(step.explain(), /^1 plan was made/)
  sgd.addParamGroup({ parameters: [c], lr: 2 })
  step()
  assert.equal(c.item(), -1)
  assert.match(step.explain(), /^2 plans were made.*is 3 instead of 2/)
  assert.throws(() => {
    sgd.lr = 1
  }, /3 groups: set optimizer\.groups\[i\]\.lr = 1/)
  assert.throws(() => sgd.addParamGroup({ parameters: [a] }), /in another group already/)
  assert.throws(() => {
    second.lr = -1
  }, /must be 0 or more/)
})

test('what decides the computation makes a new plan when it changes, and momentum can begin late', () => {
  const p = tensor([1], { requiresGrad: true })
  const sgd = new SGD([p], { lr: 0.5 })
  const step = compile(() => {
    sgd.zeroGrad()
    p.sum().backward()
    sgd.step()
  })
  step()
  const [group] = sgd.groups as [ParamGroup<SGDSettings>]
  group.momentum = 0.5
  step()
  step()
  assert.equal(p.item(), 1 - 0.5 - 0.5 - 0.75)
  assert.match(step.explain(), /is true instead of false/)
  group.maximize = true
  step()
  assert.equal(p.item(), -0.75 - 0.5 * (0.5 * 1.5 - 1))
  assert.ok(Object.hasOwn(sgd.stateDict(), 'momentum_buffer.0'))
})

test('settings cannot be changed inside a compiled function', () => {
  const sgd = new SGD([tensor([1], { requiresGrad: true })])
  const step = compile(() => {
    sgd.lr = 2
  })
  assert.throws(() => step(), {
    name: 'TraceError',
    message: /optimizer's lr cannot be set inside a compiled function/,
  })
})

test('an optimizer is not made inside a compiled function', () => {
  const made = compile(() => {
    new SGD([tensor([1], { requiresGrad: true })])
  })
  assert.throws(() => made(), { name: 'TraceError', message: /outside of compiled functions/ })
})

test('a parameter that first lay still begins its own count', () => {
  const [a, b] = [tensor([1]).requiresGrad_(), tensor([1]).requiresGrad_()]
  const adam = new Adam([a, b], { lr: 0.5 })
  for (let i = 0; i < 5; i++) {
    adam.zeroGrad()
    a.sum().backward()
    adam.step()
  }
  b.sum().backward()
  adam.step()
  // A first step of Adam is the learning rate.
  assert.ok(Math.abs(b.item() - 0.5) < 1e-5, `${b}`)
  assert.deepEqual(adam.stateDict().step?.toArray(), [6, 1])
})

test('settings are saved to the last digit, whatever the schedule made of them', () => {
  const make = (lr: number, betas: [number, number]) => {
    const [a, b] = [tensor([1]).requiresGrad_(), tensor([1]).requiresGrad_()]
    return new Adam([{ parameters: [a] }, { parameters: [b], lr, betas }])
  }
  const adam = make(0.1 / 3, [0.95, 1 - 1e-9])
  const { tensors } = decodeSafetensors(encodeSafetensors(adam.stateDict()))
  const other = make(0.7, [0, 0]).loadStateDict(tensors)
  assert.deepEqual(
    other.groups.map(({ lr, betas }) => [lr, betas]),
    [
      [0.001, [0.9, 0.999]],
      [0.1 / 3, [0.95, 1 - 1e-9]],
    ],
  )
  const one = new Adam([tensor([1], { requiresGrad: true })])
  assert.throws(() => one.loadStateDict(tensors), {
    name: 'StateDictError',
    message: /lr is \[2,3\] instead of \[1,3\]/,
  })
})

test('gradients can be made zeros in place', () => {
  const p = tensor([1], { requiresGrad: true })
  const sgd = new SGD([p])
  p.mul(2).sum().backward()
  const { grad } = p
  sgd.zeroGrad({ setToNone: false })
  assert.equal(p.grad, grad)
  assert.equal(p.grad?.item(), 0)
})

test('a new learning rate takes effect at the next step, without a new plan', () => {
  const p = tensor([1]).requiresGrad_()
  const sgd = new SGD([p], { lr: 0.25 })
  const step = compile(() => {
    sgd.zeroGrad()
    const loss = p.mul(2).sum()
    loss.backward()
    sgd.step()
    return loss
  })
  step()
  assert.equal(p.item(), 0.5)
  sgd.lr = 1
  step()
  assert.equal(p.item(), -1.5)
  assert.equal(sgd.lr, 1)
  assert.match(step.explain(), /^1 plan was made/)
})

test('parameters without a gradient stay', () => {
  const [a, b] = [tensor([1]).requiresGrad_(), tensor([1]).requiresGrad_()]
  const adamw = new AdamW([a, b], { lr: 0.5 })
  a.sum().backward()
  adamw.step()
  assert.notEqual(a.item(), 1)
  assert.equal(b.item(), 1)
  adamw.zeroGrad()
  assert.equal(a.grad, null)
})

test('settings that cannot be are errors', () => {
  const p = tensor([1]).requiresGrad_()
  assert.throws(() => new SGD([], { lr: 1 }), /at least one parameter/)
  assert.throws(() => new SGD([p], { lr: -1 }), /must be 0 or more, not -1/)
  assert.throws(() => new SGD([p], { lr: 1, nesterov: true }), /Nesterov/)
  assert.throws(() => new Adam([p], { betas: [0.9, 1] }), /must be in \[0, 1\)/)
  assert.throws(() => new SGD([p.mul(2)], { lr: 1 }), /the result of an operation/)
  const adam = new Adam([p])
  assert.throws(() => {
    adam.lr = Number.NaN
  }, RangeError)
  assert.throws(() => adam.loadStateDict({}), {
    name: 'StateDictError',
    message: /missing: lr, betas, eps, weight_decay, step, exp_avg\.0/,
  })
})
