// Your own CSV: the program of the page 4-your-own-csv.md, from which it is made. Change it there.
import { fileURLToPath } from 'node:url'
import {
  arange,
  binaryCrossEntropyWithLogits,
  compile,
  data,
  manualSeed,
  nn,
  noGrad,
  optim,
  type Tensor,
  tensor,
  zeros,
} from 'descent'

const table = await data.readCsv(fileURLToPath(new URL('data/penguins.csv', import.meta.url)))
console.log(String(table))

const rows = [...table.rows()]
for (const { name } of table.columns) {
  const missing = rows.filter((row) => row[name] === null).length
  if (missing > 0) console.log(`${name}: ${missing} missing`)
}

const measurements = ['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g']
const options = { target: 'sex', features: ['species', ...measurements], missing: 'skip' } as const
const all = table.toDataset(options)
console.log(`${all.length} penguins, ${all.preprocessing.width} numbers each:`)
console.log(all.preprocessing.featureNames.join(', '))
console.log(`class 0 is ${all.classes[0]}, class 1 is ${all.classes[1]}`)
const [first] = all.batch(Int32Array.of(0)).x.toArray() as number[][]
console.log(`the first penguin: ${first?.map((value) => value.toFixed(2)).join(' ')}`)

interface Examples {
  readonly x: Tensor
  readonly y: Tensor
}
/** From training examples to a function that says for each row of x whether its class is 1. */
type Method = (train: Examples) => (x: Tensor) => Tensor

const order = data.permutation(table.length, 4, 0)
const whole = (dataset: data.Dataset): Examples => {
  const { x, y } = dataset.batch(Int32Array.from({ length: dataset.length }, (_, i) => i))
  return { x, y: (y as Tensor).float() }
}
const parts = (numbers: 'standardize' | 'none') =>
  [0, 1, 2, 3, 4].map((part) => {
    const train = table.select(order.filter((_, i) => i % 5 !== part)).toDataset({ ...options, numbers })
    const test = table.select(order.filter((_, i) => i % 5 === part)).toDataset(train)
    return { train: whole(train), test: whole(test) }
  })

interface Score {
  right: number
  tested: number
  trainSeconds: number
  testSeconds: number
}

function crossValidate(method: Method, numbers: 'standardize' | 'none' = 'standardize'): Score {
  manualSeed(1)
  const score: Score = { right: 0, tested: 0, trainSeconds: 0, testSeconds: 0 }
  for (const { train, test } of parts(numbers)) {
    const began = performance.now()
    const classify = method(train)
    const trained = performance.now()
    const guesses = classify(test.x)
    score.right += guesses.eq(test.y.bool()).sum().item()
    score.tested += test.y.size
    score.trainSeconds += (trained - began) / 1000
    score.testSeconds += (performance.now() - trained) / 1000
  }
  return score
}

const mostFrequent: Method = ({ y }) => {
  const most = y.mean().item() >= 0.5
  return (x) => zeros([x.shape[0] as number]).eq(most ? 0 : 1)
}

const nearestNeighbours: Method = (train) => (x) => {
  // [tests, 1, F] − [1, penguins, F]: every one against every other.
  const distances = x.unsqueeze(1).sub(train.x.unsqueeze(0)).square().sum(2)
  const { indices } = distances.topk(7, 1, false)
  const votes = train.y.indexSelect(0, indices.flatten()).reshape(...indices.shape)
  return votes.mean(1).gt(0.5)
}

function fitted(
  net: nn.Module,
  train: Examples,
  steps: number,
  lr: number,
  weightDecay: number,
): (x: Tensor) => Tensor {
  const optimizer = new optim.AdamW(net.parameters(), { lr, weightDecay })
  const step = compile(() => {
    optimizer.zeroGrad()
    binaryCrossEntropyWithLogits(net.forward(train.x).squeeze(1), train.y).backward()
    optimizer.step()
  })
  for (let i = 0; i < steps; i++) step()
  net.eval()
  return (x) => noGrad(() => net.forward(x).squeeze(1).gt(0))
}

const width = all.preprocessing.width
const oneNeuron = () => new nn.Linear(width, 1)
const logisticRegression: Method = (train) => fitted(oneNeuron(), train, 300, 0.05, 0)

const threeLayers = () =>
  new nn.Sequential(
    new nn.Linear(width, 32),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(32, 32),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(32, 1),
  )
const network: Method = (train) => fitted(threeLayers(), train, 300, 0.005, 0.1)

function interval({ right, tested }: Score): string {
  const [share, z] = [right / tested, 1.96]
  const centre = (share + z ** 2 / (2 * tested)) / (1 + z ** 2 / tested)
  const half = (z / (1 + z ** 2 / tested)) * Math.sqrt((share * (1 - share)) / tested + z ** 2 / (4 * tested ** 2))
  return `${(100 * (centre - half)).toFixed(0)} to ${(100 * (centre + half)).toFixed(0)} %`
}

const size = (net: nn.Module) => net.parameters().reduce((sum, parameter) => sum + parameter.size, 0)
const methods = [
  { name: 'most frequent', score: crossValidate(mostFrequent), parameters: 1 },
  { name: 'neighbours, not scaled', score: crossValidate(nearestNeighbours, 'none'), parameters: 0 },
  { name: 'nearest neighbours', score: crossValidate(nearestNeighbours), parameters: 0 },
  { name: 'logistic regression', score: crossValidate(logisticRegression), parameters: size(oneNeuron()) },
  { name: 'network', score: crossValidate(network), parameters: size(threeLayers()) },
]
console.log('method                   parameters   training    testing   accuracy   interval')
for (const { name, score, parameters } of methods) {
  const { right, tested, trainSeconds, testSeconds } = score
  const times = [trainSeconds, testSeconds].map((seconds) => `${(seconds * 1000).toFixed(0)} ms`.padStart(9))
  const accuracy = `${((100 * right) / tested).toFixed(1)} %`.padStart(8)
  console.log(name.padEnd(24), String(parameters).padStart(9), ...times, ' ', accuracy, ' ', interval(score))
}

manualSeed(1)
const everything = whole(all)
const linear = oneNeuron()
fitted(linear, everything, 300, 0.05, 0)
const weights = Array.from(linear.weight.data(), (weight, i) => ({
  weight,
  name: all.preprocessing.featureNames[i] ?? '',
}))
for (const { name, weight } of weights) console.log(`${name.padEnd(20)} ${weight.toFixed(2).padStart(6)}`)

manualSeed(1)
const classify = network(everything)
const share = (x: Tensor) => classify(x).eq(everything.y.bool()).float().mean().item()
const before = share(everything.x)
for (const [column, name] of all.preprocessing.featureNames.entries()) {
  if (!measurements.includes(name)) continue
  const others = everything.x.indexSelect(0, tensor(data.permutation(all.length, 1, column)))
  const shuffled = arange(width).eq(column).where(others, everything.x)
  console.log(`without ${name.padEnd(18)} ${(100 * (before - share(shuffled))).toFixed(1)} % fewer right`)
}

const row = { species: 'Gentoo', bill_length_mm: 50, bill_depth_mm: 15.9, flipper_length_mm: 224, body_mass_g: 5400 }
const probability = linear
  .forward(all.preprocessing.transform([row]))
  .sigmoid()
  .item()
console.log(`${all.classes[1]} with a probability of ${(100 * probability).toFixed(0)} %`)
console.log(`${JSON.stringify(all.preprocessing).slice(0, 60)}…`)
