/** TensorFlow.js as a contender, on its WebAssembly back end. Its convolutions have no gradients there. */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { type Step, serve } from '../contenders/serve.ts'
import { classes, sequence } from '../workload.ts'

const require = createRequire(import.meta.url)
setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))}/dist/`)
const threads = Number(process.env.OMP_NUM_THREADS ?? 2)
setThreadsCount(threads)
await tf.setBackend('wasm')
await tf.ready()

const numbers = (shape: number[], seed = 1, scale = 1): tf.Tensor =>
  tf.tensor(
    sequence(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ).map((v) => v * scale),
    shape,
  )

type Params = tf.Variable[]

function mlpParams(widths: readonly number[]): Params {
  return widths.slice(1).flatMap((out, i) => {
    const inputs = widths[i] as number
    return [tf.variable(numbers([inputs, out], i + 1, 1 / Math.sqrt(inputs))), tf.variable(tf.zeros([out]))]
  })
}

function mlp(params: Params, x: tf.Tensor, act: (v: tf.Tensor) => tf.Tensor): tf.Tensor {
  let h = x
  for (let i = 0; i < params.length; i += 2) {
    h = tf.add(
      tf.matMul(h as tf.Tensor2D, params[i] as tf.Variable as tf.Tensor as tf.Tensor2D),
      params[i + 1] as tf.Variable,
    )
    if (i + 2 < params.length) h = act(h)
  }
  return h
}

function training(optimizer: tf.Optimizer, loss: () => tf.Tensor): Step {
  return async () => {
    const value = optimizer.minimize(() => loss() as tf.Scalar, true) as tf.Scalar
    const [number] = await value.data()
    value.dispose()
    return number
  }
}

function crossEntropy(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  return tf.losses.softmaxCrossEntropy(labels, logits)
}

function classifier(batch: number, widths: readonly number[]): Step {
  const params = mlpParams(widths)
  const count = widths.at(-1) as number
  const [x, y] = [numbers([batch, widths[0] as number]), tf.oneHot(classes(batch, count), count).toFloat()]
  return training(tf.train.adam(1e-3), () => crossEntropy(mlp(params, x, tf.relu), y))
}

function answering(fn: () => tf.Tensor): Step {
  return async () => {
    const out = tf.tidy(fn)
    const values = await out.data()
    out.dispose()
    return values
  }
}

const [layers, width, heads, hidden, length, vocabulary, batch] = [4, 128, 4, 512, 64, 96, 16]

function layerNorm(x: tf.Tensor, [weight, bias]: Params): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true))
  const variance = tf.mean(tf.square(centred), -1, true)
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), weight as tf.Variable), bias as tf.Variable)
}

const norm = (): Params => [tf.variable(tf.ones([width])), tf.variable(tf.zeros([width]))]
const dense = (x: tf.Tensor, params: Params): tf.Tensor => mlp(params, x, tf.relu)
const gelu = (x: tf.Tensor): tf.Tensor => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))

function decoder(): Step {
  const tokens = tf.variable(numbers([vocabulary, width], 1, 0.02))
  const positions = tf.variable(numbers([length, width], 2, 0.02))
  const [last, head] = [norm(), tf.variable(numbers([width, vocabulary], 3, 0.1))]
  const blocks = Array.from({ length: layers }, () => ({
    ...{ norm1: norm(), projection: mlpParams([width, 3 * width]), out: mlpParams([width, width]) },
    ...{ norm2: norm(), up: mlpParams([width, hidden]), down: mlpParams([hidden, width]) },
  }))
  const text = classes(batch * length + 1, vocabulary)
  const ids = tf.oneHot(text.slice(0, -1), vocabulary).toFloat() as tf.Tensor2D
  const next = tf.oneHot(text.slice(1), vocabulary).toFloat()
  const blocked = tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)), -1e9)
  const matMul = (a: tf.Tensor, b: tf.Tensor, turned = false) =>
    tf.matMul(a as tf.Tensor3D, b as tf.Tensor3D, false, turned)

  const loss = (): tf.Tensor => {
    const embedded = tf.matMul(ids, tokens as tf.Tensor as tf.Tensor2D).reshape([batch, length, width])
    let x: tf.Tensor = tf.add(embedded, positions).reshape([batch * length, width])
    for (const { norm1, projection, out, norm2, up, down } of blocks) {
      const all = dense(layerNorm(x, norm1), projection).reshape([batch, length, 3, heads, width / heads])
      const parts = tf.unstack(tf.transpose(all, [2, 0, 3, 1, 4]))
      const [q, k, v] = parts.map((part) => part.reshape([batch * heads, length, width / heads])) as [
        ...[tf.Tensor, tf.Tensor, tf.Tensor],
      ]
      const scores = tf.add(tf.mul(matMul(q, k, true), 1 / Math.sqrt(width / heads)), blocked)
      const mixed = matMul(tf.softmax(scores), v).reshape([batch, heads, length, width / heads])
      x = tf.add(x, dense(tf.transpose(mixed, [0, 2, 1, 3]).reshape([batch * length, width]), out))
      x = tf.add(x, dense(gelu(dense(layerNorm(x, norm2), up)), down))
    }
    return crossEntropy(tf.matMul(layerNorm(x, last) as tf.Tensor2D, head as tf.Tensor as tf.Tensor2D), next)
  }
  return training(tf.train.adam(3e-4), loss)
}

function build(workload: string): Step | string {
  if (workload === 'W1') {
    const params = mlpParams([2, 8, 8, 1])
    const [x, y] = [numbers([64, 2]), numbers([64, 1], 2)]
    return training(tf.train.sgd(0.1), () => tf.mean(tf.square(tf.sub(mlp(params, x, tf.tanh), y))))
  }
  if (workload.startsWith('W2_b')) return classifier(Number(workload.slice(4)), [784, 128, 10])
  if (workload === 'W3') return classifier(256, [1024, 2048, 2048, 10])
  if (workload === 'W4') return 'no gradient'
  if (workload === 'W5_mlp') {
    const [params, x] = [mlpParams([784, 128, 10]), numbers([1, 784])]
    return answering(() => mlp(params, x, tf.relu))
  }
  if (workload === 'W5_cnn') {
    const [w1, w2] = [numbers([3, 3, 1, 32], 1, 0.3), numbers([3, 3, 32, 64], 2, 0.06)] as tf.Tensor4D[] as [
      tf.Tensor4D,
      tf.Tensor4D,
    ]
    const [b1, b2] = [tf.zeros([32]), tf.zeros([64])]
    const [dense, x] = [mlpParams([9216, 128, 10]), numbers([1, 28, 28, 1]) as tf.Tensor4D]
    return answering(() => {
      const first = tf.relu(tf.add(tf.conv2d(x, w1, 1, 'valid'), b1)) as tf.Tensor4D
      const second = tf.relu(tf.add(tf.conv2d(first, w2, 1, 'valid'), b2)) as tf.Tensor4D
      return mlp(dense, tf.maxPool(second, 2, 2, 'valid').reshape([1, 9216]), tf.relu)
    })
  }
  if (workload === 'W6') return decoder()
  if (workload === 'W7') {
    const x = numbers([10_000_000])
    return answering(() => tf.sum(tf.add(tf.mul(tf.tanh(tf.add(tf.mul(x, 1.5), 0.5)), x), tf.relu(x))))
  }
  if (workload.startsWith('GEMM_')) {
    const sizes = workload.slice(5).split('x').map(Number)
    const [m, k, n] = (sizes.length === 1 ? [sizes[0], sizes[0], sizes[0]] : sizes) as [number, number, number]
    const [a, b] = [numbers([m, k]) as tf.Tensor2D, numbers([k, n], 2) as tf.Tensor2D]
    return () => tf.matMul(a, b).dispose()
  }
  return 'not written'
}

if (process.argv[2] === 'once') {
  const step = build('W2_b32')
  if (typeof step !== 'string') process.stdout.write(`done ${await step()}\n`, () => process.exit(0))
} else {
  await serve(build, () => threads)
  process.exit(0)
}
