// A neuron by hand: the program of the page 1-a-neuron-by-hand.md, from which it is made. Change it there.
import { heaviside, nn, optim, sigmoid, tensor } from 'descent'

const x = [2.0, 0.5] as const
let w: readonly [number, number] = [0.4, -0.8]
let b = 0.1

const z = w[0] * x[0] + w[1] * x[1] + b
console.log(`z = ${w[0]} · ${x[0]} + ${w[1]} · ${x[1]} + ${b} = ${z.toFixed(4)}`)

const step = (z: number) => (z > 0 ? 1 : 0)
const smooth = (z: number) => 1 / (1 + Math.exp(-z))
for (const z of [-4, -1, -0.1, 0.1, 1, 4]) {
  console.log(`z = ${String(z).padStart(4)}   step ${step(z)}   sigmoid ${smooth(z).toFixed(4)}`)
}

const a = smooth(z)
console.log(`a = ${a.toFixed(4)}`)

const t = 0
const loss = (a - t) ** 2
console.log(`L = (${a.toFixed(4)} − ${t})² = ${loss.toFixed(4)}`)

const lossOf = (w: readonly [number, number], b: number) => (smooth(w[0] * x[0] + w[1] * x[1] + b) - t) ** 2
const little = 0.0001
const slope = (lossOf([w[0] + little, w[1]], b) - lossOf([w[0] - little, w[1]], b)) / (2 * little)
console.log(`When w₁ grows by 1, the loss would grow by ${slope.toFixed(4)}`)

const dLda = 2 * (a - t)
const dadz = a * (1 - a)
const dLdz = dLda * dadz
console.log(`∂L/∂a = ${dLda.toFixed(4)}, ∂a/∂z = ${dadz.toFixed(4)}, so ∂L/∂z = ${dLdz.toFixed(4)}`)

const gradient = { w: [dLdz * x[0], dLdz * x[1]] as const, b: dLdz * 1 }
console.log(`∂L/∂w₁ = ${dLdz.toFixed(4)} · ${x[0]} = ${gradient.w[0].toFixed(4)}`)
console.log(`∂L/∂w₂ = ${dLdz.toFixed(4)} · ${x[1]} = ${gradient.w[1].toFixed(4)}`)
console.log(`∂L/∂b  = ${dLdz.toFixed(4)} · 1 = ${gradient.b.toFixed(4)}`)

const learningRate = 0.5
w = [w[0] - learningRate * gradient.w[0], w[1] - learningRate * gradient.w[1]]
b = b - learningRate * gradient.b
console.log(`w₁ = ${w[0].toFixed(4)}, w₂ = ${w[1].toFixed(4)}, b = ${b.toFixed(4)}`)
console.log(`The loss was ${loss.toFixed(4)} and is ${lossOf(w, b).toFixed(4)}`)

const weights = tensor([0.4, -0.8], { requiresGrad: true })
const bias = tensor(0.1, { requiresGrad: true })
const inputs = tensor([2.0, 0.5])

const output = sigmoid(weights.mul(inputs).sum().add(bias))
const squaredError = output.sub(t).square()
squaredError.backward()

const numbers = (values: ArrayLike<number>) => Array.from(values, (value) => value.toFixed(4)).join(', ')
console.log(`loss ${squaredError.item().toFixed(4)}`)
console.log(`gradient of the weights ${numbers(weights.grad?.data() ?? [])}`)
console.log(`gradient of the bias ${numbers(bias.grad?.data() ?? [])}`)

const decision = heaviside(weights.mul(inputs).sum().add(bias))
console.log(`sigmoid: ${output.requiresGrad}, step: ${decision.requiresGrad}`)

const students = tensor([
  [2.0, 0.5],
  [0.3, 0.8],
  [1.5, 0.8],
  [2.5, 0.7],
])
const passed = tensor([[0], [0], [1], [1]])

const neuron = new nn.Sequential(new nn.Linear(2, 1), new nn.Sigmoid())
const [weight, offset] = neuron.parameters()
weight?.detach().copy_(tensor([[0.4, -0.8]]))
offset?.detach().fill_(0.1)

const optimizer = new optim.SGD(neuron.parameters(), { lr: 0.5 })
for (let epoch = 0; epoch <= 2000; epoch++) {
  optimizer.zeroGrad()
  const meanLoss = neuron.forward(students).sub(passed).square().mean()
  meanLoss.backward()
  optimizer.step()
  if ([0, 1, 2, 10, 100, 1000, 2000].includes(epoch)) {
    console.log(`epoch ${String(epoch).padStart(4)}   loss ${meanLoss.item().toFixed(4)}`)
  }
}
console.log(`answers ${numbers(neuron.forward(students).data())}`)
console.log(`weights ${numbers(weight?.data() ?? [])}, bias ${numbers(offset?.data() ?? [])}`)
