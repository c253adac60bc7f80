// A network that learns XOR: the program of the page 2-a-network-that-learns-xor.md, from which it is made. Change it there.
import { compile, manualSeed, nn, optim, type Tensor, tensor } from 'descent'

const inputs = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])
const targets = tensor([[0], [1], [1], [0]])

const meanSquare = (output: Tensor) => output.sub(targets).square().mean()
const numbers = (values: Tensor | null | undefined) => Array.from(values?.data() ?? [], (v) => v.toFixed(4)).join('  ')

manualSeed(1)
const single = new nn.Sequential(new nn.Linear(2, 1), new nn.Sigmoid())
const singleOptimizer = new optim.SGD(single.parameters(), { lr: 1 })
for (let epoch = 0; epoch < 2000; epoch++) {
  singleOptimizer.zeroGrad()
  meanSquare(single.forward(inputs)).backward()
  singleOptimizer.step()
}
console.log(`answers ${numbers(single.forward(inputs))}`)

interface Parameters {
  /** w[j][i]: how much hidden neuron j takes of input i. */
  readonly w: readonly (readonly [number, number])[]
  /** The biases of the hidden neurons. */
  readonly b: readonly number[]
  /** How much the output neuron takes of each hidden one. */
  readonly v: readonly number[]
  /** The bias of the output neuron. */
  readonly c: number
}

