// A small language model: the program of the page 5-a-small-language-model.md, from which it is made. Change it there.
import { readFileSync } from 'node:fs'
import {
  arange,
  compile,
  crossEntropy,
  gelu,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  randint,
  randn,
  scaledDotProductAttention,
  type Tensor,
  tensor,
  zeros,
} from 'descent'

const file = readFileSync(new URL('data/alice.txt', import.meta.url), 'utf8')
const paragraphs = file.split(/\n\s*\n/).map((lines) => lines.replaceAll(/\s+/g, ' ').trim())
const text = paragraphs.filter((paragraph) => paragraph !== '').join('\n')

const vocabulary = [...new Set(text)].sort()
const encode = (text: string) => Int32Array.from(text, (character) => vocabulary.indexOf(character))
const decode = (tokens: ArrayLike<number>) => Array.from(tokens, (token) => vocabulary[token]).join('')

console.log(`${text.length} characters, ${vocabulary.length} different ones`)
console.log(`"Alice" is ${encode('Alice').join(' ')}`)

const tokens = encode(text)
const border = Math.floor(tokens.length * 0.9)
const trainTokens = tokens.subarray(0, border)
const validationTokens = tokens.subarray(border)

const size = vocabulary.length
const counts = new Float64Array(size * size).fill(0.1)
for (let i = 1; i < trainTokens.length; i++) {
  const pair = (trainTokens[i - 1] as number) * size + (trainTokens[i] as number)
  counts[pair] = (counts[pair] as number) + 1
}
let countingLoss = 0
for (let i = 1; i < validationTokens.length; i++) {
  const row = counts.subarray(
    (validationTokens[i - 1] as number) * size,
    (validationTokens[i - 1] as number) * size + size,
  )
  const share = (row[validationTokens[i] as number] as number) / row.reduce((a, b) => a + b)
  countingLoss -= Math.log(share) / (validationTokens.length - 1)
}
console.log(`knowing nothing: ${Math.log(size).toFixed(2)}`)
console.log(`counting pairs:  ${countingLoss.toFixed(2)}`)

const context = 64
const batchSize = 8

function batch(from: Int32Array): [x: Tensor, y: Tensor] {
  const starts = randint(0, from.length - context, [batchSize]).data()
  const rows = (shift: number) => {
    const values = new Int32Array(batchSize * context)
    starts.forEach((start, i) => {
      values.set(from.subarray(start + shift, start + shift + context), i * context)
    })
    return tensor(values, { shape: [batchSize, context] })
  }
  return [rows(0), rows(1)]
}

manualSeed(3)
const [x, y] = batch(trainTokens)
console.log('x', x.shape, JSON.stringify(decode(x.data().subarray(0, 24))))
console.log('y', y.shape, JSON.stringify(decode(y.data().subarray(0, 24))))

const width = 96

class Embedding extends nn.Module {
  readonly weight: Tensor

  constructor(rows: number) {
    super()
    this.weight = nn.parameter(randn([rows, width]).mul(0.2))
  }

  override forward(numbers: Tensor): Tensor {
    return this.weight.indexSelect(0, numbers.flatten()).reshape(...numbers.shape, width)
  }
}

const heads = 4

class CausalSelfAttention extends nn.Module {
  readonly queryKeyValue = new nn.Linear(width, 3 * width)
  readonly output = new nn.Linear(width, width)

  override forward(x: Tensor): Tensor {
    const [count, length] = x.shape as [number, number]
    // [N, L, 3·96] → three times [N, heads, L, 24]
    const split = this.queryKeyValue
      .forward(x)
      .reshape(count, length, 3, heads, width / heads)
      .permute(2, 0, 3, 1, 4)
    const attended = scaledDotProductAttention(split.slice(0), split.slice(1), split.slice(2), { causal: true })
    return this.output.forward(attended.transpose(1, 2).reshape(count, length, width))
  }
}

class LayerNorm extends nn.Module {
  readonly weight = nn.parameter(ones([width]))
  readonly bias = nn.parameter(zeros([width]))

