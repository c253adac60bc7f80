/** Random graphs: a seed gives a graph, always the same. */
import { setDevice, Tensor } from '../src/index.ts'
import { Builder, type Call, type Flavour, method, ref, type Value } from './builder.ts'
import { catalogue, type Entry } from './catalogue.ts'
import type { Program } from './program.ts'
import { Random } from './random.ts'

/** Extents around the widths of vectors, tiles and blocks, and primes. */
const extents = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 19, 23, 31, 32, 33, 37, 63, 64, 65]
const largeExtents = [31, 48, 64, 65, 96, 100, 127, 128, 129, 192, 257]

const total = catalogue.reduce((sum, { weight }) => sum + weight, 0)

function choose(random: Random): Entry {
  let left = random.unit() * total
  for (const entry of catalogue) {
    left -= entry.weight
    if (left < 0) return entry
  }
  return catalogue[0] as Entry
}

/** Statements that a graph of exact numbers has none of, or its numbers would not stay exact. */
const blurs = new Set(
  (
    'exp expm1 sin cos tan atan sinh cosh tanh sigmoid erf gelu silu mish softplus logSigmoid elu selu celu ' +
    'tanhshrink log log2 log1p rsqrt softmax logSoftmax logsumexp attention crossEntropy rand randn leakyRelu ' +
    'hardsigmoid hardswish softsign norm variance std binaryCrossEntropy binaryCrossEntropyWithLogits poissonNllLoss ' +
    'klDiv gaussianNllLoss softMarginLoss multilabelSoftMarginLoss cosineEmbeddingLoss tripletMarginLoss ' +
    'layerNorm rmsNorm groupNorm interpolate cosineSimilarity pairwiseDistance normalize maskedAttention rotary'
  ).split(' '),
)

export function generate(seed: number): Program {
  const random = new Random(seed)
  const flavour: Flavour = random.pick(['exact', 'exact', 'real', 'real', 'special'])
  const large = random.chance(0.04)
  const pool = large ? largeExtents : random.chance(0.6) ? extents.slice(1, 10) : extents.slice(1)
  const palette = Array.from({ length: random.whole(2, 4) }, () => random.pick(pool))
  if (random.chance(0.015)) palette.push(0)
  const b = new Builder(random, {
    flavour,
    palette,
    limit: large ? 40000 : random.pick([60, 200, 500, 500, 2500]),
    gradients: random.chance(0.45),
  })
  setDevice('reference')
  for (let i = random.whole(1, 3); i > 0; i--) b.input(b.shape())
  if (random.chance(0.3)) b.input(b.shape(), random.pick(['i32', 'bool']))
  outside(b)
  const wanted = large ? random.whole(1, 6) : random.pick([1, 2, 3, 4, 6, 8, 10, 12, 16, 20])
  for (let tries = wanted * 3; tries > 0 && b.body.length < wanted && !b.ended; tries--) {
    const entry = choose(random)
    if (flavour === 'exact' && blurs.has(entry.name) && random.chance(0.97)) continue
    const call = entry.make(b)
    if (call) b.add(call)
    if (!b.gradients && !b.ended && random.chance(0.06)) overwrite(b)
  }
  const zeroGrad = random.chance(0.6)
  if (b.gradients && !b.ended) differentiate(b, zeroGrad)
  return b.program(outputs(b), zeroGrad, random.pick([1, 1, 2, 3]))
}

/** Views that are made before the function, and what is handed over to it. */
function outside(b: Builder): void {
  const { random } = b
  const plain = (): Value | null => b.pick((x) => !x.requiresGrad)
  const views = catalogue.filter(({ name }) =>
    ['permute', 'slice', 'expand', 'flip', 'reshape', 'detach'].includes(name),
  )
  for (let i = random.pick([0, 0, 1, 2]); i > 0; i--) {
    const x = plain()
    const call = random.pick(views).make(b)
    if (x && call && !b.values.find((v) => v.id === call.on)?.requiresGrad) b.add(call, 'setup')
  }
  for (const x of b.values) {
    const view = b.setup.some((statement) => statement.id === x.id)
    if (random.chance(0.3) && !(view && x.requiresGrad)) b.args.push(x.id)
  }
}

/** Writes a tensor from outside of the function in place. */
function overwrite(b: Builder): void {
  const { random } = b
  const owned = (x: Value): boolean => b.inputs.some(({ id }) => id === x.id) && !b.args.includes(x.id)
  const target = b.pick(owned)
  if (!target) return
  if (random.chance(0.2)) {
    b.add(random.chance(0.5) ? method(target, 'zero_') : method(target, 'fill_', 2))
    b.overwritten(target.id)
    return
  }
  const fits = (y: Value): boolean =>
    y.shape.length <= target.shape.length &&
    y.shape.every((extent, d) => extent === 1 || extent === target.shape[target.shape.length - y.shape.length + d])
  const source = b.pick((y) => y.id !== target.id && fits(y))
  if (!source) return
  let value = source
  // Read and written in one function.
  if (random.chance(0.6)) value = b.add(method(source, 'add', ref(target))) ?? source
  if (!fits(value)) return
  b.add(method(target, 'copy_', ref(value)))
  b.overwritten(target.id)
}

/** A loss of some values, its gradients, and perhaps an update from them. */
function differentiate(b: Builder, zeroGrad: boolean): void {
  const { random } = b
  let loss: Value | null = null
  for (let i = random.whole(1, 3); i > 0; i--) {
    const x = b.pick((v) => v.requiresGrad)
    if (!x) return
    const weighed = random.chance(0.5) ? b.add(method(x, 'mul', random.chance(0.5) ? ref(x) : 2)) : x
    const sum: Value | null = weighed && b.add(method(weighed, 'sum'))
    if (!sum) continue
    loss = loss ? b.add(method(loss, 'add', ref(sum))) : sum
  }
  if (!loss?.requiresGrad) return
  b.add(method(loss, 'backward'))
  if (!b.ended && random.chance(0.4)) overwrite(b)
  if (b.ended || !zeroGrad) return
  for (const input of b.inputs) {
    const x = b.scope.get(input.id)
    if (!(x instanceof Tensor) || !x.grad || b.args.includes(input.id) || !random.chance(0.3)) continue
    const step: Call = method(input, 'copy_', ref({ id: descend(b, input.id) }))
    b.add(step)
    b.overwritten(input.id)
  }
}

function descend(b: Builder, id: number): number {
  const update = b.add(method({ id }, 'sub', { grad: id }))
  return update?.id ?? id
}

/** Values that nobody read, and one other. */
function outputs(b: Builder): number[] {
  const { random } = b
  const made = b.values.filter((x) => b.body.some((statement) => statement.id === x.id)).map((x) => x.id)
  if (b.ended) return b.body.slice(-1).map((statement) => statement.id)
  const last = made.slice(-random.whole(1, 3))
  const other = made.length > 0 && random.chance(0.5) ? [random.pick(made)] : []
  return [...new Set([...last, ...other])]
}
