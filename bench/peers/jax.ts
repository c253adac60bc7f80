/**
 * jax-js as a contender, on its WebAssembly back end, whole steps under `jit`. Every use of an array but the last
 * takes a reference (`.ref`): its memory model.
 */
import { defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax'
import { type Step, serve } from '../contenders/serve.ts'
import { classes, sequence } from '../workload.ts'

type Arr = np.Array
type Loss = (params: Arr[], x: Arr, y: Arr) => Arr

await init()
defaultDevice('wasm')

const numbers = (shape: number[], seed = 1, scale = 1): Arr =>
  np
    .array(
      sequence(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ).map((v) => v * scale),
    )
    .reshape(shape)

function mlpParams(widths: readonly number[]): Arr[] {
  return widths.slice(1).flatMap((out, i) => {
    const inputs = widths[i] as number
    return [numbers([inputs, out], i + 1, 1 / Math.sqrt(inputs)), np.zeros([out])]
  })
}

function mlp(params: Arr[], x: Arr, act: (v: Arr) => Arr): Arr {
  let h = x
  for (let i = 0; i < params.length; i += 2) {
    h = np.matmul(h, params[i] as Arr).add(params[i + 1] as Arr)
    if (i + 2 < params.length) h = act(h)
  }
  return h
}

const crossEntropy = (logits: Arr, y: Arr, count: number): Arr =>
  nn.logSoftmax(logits, -1).mul(nn.oneHot(y, count)).sum(-1).mean().neg()

const relu = (x: Arr): Arr => nn.relu(x)

function sgd(loss: Loss, params: Arr[], x: Arr, y: Arr, rate: number): Step {
  const step = jit((p: Arr[], a: Arr, b: Arr) => {
    const [value, grads] = valueAndGrad(loss)(
      p.map((q) => q.ref),
      a,
      b,
    ) as [Arr, Arr[]]
    return [value, p.map((q, i) => q.sub((grads[i] as Arr).mul(rate)))] as [Arr, Arr[]]
  })
  let state = params
  return async () => {
    const [value, next] = step(state, x.ref, y.ref) as [Arr, Arr[]]
    state = next
    return (await value.data())[0]
  }
}

function adam(loss: Loss, params: Arr[], x: Arr, y: Arr, decay = 0): Step {
  type State = { p: Arr[]; m: Arr[]; v: Arr[] }
  const step = jit((s: State, size: Arr, scale: Arr, a: Arr, b: Arr) => {
    const [value, grads] = valueAndGrad(loss)(
      s.p.map((q) => q.ref),
      a,
      b,
    ) as [Arr, Arr[]]
    const next: State = { p: [], m: [], v: [] }
    for (const [i, g] of grads.entries()) {
      const m = (s.m[i] as Arr).mul(0.9).add(g.ref.mul(0.1))
      const v = (s.v[i] as Arr).mul(0.999).add(g.ref.mul(g).mul(0.001))
      const move = m.ref.mul(size.ref).div(np.sqrt(v.ref).mul(scale.ref).add(1e-8))
      next.p.push((s.p[i] as Arr).mul(1 - 1e-3 * decay).sub(move))
      next.m.push(m)
      next.v.push(v)
    }
    size.dispose()
    scale.dispose()
    return [value, next] as [Arr, State]
  })
  let state: State = {
    p: params,
    m: params.map((q) => np.zeros(q.shape)),
    v: params.map((q) => np.zeros(q.shape)),
  }
  let t = 0
  return async () => {
    t++
    const size = np.array([1e-3 / (1 - 0.9 ** t)])
    const scale = np.array([1 / Math.sqrt(1 - 0.999 ** t)])
    const [value, next] = step(state, size, scale, x.ref, y.ref) as [Arr, State]
    state = next
    return (await value.data())[0]
  }
}

function classifier(batch: number, widths: readonly number[]): Step {
  const count = widths.at(-1) as number
  const loss: Loss = (p, x, y) => crossEntropy(mlp(p, x, relu), y, count)
  return adam(loss, mlpParams(widths), numbers([batch, widths[0] as number]), np.array(classes(batch, count)))
}

const cnnParams = (): Arr[] => [
  numbers([32, 1, 3, 3], 1, 0.3),
  np.zeros([32, 1, 1]),
  numbers([64, 32, 3, 3], 2, 0.06),
  np.zeros([64, 1, 1]),
  ...mlpParams([9216, 128, 10]),
]

function cnn(p: Arr[], x: Arr): Arr {
  const [w1, b1, w2, b2, ...dense] = p as [Arr, Arr, Arr, Arr, ...Arr[]]
  const first = relu(lax.conv(x, w1, [1, 1], 'VALID').add(b1))
  const second = relu(lax.conv(first, w2, [1, 1], 'VALID').add(b2))
  const [n] = second.shape as [number]
  const pooled = np.max(second.reshape([n, 64, 12, 2, 12, 2]), [3, 5])
  return mlp(dense, pooled.reshape([n, 9216]), relu)
}

function answering(fn: (p: Arr[], x: Arr) => Arr, params: Arr[], x: Arr): Step {
  const run = jit(fn)
  return async () =>
    (
      run(
        params.map((q) => q.ref),
        x.ref,
      ) as Arr
    ).data()
}

const [layers, width, heads, hidden, length, vocabulary] = [4, 128, 4, 512, 64, 96]

/** Tokens, positions, final norm, head; then for each layer two norms, projection, out, up, down, with biases. */
function decoderParams(): Arr[] {
  const layer = (): Arr[] => [
    ...[np.ones([width]), np.zeros([width]), ...mlpParams([width, 3 * width]), ...mlpParams([width, width])],
    ...[np.ones([width]), np.zeros([width]), ...mlpParams([width, hidden]), ...mlpParams([hidden, width])],
  ]
  return [
    numbers([vocabulary, width], 1, 0.02),
    numbers([length, width], 2, 0.02),
    ...[np.ones([width]), np.zeros([width])],
    numbers([width, vocabulary], 3, 0.1),
    ...Array.from({ length: layers }, layer).flat(),
  ]
}

function layerNorm(x: Arr, weight: Arr, bias: Arr): Arr {
  const centred = x.ref.sub(x.mean(-1, { keepdims: true }))
  const variance = np.square(centred.ref).mean(-1, { keepdims: true })
  return centred
    .div(np.sqrt(variance.add(1e-5)))
    .mul(weight)
    .add(bias)
}

function decoder(p: Arr[], ids: Arr): Arr {
  const [tokens, positions, lastWeight, lastBias, head, ...rest] = p as [Arr, Arr, Arr, Arr, Arr, ...Arr[]]
  const n = (ids.shape[0] as number) / length
  let x = np.matmul(nn.oneHot(ids, vocabulary), tokens).reshape([n, length, width]).add(positions)
  for (let i = 0; i < rest.length; i += 12) {
    const [g1, c1, wp, bp, wo, bo, g2, c2, wu, bu, wd, bd] = rest.slice(i, i + 12) as Arr[] as [
      ...[Arr, Arr, Arr, Arr, Arr, Arr],
      ...[Arr, Arr, Arr, Arr, Arr, Arr],
    ]
    const all = np
      .matmul(layerNorm(x.ref, g1, c1), wp)
      .add(bp)
      .reshape([n, length, 3, heads, width / heads])
    const [q, k, v] = np.split(all, 3, 2).map((part) => part.reshape([n, length, heads, width / heads])) as [
      Arr,
      Arr,
      Arr,
    ]
    const mixed = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([n, length, width])
    x = x.add(np.matmul(mixed, wo).add(bo))
    const up = nn.gelu(np.matmul(layerNorm(x.ref, g2, c2), wu).add(bu), { approximate: false })
    x = x.add(np.matmul(up, wd).add(bd))
  }
  return np.matmul(layerNorm(x, lastWeight, lastBias), head).reshape([n * length, vocabulary])
}

function build(workload: string): Step | string {
  if (workload === 'W1') {
    const loss: Loss = (p, x, y) => np.square(mlp(p, x, np.tanh).sub(y)).mean()
    return sgd(loss, mlpParams([2, 8, 8, 1]), numbers([64, 2]), numbers([64, 1], 2), 0.1)
  }
  if (workload.startsWith('W2_b')) return classifier(Number(workload.slice(4)), [784, 128, 10])
  if (workload === 'W3') return classifier(256, [1024, 2048, 2048, 10])
  if (workload === 'W4') {
    return adam(
      (p, x, y) => crossEntropy(cnn(p, x), y, 10),
      cnnParams(),
      numbers([64, 1, 28, 28]),
      np.array(classes(64, 10)),
    )
  }
  if (workload === 'W5_mlp') return answering((p, x) => mlp(p, x, relu), mlpParams([784, 128, 10]), numbers([1, 784]))
  if (workload === 'W5_cnn') return answering(cnn, cnnParams(), numbers([1, 1, 28, 28]))
  if (workload === 'W6') {
    const text = classes(16 * length + 1, vocabulary)
    const [x, y] = [np.array(text.slice(0, -1)), np.array(text.slice(1))]
    return adam((p, ids, next) => crossEntropy(decoder(p, ids), next, vocabulary), decoderParams(), x, y, 0.01)
  }
  if (workload === 'W7') {
    const x = numbers([10_000_000])
    const total = jit((v: Arr) => np.tanh(v.ref.mul(1.5).add(0.5)).mul(v.ref).add(nn.relu(v)).sum())
    return async () => (total(x.ref) as Arr).data()
  }
  if (workload.startsWith('GEMM_')) {
    const sizes = workload.slice(5).split('x').map(Number)
    const [m, k, n] = (sizes.length === 1 ? [sizes[0], sizes[0], sizes[0]] : sizes) as [number, number, number]
    const [a, b] = [numbers([m, k]), numbers([k, n], 2)]
    return async () => {
      const c = np.matmul(a.ref, b.ref)
      await c.blockUntilReady()
      c.dispose()
    }
  }
  return 'not written'
}

if (process.argv[2] === 'once') {
  const step = build('W2_b32')
  if (typeof step !== 'string') process.stdout.write(`done ${await step()}\n`, () => process.exit(0))
} else {
  await serve(build)
  process.exit(0)
}