  override forward(x: Tensor): Tensor {
    const centred = x.center(-1)
    const deviation = centred.square().mean(-1, true).add(1e-5).sqrt()
    return centred.div(deviation).mul(this.weight).add(this.bias)
  }
}

class Block extends nn.Module {
  readonly firstNorm = new LayerNorm()
  readonly attention = new CausalSelfAttention()
  readonly secondNorm = new LayerNorm()
  readonly up = new nn.Linear(width, 4 * width)
  readonly down = new nn.Linear(4 * width, width)

  override forward(x: Tensor): Tensor {
    const talked = x.add(this.attention.forward(this.firstNorm.forward(x)))
    return talked.add(this.down.forward(gelu(this.up.forward(this.secondNorm.forward(talked)))))
  }
}

class LanguageModel extends nn.Module {
  readonly characters = new Embedding(size)
  readonly places = new Embedding(context)
  readonly blocks = [new Block(), new Block()]
  readonly norm = new LayerNorm()
  readonly logits = new nn.Linear(width, size)

  /** i32 [N, L] → f32 [N, L, size]: for each place the logits of what comes next. */
  override forward(tokens: Tensor): Tensor {
    const place = arange(0, tokens.shape[1], 1, { dtype: 'i32' })
    let x = this.characters.forward(tokens).add(this.places.forward(place))
    for (const block of this.blocks) x = block.forward(x)
    return this.logits.forward(this.norm.forward(x))
  }
}

manualSeed(1)
const model = new LanguageModel()
console.log(`${model.parameters().reduce((sum, parameter) => sum + parameter.size, 0)} parameters`)

const steps = 2400
const optimizer = new optim.AdamW(model.parameters(), { lr: 3e-3, weightDecay: 0.1, betas: [0.9, 0.98] })
const lossOf = (x: Tensor, y: Tensor) => crossEntropy(model.forward(x).reshape(-1, size), y.flatten())

const trainStep = compile((x: Tensor, y: Tensor) => {
  optimizer.zeroGrad()
  const loss = lossOf(x, y)
  loss.backward()
  optimizer.step()
  return loss
})
const measure = compile((x: Tensor, y: Tensor) => noGrad(() => lossOf(x, y)))

function validationLoss(): number {
  let sum = 0
  for (let i = 0; i < 40; i++) sum += measure(...batch(validationTokens)).item()
  return sum / 40
}

for (let step = 1; step <= steps; step++) {
  const wave = (1 + Math.cos((Math.PI * step) / steps)) / 2
  optimizer.lr = 3e-3 * Math.min(1, step / 50) * (0.05 + 0.95 * wave)
  const loss = trainStep(...batch(trainTokens))
  if (step === 1 || step % 400 === 0) {
    const cells = [loss.item(), validationLoss()].map((value) => value.toFixed(2))
    console.log(`step ${String(step).padStart(4)}   training ${cells[0]}   validation ${cells[1]}`)
  }
}

const predict = compile((tokens: Tensor) => noGrad(() => model.forward(tokens)))

function write(beginning: string, length: number, temperature: number): string {
  const written = [...encode(beginning)]
  for (let i = 0; i < length; i++) {
    const seen = written.slice(-context)
    // Always a full context, so that one plan is enough: what stands after the last place cannot be seen from there.
    const padded = Int32Array.from({ length: context }, (_, place) => seen[place] ?? 0)
    const logits = predict(tensor(padded, { shape: [1, context] })).slice(0, seen.length - 1)
    const probabilities = logits.div(temperature).softmax(0).data()
    let left = rand([]).item()
    let token = 0
    while (token < size - 1 && left >= (probabilities[token] as number)) left -= probabilities[token++] as number
    written.push(token)
  }
  return decode(written)
}

manualSeed(5)
for (const temperature of [0.5, 0.8, 1.5]) {
  console.log(`temperature ${temperature}:`)
  console.log(
    write('Alice was ', 250, temperature)
      .replaceAll('\n', ' ¶ ')
      .replaceAll(/(.{1,90})( |$)/g, '  $1\n'),
  )
}