const first: Parameters = {
  w: [
    [0.8, 0.6],
    [0.4, 0.9],
  ],
  b: [-0.2, -0.7],
  v: [0.7, -0.6],
  c: 0.1,
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
const show = (name: string, value: number) => console.log(`${name.padEnd(8)} ${value.toFixed(4)}`)

function forward({ w, b, v, c }: Parameters, [x1, x2]: readonly [number, number]) {
  const z = w.map((row, j) => row[0] * x1 + row[1] * x2 + (b[j] as number))
  const h = z.map(sigmoid)
  const s = h.reduce((sum, hj, j) => sum + hj * (v[j] as number), c)
  return { z, h, s, y: sigmoid(s) }
}

const x = [1, 0] as const
const target = 1
const { z, h, s, y } = forward(first, x)
for (const j of [0, 1]) {
  show(`z${j + 1}`, z[j] as number)
  show(`h${j + 1}`, h[j] as number)
}
show('s', s)
show('y', y)
show('loss', (y - target) ** 2)

function back({ v }: Parameters, x: readonly [number, number], target: number, h: readonly number[], y: number) {
  const outputDelta = 2 * (y - target) * y * (1 - y)
  const hiddenDeltas = h.map((hj, j) => outputDelta * (v[j] as number) * hj * (1 - hj))
  const gradient: Parameters = {
    w: hiddenDeltas.map((delta) => [delta * x[0], delta * x[1]] as const),
    b: hiddenDeltas,
    v: h.map((hj) => outputDelta * hj),
    c: outputDelta,
  }
  return { outputDelta, hiddenDeltas, gradient }
}

const { outputDelta, hiddenDeltas, gradient } = back(first, x, target, h, y)
show('delta y', outputDelta)
show('delta h1', hiddenDeltas[0] as number)
show('delta h2', hiddenDeltas[1] as number)
console.log()
const names = ['w11', 'w12', 'w21', 'w22', 'b1', 'b2', 'v1', 'v2', 'c']
const flat = ({ w, b, v, c }: Parameters) => [...w.flat(), ...b, ...v, c]
flat(gradient).forEach((slope, i) => {
  const name = names[i] as string
  console.log(
    `${name.padEnd(4)} is ${(flat(first)[i] as number).toFixed(1).padStart(4)}, its gradient ${slope.toFixed(4)}`,
  )
})

const hidden = new nn.Linear(2, 2)
const outer = new nn.Linear(2, 1)
const network = new nn.Sequential(hidden, new nn.Sigmoid(), outer, new nn.Sigmoid())

function setParameters({ w, b, v, c }: Parameters) {
  network.loadStateDict({
    '0.weight': tensor(w),
    '0.bias': tensor(b),
    '2.weight': tensor([v]),
    '2.bias': tensor([c]),
  })
}

setParameters(first)
network
  .forward(tensor([x]))
  .sub(target)
  .square()
  .sum()
  .backward()
for (const [name, parameter] of network.namedParameters()) {
  console.log(`${name.padEnd(8)} ${numbers(parameter.grad)}`)
}

const stepped = (from: Parameters, { w, b, v, c }: Parameters, lr: number): Parameters => ({
  w: from.w.map((row, j) => [row[0] - lr * (w[j]?.[0] ?? 0), row[1] - lr * (w[j]?.[1] ?? 0)] as const),
  b: from.b.map((value, j) => value - lr * (b[j] as number)),
  v: from.v.map((value, j) => value - lr * (v[j] as number)),
  c: from.c - lr * c,
})
const second = stepped(first, gradient, 0.5)
flat(second).forEach((value, i) => {
  console.log(
    `${names[i]?.padEnd(4)} ${(flat(first)[i] as number).toFixed(4).padStart(7)} → ${value.toFixed(4).padStart(7)}`,
  )
})
console.log(`y    ${y.toFixed(4).padStart(7)} → ${forward(second, x).y.toFixed(4).padStart(7)}`)

function epochsNeeded(lr: number, momentum: number, atMost = 5000): number {
  setParameters(first)
  const optimizer = new optim.SGD(network.parameters(), { lr, momentum })
  const step = compile(() => {
    optimizer.zeroGrad()
    const loss = meanSquare(network.forward(inputs))
    loss.backward()
    optimizer.step()
    return loss
  })
  for (let epoch = 1; epoch <= atMost; epoch++) if (step().item() < 0.01) return epoch
  return Number.POSITIVE_INFINITY
}

console.log('learning rate   momentum 0   momentum 0.5   momentum 0.9')
for (const lr of [0.1, 0.5, 2, 8, 64]) {
  const cells = [0, 0.5, 0.9].map((momentum) => {
    const epochs = epochsNeeded(lr, momentum)
    return (Number.isFinite(epochs) ? String(epochs) : 'not in 5000').padStart(12)
  })
  console.log(String(lr).padEnd(13), cells.join('   '))
}

epochsNeeded(2, 0.9)
const answers = network.forward(inputs).data()
const inside = hidden.forward(inputs).sigmoid().data()
console.log('x₁ x₂    h₁      h₂      y       target')
for (let i = 0; i < 4; i++) {
  const [a, b] = [inputs.data()[2 * i], inputs.data()[2 * i + 1]]
  const row = [inside[2 * i], inside[2 * i + 1], answers[i]].map((value) => (value as number).toFixed(4))
  console.log(`${a}  ${b}   ${row.join('  ')}  ${targets.data()[i]}`)
}
for (const [name, parameter] of network.namedParameters()) console.log(`${name.padEnd(8)} ${numbers(parameter)}`)

manualSeed(0)
const deep = new nn.Sequential(
  new nn.Linear(2, 8),
  new nn.Tanh(),
  new nn.Linear(8, 8),
  new nn.Tanh(),
  new nn.Linear(8, 1),
  new nn.Sigmoid(),
)
const adam = new optim.Adam(deep.parameters(), { lr: 0.05 })
const deepStep = compile(() => {
  adam.zeroGrad()
  const loss = meanSquare(deep.forward(inputs))
  loss.backward()
  adam.step()
  return loss
})
let deepEpochs = 1
while (deepStep().item() >= 0.01) deepEpochs++
const size = deep.parameters().reduce((sum, parameter) => sum + parameter.size, 0)
console.log(`${size} parameters, ${deepEpochs} epochs, answers ${numbers(deep.forward(inputs))}`)
