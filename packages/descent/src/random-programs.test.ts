/** Random programs give the same outputs, gradients and state compiled as eager: fusion changes no meaning. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cat, compile, setDevice, stack, type Tensor, tensor, where } from './index.ts'

/** One step of a program: which operation, on which earlier values, and a number for its details. */
type Choice = readonly [operation: number, first: number, second: number, detail: number]

type Step = (x: Tensor, y: Tensor, detail: number) => Tensor | null

const LARGEST = 400

const dimOf = (x: Tensor, detail: number): number => detail % x.ndim
const pick = <T>(items: readonly T[], i: number): T => items[i % items.length] as T

function broadcasts(x: Tensor, y: Tensor): boolean {
  const rank = Math.max(x.ndim, y.ndim)
  let size = 1
  for (let d = 1; d <= rank; d++) {
    const [a, b] = [x.shape.at(-d) ?? 1, y.shape.at(-d) ?? 1]
    if (d <= x.ndim && d <= y.ndim && a !== b && a !== 1 && b !== 1) return false
    size *= Math.max(a, b)
  }
  return size <= LARGEST
}

/** Every step gives null where its operands do not fit it. */
const steps: readonly Step[] = [
  (x) => x.tanh(),
  (x) => x.sigmoid(),
  (x) => x.mul(0.5).exp().clamp(0.01, 5),
  (x) => x.relu(),
  (x, _, i) => x.mul(1 + (i % 3)).add(0.25),
  (x, y) => (broadcasts(x, y) ? x.add(y) : null),
  (x, y) => (broadcasts(x, y) ? x.mul(y) : null),
  (x, y) => (broadcasts(x, y) ? x.sub(y).tanh() : null),
  (x, y) => (broadcasts(x, y) ? x.maximum(y) : null),
  (x, y) => (broadcasts(x, y) ? where(x.gt(y), x, y.mul(2)) : null),
  (x, _, i) => (x.ndim > 0 ? x.sum(dimOf(x, i), i % 2 === 0) : null),
  (x, _, i) => (x.ndim > 0 ? x.mean(dimOf(x, i), i % 2 === 0) : null),
  (x, _, i) => (x.ndim > 0 ? x.max(dimOf(x, i), i % 2 === 0) : null),
  (x, _, i) => (x.ndim > 0 && x.shape[dimOf(x, i)] !== 1 ? x.variance(dimOf(x, i), { keepdim: true }) : null),
  (x) => x.mean(),
  (x, _, i) => (x.ndim > 0 ? x.softmax(dimOf(x, i)) : null),
  (x, _, i) => (x.ndim > 0 ? x.logSoftmax(dimOf(x, i)) : null),
  (x, _, i) => (x.ndim > 0 ? x.logsumexp(dimOf(x, i)) : null),
  (x, _, i) => (x.ndim > 0 ? x.cumsum(dimOf(x, i)) : null),
  (x, _, i) => (x.ndim > 0 ? x.flip([dimOf(x, i)]) : null),
  (x, _, i) => (x.ndim > 1 ? x.transpose(0, 1 + (i % (x.ndim - 1))) : null),
  (x) => (x.ndim > 1 ? x.permute(...x.shape.map((_, d) => (d + 1) % x.ndim)) : null),
  (x) => x.reshape([x.size]),
  (x, _, i) => (x.size % (2 + (i % 3)) === 0 ? x.reshape([2 + (i % 3), -1]) : null),
  (x, _, i) => x.unsqueeze(i % (x.ndim + 1)),
  (x, _, i) => (x.ndim > 0 && x.size * 3 <= LARGEST ? x.unsqueeze(0).expand(2 + (i % 2), ...x.shape) : null),
  (x, _, i) => {
    const extent = x.shape[dimOf(x, i)]
    if (x.ndim === 0 || extent === undefined || extent < 2) return null
    return x.slice(
      ...x.shape.map((_, d): null | [number, number, number] => (d === dimOf(x, i) ? [1, extent, 1 + (i % 2)] : null)),
    )
  },
  (x, _, i) => (x.ndim > 0 && x.size <= LARGEST / 4 ? x.pad([i % 3, 1]) : null),
  (x, _, i) => (x.ndim > 0 ? x.roll(1 + (i % 2), dimOf(x, i)) : null),
  (x, y, i) =>
    x.ndim > 0 && x.shape.join() === y.shape.join() && x.size * 2 <= LARGEST ? cat([x, y], dimOf(x, i)) : null,
  (x, y, i) => (x.shape.join() === y.shape.join() && x.size * 2 <= LARGEST ? stack([x, y], i % (x.ndim + 1)) : null),
  (x, y) => {
    if (x.ndim < 2 || y.ndim !== 2) return null
    const inner = x.shape.at(-1)
    if (inner === y.shape[0]) return x.matmul(y).tanh()
    return inner === y.shape[1] ? x.matmul(y.t()).add(0.5).relu() : null
  },
  (x) => (x.ndim === 2 ? x.matmul(x.t()).mul(0.1) : null),
  (x, _, i) => (x.ndim > 0 ? x.sort(dimOf(x, i), i % 2 === 0).values : null),
  (x, _, i) => {
    if (x.ndim === 0) return null
    return x.gather(dimOf(x, i), x.argmax(dimOf(x, i), true))
  },
  (x, y, i) => {
    if (x.ndim === 0 || x.shape.join() !== y.shape.join()) return null
    return x.scatterAdd(dimOf(x, i), y.sort(dimOf(x, i)).indices, y)
  },
  (x) => (x.ndim === 2 ? x.tril(-1).add(x.triu(1)) : null),
  (x) => x.gt(0).float().mul(x),
  (x) => x.detach().mul(0.5),
]

