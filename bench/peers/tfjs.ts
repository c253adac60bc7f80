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
