/**
 * How long a training waits for its data: digits as PNG files, decoded and augmented for every epoch, a network with
 * convolutions, and batches made in the thread that computes, read ahead by it, or made by workers.
 *
 *     node bench/prefetch.ts [--images 2048] [--size 48] [--epochs 3] [--threads 1]
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compile, crossEntropy, data, device, manualSeed, nn, optim, setThreads, type Tensor } from 'descent'
import sharp from 'sharp'
import { readDigits } from '../examples/mnist/files.ts'

const { values: given } = parseArgs({
  options: {
    images: { type: 'string', default: '2048' },
    size: { type: 'string', default: '48' },
    epochs: { type: 'string', default: '3' },
    threads: { type: 'string', default: '1' },
  },
})
const [images, size, epochs, threads] = [given.images, given.size, given.epochs, given.threads].map(Number) as [
  number,
  number,
  number,
  number,
]
const BATCH = 64

/** Digits as PNG files in a folder for each class, of twice their size: 56 × 56. */
async function writeDigits(folder: string): Promise<void> {
  const { bytes, labels } = await readDigits('train')
  for (let digit = 0; digit < 10; digit++) await mkdir(join(folder, String(digit)), { recursive: true })
  for (let i = 0; i < images; i++) {
    const raw = { width: 28, height: 28, channels: 1 as const }
    await sharp(bytes.subarray(784 * i, 784 * (i + 1)), { raw })
      .resize(56, 56)
      .png()
      .toFile(join(folder, String(labels[i]), `${i}.png`))
  }
}

function network(): nn.Sequential {
  const side = (((size - 2) >> 1) - 2) >> 1
  return new nn.Sequential(
    new nn.Conv2d(1, 32, 3),
    new nn.MaxPool2d(2),
    new nn.ReLU(),
    new nn.Conv2d(32, 64, 3),
    new nn.MaxPool2d(2),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(64 * side * side, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  )
}

interface Way {
  readonly name: string
  readonly numWorkers: number
  readonly prefetchFactor: number
}

interface Measured {
  /** Seconds of the epochs after the first. */
  readonly total: number
  readonly waiting: number
  readonly losses: readonly number[]
}

async function train(folder: string, { numWorkers, prefetchFactor }: Way): Promise<Measured> {
  manualSeed(1)
  const net = network()
  const optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 })
  const step = compile((x: Tensor, y: Tensor) => {
    optimizer.zeroGrad()
    const loss = crossEntropy(net.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss.detach()
  })
  const dataset = await data.imageFolder(folder, { size, channels: 1, mean: 0.1307, std: 0.3081, cacheBytes: 0 })
  const transform = data.compose(
    data.randomRotate({ degrees: 10, fill: -0.42 }),
    data.randomShift({ max: 3, fill: -0.42 }),
  )
  await using loader = new data.DataLoader(dataset, {
    ...{ batchSize: BATCH, shuffle: true, dropLast: true, transform, numWorkers, prefetchFactor },
  })
  const losses: number[] = []
  let [total, waiting] = [0, 0]
  for (let epoch = 0; epoch < epochs; epoch++) {
    const began = performance.now()
    let asked = began
    for await (const { x, y } of loader) {
      // The first epoch starts workers and compiles the step.
      if (epoch > 0) waiting += performance.now() - asked
      losses.push(step(x, y).item())
      asked = performance.now()
    }
    if (epoch > 0) total += performance.now() - began
  }
  return { total: total / 1000, waiting: waiting / 1000, losses }
}

const folder = await mkdtemp(join(tmpdir(), 'prefetch-'))
try {
  await writeDigits(folder)
  setThreads(threads)
  const ways: Way[] = [
    { name: 'in the thread that computes', numWorkers: 0, prefetchFactor: 0 },
    { name: 'read ahead by that thread', numWorkers: 0, prefetchFactor: 2 },
    { name: 'by one worker', numWorkers: 1, prefetchFactor: 4 },
    { name: 'by two workers', numWorkers: 2, prefetchFactor: 4 },
  ]
  const cores = availableParallelism()
  console.log(`${images} PNG files of 56 × 56 → ${size} × ${size}, rotated and shifted; batches of ${BATCH}.`)
  console.log(`${device()} on ${threads} thread${threads > 1 ? 's' : ''} of ${cores}; epochs after the first.\n`)
  console.log('| batches are made | images/s | ms a step | of it waiting | share |\n|---|---|---|---|---|')
  let first: readonly number[] | null = null
  for (const way of ways) {
    const { total, waiting, losses } = await train(folder, way)
    const steps = Math.floor(images / BATCH) * (epochs - 1)
    const cells = [
      way.name,
      ((steps * BATCH) / total).toFixed(0),
      ((1000 * total) / steps).toFixed(1),
      ((1000 * waiting) / steps).toFixed(1),
      `${((100 * waiting) / total).toFixed(1)} %`,
    ]
    console.log(`| ${cells.join(' | ')} |`)
    first ??= losses
    if (losses.some((loss, i) => loss !== first?.[i])) throw new Error(`${way.name}: the losses differ`)
  }
  console.log(`\nThe losses of all ${first?.length} steps are the same to the last bit.`)
} finally {
  await rm(folder, { recursive: true })
}