/** Runs the choices; gives the last values and the mean of everything as a loss. */
function program(choices: readonly Choice[], inputs: readonly Tensor[]): { outputs: Tensor[]; loss: Tensor } {
  const values = [...inputs]
  for (const [operation, first, second, detail] of choices) {
    const result = pick(steps, operation)(pick(values, first), pick(values, second), detail)
    if (result && result.size <= LARGEST) values.push(result)
  }
  const outputs = values.slice(-3)
  let loss = inputs[0]?.mul(0).sum() as Tensor
  for (const [i, output] of outputs.entries())
    loss = loss.add(
      output
        .mul(output)
        .mean()
        .mul(i + 1),
    )
  return { outputs, loss }
}

const shapes = [[3, 4], [4], [2, 3, 4], [3, 1], [4, 3]]

function newInputs(): Tensor[] {
  return shapes.map((shape, s) => {
    const size = shape.reduce((a, b) => a * b, 1)
    const values = Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 3.7 * i + 11 * s) * 1.5)
    return tensor(values, { shape, requiresGrad: true })
  })
}

interface Run {
  readonly outputs: Tensor[]
  readonly gradients: (Tensor | null)[]
  readonly state: Tensor
}

function run(choices: readonly Choice[], compiled: boolean): Run {
  const inputs = newInputs()
  const state = tensor([1, -2, 0.5, 3])
  const fn = (): Tensor[] => {
    const { outputs, loss } = program(choices, [...inputs, state.mul(1)])
    loss.backward()
    state.copy_(state.mul(0.5).add(loss.detach()).tanh())
    return [...outputs, loss]
  }
  const call = compiled ? compile(fn) : fn
  call()
  for (const x of inputs) x.grad = null
  return { outputs: call(), gradients: inputs.map((x) => x.grad), state }
}

function assertClose(what: string, got: Tensor | null, want: Tensor | null): void {
  if (got === null || want === null) {
    // A gradient of zeros may be left out.
    for (const x of (got ?? want)?.values() ?? []) assert.equal(x, 0, what)
    return
  }
  assert.deepEqual(got.shape, want.shape, what)
  const [a, b] = [got.values(), want.values()]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number]
    assert.ok(
      Object.is(x, y) || Math.abs(x - y) <= 1e-5 * (1 + Math.abs(y)),
      `${what}: element ${i} is ${x}, eager ${y}`,
    )
  }
}

const choice = fc.tuple(fc.nat(steps.length - 1), fc.nat(30), fc.nat(30), fc.nat(11))

for (const device of ['reference', 'wasm'] as const) {
  test(`${device}: compiled programs give what eager ones give: outputs, gradients and state`, () => {
    setDevice(device)
    fc.assert(
      fc.property(fc.array(choice, { minLength: 1, maxLength: 40, size: 'max' }), (choices) => {
        const want = run(choices, false)
        const got = run(choices, true)
        for (const [i, output] of want.outputs.entries()) assertClose(`output ${i}`, got.outputs[i] ?? null, output)
        for (const [i, gradient] of want.gradients.entries())
          assertClose(`gradient ${i}`, got.gradients[i] ?? null, gradient)
        assertClose('state', got.state, want.state)
      }),
      { numRuns: Number(process.env.RANDOM_PROGRAMS ?? 100), seed: 7 },
    )
  })
}
