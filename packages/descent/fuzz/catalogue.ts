/** The calls that graphs are made of: for each a maker, which chooses operands and settings that (mostly) fit. */
import { Generator } from '../src/index.ts'
import { type Builder, type Call, fn, method, options, ref, type Value } from './builder.ts'
import { layers } from './layers.ts'
import { bodyNames } from './loops.ts'
import { losses } from './losses.ts'
import { type Param, sizeOf } from './program.ts'

export interface Entry {
  readonly name: string
  readonly weight: number
  /** A call, or null where the graph has no operands for one. */
  make(b: Builder): Call | null
}

const entry = (name: string, weight: number, make: (b: Builder) => Call | null): Entry => ({ name, weight, make })
const list = (names: string): string[] => names.split(' ')

/** Settings that are exact in f32, so that the reference's doubles are the same numbers. */
const numbers = [0, 1, -1, 2, 0.5, -0.25, 3]
/** Products of such values neither overflow nor vanish on the way. */
const moderate = (x: Value): boolean =>
  x.tensor.values().every((v) => v === 0 || !Number.isFinite(v) || (Math.abs(v) < 100 && Math.abs(v) > 0.01))
/** Angles that f32 can still tell apart. */
const isAngle = (x: Value): boolean => x.tensor.values().every((v) => !Number.isFinite(v) || Math.abs(v) < 1e4)
const isNumber = (x: Value): boolean => x.dtype !== 'bool'

// ── elementwise ────────────────────────────────────────────────────────────────────────────────────────────────

const simple = list('neg abs sign square relu floor ceil round').map((name) =>
  entry(name, 1, (b) => method(b.float(), name)),
)
const smooth = list(
  'exp expm1 sin cos tan atan sinh cosh tanh sigmoid erf gelu silu mish softplus logSigmoid elu selu celu tanhshrink',
).map((name) => {
  const isMethod = list('exp expm1 sin cos tan atan sinh cosh tanh sigmoid erf').includes(name)
  const angle = ['sin', 'cos', 'tan'].includes(name)
  const operand = (b: Builder): Value =>
    angle ? (b.pick((x) => x.dtype === 'f32' && isAngle(x)) ?? b.input(b.shape(), 'f32', 'unit')) : b.float()
  return entry(name, isMethod ? 0.8 : 0.15, (b) => (isMethod ? method(operand(b), name) : fn(name, ref(operand(b)))))
})
const pieces = list('heaviside softsign hardtanh relu6 hardsigmoid leakyRelu hardswish softshrink hardshrink').map(
  (name) => entry(name, 0.12, (b) => fn(name, ref(b.float()))),
)
/** Mostly of positive numbers. */
const positive = list('log log2 log1p sqrt rsqrt reciprocal').map((name) =>
  entry(name, 0.8, (b) => {
    const known = b.random.chance(0.9) ? b.pick((x) => x.dtype === 'f32' && x.low > 0) : b.float()
    return method(known ?? b.input(b.shape(), 'f32', b.flavour === 'special' ? b.fill() : 'positive'), name)
  }),
)
const integers = list('neg abs sign').map((name) =>
  entry(`${name} of i32`, 0.3, (b) => {
    const x = b.pick((v) => v.dtype === 'i32')
    return x && method(x, name)
  }),
)

/** A second operand that broadcasts with x. */
function partner(b: Builder, x: Value): Value {
  const { random } = b
  const broadcasts = (y: Value): boolean => {
    const rank = Math.max(x.shape.length, y.shape.length)
    let size = 1
    for (let d = 1; d <= rank; d++) {
      const [m, n] = [x.shape.at(-d) ?? 1, y.shape.at(-d) ?? 1]
      if (m !== n && m !== 1 && n !== 1) return false
      size *= m === 1 ? n : m
    }
    return size <= b.limit
  }
  const known = random.chance(0.7) ? b.pick((y) => broadcasts(y) && (isNumber(y) || random.chance(0.2))) : null
  if (known) return known
  const shape = x.shape.map((extent) => (random.chance(0.3) ? 1 : extent))
  const dtype = x.dtype === 'i32' ? 'i32' : 'f32'
  return b.input(shape.slice(random.chance(0.25) ? random.whole(0, shape.length) : 0), dtype)
}

function operandOf(b: Builder, x: Value): Param {
  const { random } = b
  if (random.chance(0.2)) return random.pick(numbers)
  // An argument that is a number is an f32 inside of a compiled function.
  if (x.dtype === 'f32' && random.chance(0.08)) return { ref: b.numberInput() }
  return ref(partner(b, x))
}

const binary = list('add sub mul maximum minimum lt le gt ge eq ne').map((name) =>
  entry(name, name === 'add' || name === 'mul' ? 2 : 0.8, (b) => {
    const x = b.pick(isNumber) ?? b.float()
    return method(x, name, operandOf(b, x))
  }),
)
const division = entry('div', 0.8, (b) => {
  const x = b.float()
  if (b.flavour === 'special' || b.random.chance(0.2)) return method(x, 'div', ref(partner(b, x)))
  const y = b.pick((v) => v.dtype === 'f32' && (v.low > 0 || v.high < 0) && String(v.shape) === String(x.shape))
  return method(x, 'div', y ? ref(y) : b.random.pick([2, 4, -0.5, 3]))
})
const power = entry('pow', 0.8, (b) => {
  const x = b.random.chance(0.5) ? b.float() : (b.pick((v) => v.dtype === 'f32' && v.low > 0) ?? b.float())
  if (b.random.chance(0.6)) return method(x, 'pow', b.random.pick([0, 1, 2, 3, -1, -2, 0.5, -0.5, 1.5, 4, 7]))
  return method(x, 'pow', ref(partner(b, x)))
})

const conditions = [
  entry('where', 1.5, (b) => {
    const x = b.pick(isNumber) ?? b.float()
    const same = (v: Value): boolean => v.dtype === 'bool' && String(v.shape) === String(x.shape)
    const condition = b.pick(same) ?? b.input(x.shape, 'bool', 'whole')
    const other = b.random.chance(0.3) ? b.random.pick(numbers) : ref(partner(b, x))
    return b.random.chance(0.5) ? method(condition, 'where', ref(x), other) : fn('where', ref(condition), other, ref(x))
  }),
  ...list('logicalAnd logicalOr').map((name) =>
    entry(name, 0.5, (b) => {
      const x = b.pick((v) => v.dtype === 'bool') ?? b.input(b.shape(), 'bool', 'whole')
      return method(x, name, ref(partner(b, x)))
    }),
  ),
  entry('logicalNot', 0.4, (b) => method(b.pick((v) => v.dtype === 'bool') ?? b.float(), 'logicalNot')),
  entry('clamp', 0.7, (b) => {
    const x = b.pick(isNumber) ?? b.float()
    return method(x, 'clamp', b.random.pick([-1, 0, null]), b.random.pick([1, 2, null]))
  }),
  entry('cast', 1.5, (b) => {
    const x = b.pick() ?? b.float()
    return method(x, 'to', b.random.pick(list('f32 i32 bool')))
  }),
  entry('prelu', 0.1, (b) => {
    const x = b.float((v) => v.shape.length >= 2)
    return x.shape.length < 2 ? null : fn('prelu', ref(x), ref(b.input([x.shape[1] as number])))
  }),
]

// ── reductions ─────────────────────────────────────────────────────────────────────────────────────────────────

function dims(b: Builder, x: Value): Param {
  const { random } = b
  const rank = x.shape.length
  if (rank === 0 || random.chance(0.15)) return null
  if (random.chance(0.6)) return b.axis(x)
  const some = random.shuffled(x.shape.map((_, d) => d)).slice(0, random.whole(1, rank))
  return some.map((d) => (random.chance(0.15) ? d - rank : d))
}

const reductions = [
  ...list('sum sum mean amax amin max min').map((name) =>
    entry(name, 0.8, (b) => {
      const x = b.pick(isNumber) ?? b.float()
      return method(x, name, dims(b, x), b.random.chance(0.5))
    }),
  ),
  entry('sum of bool', 0.2, (b) => {
    const x = b.pick((v) => v.dtype === 'bool')
    return x && method(x, 'sum', dims(b, x), b.random.chance(0.5))
  }),
  entry('prod', 0.6, (b) => {
    const x = b.pick((v) => isNumber(v) && v.size <= 16 && moderate(v))
    return x && method(x, 'prod', dims(b, x), b.random.chance(0.5))
  }),
  ...list('argmax argmin').map((name) =>
    entry(name, 0.8, (b) => {
      const x = b.pick(isNumber) ?? b.float()
      const dim = x.shape.length === 0 || b.random.chance(0.2) ? null : b.axis(x)
      return method(x, name, dim, b.random.chance(0.5))
    }),
  ),
  ...list('variance std').map((name) =>
    entry(name, 0.4, (b) => {
      const x = b.float((v) => v.size > 1)
      const keepdim = b.random.chance(0.5)
      return method(x, name, dims(b, x), options({ correction: b.random.pick([0, 1]), keepdim }))
    }),
  ),
  entry('center', 0.3, (b) => {
    const x = b.float()
    return method(x, 'center', dims(b, x))
  }),
  entry('logsumexp', 0.4, (b) => {
    const x = b.float()
    return method(x, 'logsumexp', dims(b, x), b.random.chance(0.5))
  }),
  entry('norm', 0.4, (b) => {
    const x = b.float()
    return method(x, 'norm', b.random.pick([0, 1, 2, 3, Number.POSITIVE_INFINITY]), dims(b, x), b.random.chance(0.5))
  }),
  ...list('cumsum softmax logSoftmax').map((name) =>
    entry(name, 0.8, (b) => {
      const x = b.float((v) => v.shape.length > 0)
      return x.shape.length === 0 ? null : method(x, name, b.axis(x))
    }),
  ),
  entry('cumprod', 0.5, (b) => {
    const x = b.pick((v) => isNumber(v) && v.shape.length > 0 && Math.max(...v.shape) <= 9 && moderate(v))
    return x && method(x, 'cumprod', b.axis(x))
  }),
]

// ── movement ───────────────────────────────────────────────────────────────────────────────────────────────────

function otherShape(b: Builder, x: Value): number[] {
  const { random } = b
  const primes: number[] = []
  for (let rest = x.size, p = 2; rest > 1; p++) {
    for (; rest % p === 0; rest /= p) primes.push(p)
  }
  const shape = new Array<number>(random.whole(x.size === 1 ? 0 : 1, 4)).fill(1)
  if (shape.length > 0)
    for (const p of random.shuffled(primes)) {
      const d = random.whole(0, shape.length - 1)
      shape[d] = (shape[d] as number) * p
    }
  if (x.size === 0) return random.shuffled([0, random.pick(b.palette)])
  if (shape.length > 0 && random.chance(0.3)) shape[random.whole(0, shape.length - 1)] = -1
  return shape
}

function sliceSpec(b: Builder, extent: number): Param {
  const { random } = b
  if (random.chance(0.35)) return null
  if (random.chance(0.15) && extent > 0) return random.whole(-extent, extent - 1)
  const step = random.pick([1, 1, 1, 2, 3, -1, -2])
  const [a, z] = [random.whole(0, Math.max(extent - 1, 0)), random.whole(0, extent)]
  const [low, high] = [Math.min(a, z), Math.max(a, z)]
  const ends: [Param, Param] = step > 0 ? [low, high] : [high, low === 0 ? null : low - 1]
  const open = random.chance(0.2) ? ([null, null] as const) : ends
  return step === 1 ? [...open] : [...open, step]
}

const anyOf = (b: Builder, rank: number): Value | null => b.pick((x) => x.shape.length >= rank)

const movements = [
  entry('reshape', 1, (b) => {
    const x = b.pick() ?? b.float()
    return method(x, 'reshape', otherShape(b, x))
  }),
  entry('flatten', 0.2, (b) => method(b.pick() ?? b.float(), 'flatten')),
  entry('permute', 1, (b) => {
    const x = anyOf(b, 2)
    return x && method(x, 'permute', b.random.shuffled(x.shape.map((_, d) => d)))
  }),
  entry('transpose', 0.8, (b) => {
    const x = anyOf(b, 2)
    return x && method(x, 'transpose', b.axis(x), b.axis(x))
  }),
  entry('t', 0.3, (b) => method(b.pick() ?? b.float(), 't')),
  entry('expand', 0.8, (b) => {
    const x = b.pick((v) => v.size * 2 <= b.limit)
    if (!x) return null
    let size = x.size
    const grow = (): number => {
      const extent = b.random.chance(0.5) ? b.random.whole(2, 4) : b.extent()
      if (size * extent > b.limit) return 1
      size *= extent
      return extent
    }
    const shape = x.shape.map((extent) => (extent === 1 ? grow() : b.random.chance(0.2) ? -1 : extent))
    return method(x, 'expand', b.random.chance(0.4) ? [grow(), ...shape] : shape)
  }),
  entry('squeeze', 0.3, (b) => {
    const x = b.pick((v) => v.shape.includes(1))
    return x && (b.random.chance(0.5) ? method(x, 'squeeze') : method(x, 'squeeze', x.shape.indexOf(1)))
  }),
  entry('unsqueeze', 0.6, (b) => {
    const x = b.pick() ?? b.float()
    return method(x, 'unsqueeze', b.random.whole(-1, x.shape.length))
  }),
  entry('flip', 0.6, (b) => {
    const x = anyOf(b, 1)
    return x && method(x, 'flip', b.random.shuffled(x.shape.map((_, d) => d)).slice(0, b.random.whole(1, 2)))
  }),
  entry('roll', 0.4, (b) => {
    const x = anyOf(b, 1)
    return x && method(x, 'roll', b.random.whole(-3, 5), b.axis(x))
  }),
  entry('slice', 1.6, (b) => {
    const x = anyOf(b, 1)
    if (!x) return null
    const specs = x.shape.map((extent) => sliceSpec(b, extent))
    return method(x, 'slice', ...specs.slice(0, b.random.chance(0.2) ? 1 : specs.length))
  }),
  entry('index', 0.4, (b) => {
    const x = anyOf(b, 1)
    if (!x) return null
    const at = b.random.whole(0, x.shape.length - 1)
    const extent = x.shape[at] as number
    if (extent === 0) return null
    const places = b.places([b.random.whole(1, 6)], extent)
    return method(x, 'index', ...x.shape.map((e, d) => (d === at ? ref(places) : sliceSpec(b, e))))
  }),
  entry('split', 0.4, (b) => {
    const x = anyOf(b, 1)
    if (!x) return null
    const axis = b.random.whole(0, x.shape.length - 1)
    const extent = x.shape[axis] as number
    if (extent < 2) return null
    return { ...method(x, 'split', b.random.whole(1, extent - 1), axis), part: b.random.whole(0, 1) }
  }),
  entry('diagonal', 0.4, (b) => {
    const x = b.pick((v) => v.shape.length >= 2 && v.shape.at(-1) === v.shape.at(-2))
    return x && method(x, 'diagonal')
  }),
  entry('pad', 0.8, (b) => {
    const { random } = b
    const x = b.pick((v) => v.shape.length > 0 && isNumber(v) && v.size * 3 <= b.limit)
    if (!x) return null
    const mode = random.pick(list('constant constant constant reflect replicate'))
    const count = random.whole(1, Math.min(x.shape.length, 2))
    const widths = Array.from({ length: 2 * count }, () => random.whole(mode === 'constant' ? -1 : 0, 3))
    return method(x, 'pad', widths, options({ mode, value: random.pick([0, 0, 1, -2]) }))
  }),
  ...list('tril triu').map((name) =>
    entry(name, 0.4, (b) => {
      const x = b.pick((v) => v.shape.length >= 2 && isNumber(v))
      return x && method(x, name, b.random.whole(-2, 2))
    }),
  ),
  entry('windows', 0.5, (b) => {
    const { random } = b
    const x = b.pick((v) => v.shape.length > 0 && v.shape.length <= 3 && v.size * 4 <= b.limit)
    if (!x) return null
    const count = random.whole(1, Math.min(2, x.shape.length))
    const settings = (high: number): number[] => Array.from({ length: count }, () => random.whole(1, high))
    return method(x, 'windows', settings(3), settings(3), settings(2))
  }),
  entry('clone', 0.3, (b) => method(b.pick() ?? b.float(), 'clone')),
  entry('detach', 0.3, (b) => method(b.pick() ?? b.float(), 'detach')),
  entry('cat', 1, (b) => {
    const x = anyOf(b, 1)
    if (!x) return null
    const axis = b.random.whole(0, x.shape.length - 1)
    const fits = (y: Value): boolean =>
      y.shape.length === x.shape.length && y.shape.every((e, d) => d === axis || e === x.shape[d])
    const others = Array.from({ length: b.random.whole(0, 2) }, () => b.pick(fits) ?? x)
    return fn('cat', [ref(x), ...others.map(ref)], axis)
  }),
  entry('stack', 0.5, (b) => {
    const x = b.pick((v) => v.size * 3 <= b.limit)
    if (!x) return null
    const other = b.pick((y) => String(y.shape) === String(x.shape)) ?? x
    return fn('stack', [ref(x), ref(other)], b.random.whole(0, x.shape.length))
  }),
]

// ── products ───────────────────────────────────────────────────────────────────────────────────────────────────

const letters = 'abcdefgh'

const products = [
  entry('matmul', 2.2, (b) => {
    const { random } = b
    const x = b.float((v) => v.shape.length > 0)
    if (x.shape.length === 0) return null
    const inner = x.shape.at(-1) as number
    const fits = (y: Value): boolean =>
      y.dtype === 'f32' && y.shape.length > 0 && (y.shape.at(-2) ?? y.shape.at(-1)) === inner
    const known = random.chance(0.6) ? b.pick(fits) : null
    if (known) return method(x, 'matmul', ref(known))
    const columns = random.chance(0.15) ? [] : [b.extent()]
    const batch =
      random.chance(0.3) && x.shape.length > 2 ? x.shape.slice(0, -2).map((e) => (random.chance(0.3) ? 1 : e)) : []
    return method(x, 'matmul', ref(b.input([...(columns.length > 0 ? batch : []), inner, ...columns])))
  }),
  entry('einsum', 0.9, (b) => {
    const { random } = b
    const x = b.float((v) => v.shape.length > 0 && v.shape.length <= 4)
    if (x.shape.length === 0 || x.shape.length > 4) return null
    const extents = new Map<string, number>()
    const own = x.shape.map((extent, d) => {
      const same = [...extents].find(([, e]) => e === extent)
      if (same && random.chance(0.15)) return same[0]
      extents.set(letters[d] as string, extent)
      return letters[d] as string
    })
    const terms = [own.join('')]
    const operands = [ref(x)]
    for (let i = random.whole(0, 2); i > 0; i--) {
      const names = random.shuffled([...extents.keys()]).slice(0, random.whole(1, 3))
      if (random.chance(0.6)) {
        const fresh = letters[extents.size] as string
        if (!extents.has(fresh)) {
          extents.set(fresh, b.extent())
          names.push(fresh)
        }
      }
      const shape = names.map((name) => extents.get(name) as number)
      if (sizeOf(shape) > b.limit) return null
      const known = b.pick((y) => y.dtype === 'f32' && String(y.shape) === String(shape))
      terms.push(names.join(''))
      operands.push(ref(known ?? b.input(shape)))
    }
    const used = random.shuffled([...new Set(terms.join(''))])
    const output: string[] = []
    let size = 1
    for (const name of used.slice(0, random.whole(0, 4))) {
      size *= extents.get(name) as number
      if (size <= b.limit) output.push(name)
    }
    return fn('einsum', `${terms.join(',')}->${output.join('')}`, ...operands)
  }),
  entry('conv', 1.6, (b) => {
    const { random } = b
    const spatial = random.whole(1, 3)
    const x =
      b.pick((v) => v.dtype === 'f32' && v.shape.length === spatial + 2 && v.size > 0) ??
      b.input([
        random.whole(1, 3),
        random.pick([1, 2, 3, 4, 6]),
        ...Array.from({ length: spatial }, () => random.whole(1, spatial === 1 ? 20 : spatial === 2 ? 8 : 4)),
      ])
    const channels = x.shape[1] as number
    const groups = random.pick([1, 1, 1, 2, 3, channels].filter((g) => channels % g === 0))
    const kernel = x.shape.slice(2).map((extent) => random.whole(1, Math.min(3, extent)))
    const weight = [groups * random.whole(1, 4), channels / groups, ...kernel]
    const known = b.pick((v) => v.dtype === 'f32' && String(v.shape) === String(weight))
    const settings = (high: number): number[] => kernel.map(() => (random.chance(0.5) ? 1 : random.whole(1, high)))
    return fn(
      'conv',
      ref(x),
      ref(known ?? b.input(weight)),
      options({ stride: settings(3), dilation: settings(2), groups }),
    )
  }),
  entry('attention', 0.25, (b) => {
    const x = b.float((v) => v.shape.length >= 2)
    if (x.shape.length < 2) return null
    return fn('scaledDotProductAttention', ref(x), ref(x), ref(x), options({ causal: b.random.chance(0.5) }))
  }),
]

// ── places, order ──────────────────────────────────────────────────────────────────────────────────────────────

const indexing = [
  entry('gather', 1, (b) => {
    const x = anyOf(b, 1)
    if (!x || x.size === 0) return null
    const axis = b.random.whole(0, x.shape.length - 1)
    const shape = x.shape.map((extent, d) =>
      d === axis ? b.random.whole(1, 5) : b.random.whole(Math.min(extent, 1), extent),
    )
    return method(x, 'gather', axis, ref(b.places(b.random.chance(0.5) ? shape : x.shape, x.shape[axis] as number)))
  }),
  entry('indexSelect', 0.7, (b) => {
    const x = b.pick((v) => v.shape.length > 0 && v.size > 0)
    if (!x) return null
    const axis = b.random.whole(0, x.shape.length - 1)
    return method(x, 'indexSelect', axis, ref(b.places([b.random.whole(1, 7)], x.shape[axis] as number)))
  }),
  entry('scatterAdd', 1, (b) => {
    const x = b.pick((v) => v.shape.length > 0 && isNumber(v) && v.size > 0)
    if (!x) return null
    const axis = b.random.whole(0, x.shape.length - 1)
    const source =
      b.pick(
        (y) =>
          y.dtype === x.dtype &&
          y.shape.length === x.shape.length &&
          y.shape.every((e, d) => d === axis || e <= (x.shape[d] as number)),
      ) ?? x
    return method(x, 'scatterAdd', axis, ref(b.places(source.shape, x.shape[axis] as number)), ref(source))
  }),
  entry('sort', 0.8, (b) => {
    const x = b.pick(isNumber)
    if (!x) return null
    const part = b.random.pick(list('values indices'))
    return { ...method(x, 'sort', x.shape.length === 0 ? -1 : b.axis(x), b.random.chance(0.5)), part }
  }),
  entry('topk', 0.4, (b) => {
    const x = b.pick((v) => isNumber(v) && v.shape.length > 0)
    if (!x) return null
    const axis = b.random.whole(0, x.shape.length - 1)
    const part = b.random.pick(list('values indices'))
    return {
      ...method(x, 'topk', b.random.whole(1, Math.max(1, x.shape[axis] as number)), axis, b.random.chance(0.5)),
      part,
    }
  }),
  entry('oneHot', 0.4, (b) => {
    const known = b.pick((v) => v.dtype === 'i32' && v.low >= 0 && v.high < 9 && v.size * 9 <= b.limit)
    return method(known ?? b.places([b.random.whole(1, 6)], 9), 'oneHot', 9)
  }),
  entry('checkIndex', 0.3, (b) => {
    const size = b.random.whole(1, 9)
    return fn('checkIndex', ref(b.places([b.random.whole(1, 6)], size)), size, 'fuzz')
  }),
  entry('i32 input', 0.4, (b) => {
    const x = b.input(b.shape(), 'i32', b.random.pick(['bits', 'whole', 'whole']))
    return method(x, 'add', b.random.whole(-3, 3))
  }),
]

/** The slices of a sequence have the shape of the state. */
const loops = [
  entry('scan', 1.2, (b) => {
    const { random } = b
    const name = random.pick(bodyNames)
    const part = random.whole(0, 1)
    const reverse = random.chance(0.4)
    const like = (shape: readonly number[]): Value =>
      b.pick((v) => v.dtype === 'f32' && String(v.shape) === String(shape)) ?? b.input(shape)
    if (name === 'embed') {
      const table = b.float((v) => v.shape.length === 2 && v.size > 0)
      const [rows, width] = table.shape
      if (table.shape.length !== 2 || !rows || !width) return null
      const [steps, count] = [random.whole(1, 5), random.whole(1, 4)]
      const places = b.places([steps, count], rows)
      return { ...fn('loopOf', name, ref(like([count, width])), ref(places), ref(table), reverse), part }
    }
    const matrices = name === 'product' || name === 'bent'
    const fits = (v: Value): boolean =>
      v.dtype === 'f32' && (matrices ? v.shape.length === 3 : v.shape.length > 1) && (v.shape[0] as number) <= 6
    const known = b.pick(fits)
    const x = known ?? b.input([random.whole(1, 6), b.extent(), b.extent()])
    const width = x.shape.at(-1) as number
    const other = like(matrices ? [width, width] : x.shape.slice(1))
    return { ...fn('loopOf', name, ref(like(x.shape.slice(1))), ref(x), ref(other), reverse), part }
  }),
  ...(
    [
      ['rnn', 1, 1],
      ['lstm', 4, 2],
      ['gru', 3, 1],
    ] as const
  ).map(([name, gates, states]) =>
    entry(name, 0.3, (b) => {
      // A hand-written gradient is the same but for what NaN and infinities make of it.
      if (b.flavour !== 'real') return null
      const { random } = b
      const [steps, count, width] = [random.whole(1, 5), random.whole(1, 4), random.pick([1, 2, 5, 17])]
      const like = (shape: readonly number[]): Value =>
        b.pick((v) => v.dtype === 'f32' && String(v.shape) === String(shape)) ?? b.input(shape)
      // Of an LSTM's h there may be a projection.
      const size = name === 'lstm' && random.chance(0.4) ? random.pick([1, 3, 8]) : width
      const projection = size === width ? null : ref(like([size, width]))
      const initial = Array.from({ length: states }, (_, i) => ref(like([count, i === 0 ? size : width])))
      const [x, weight] = [like([steps, count, gates * width]), like([gates * width, size])]
      const bias = ref(like([gates * width]))
      return {
        ...fn('recurrent', name, ref(x), initial, ref(weight), bias, projection, random.chance(0.5)),
        part: random.whole(0, states),
      }
    }),
  ),
]

const chance = [
  ...list('rand randn').map((name) =>
    entry(name, 0.35, (b) => fn(name, b.shape(), options({ generator: generator(b) }))),
  ),
  entry('randint', 0.35, (b) =>
    fn('randint', -3, b.random.whole(1, 9), b.shape(), options({ generator: generator(b) })),
  ),
  entry('randperm', 0.2, (b) => fn('randperm', b.extent(), options({ generator: generator(b) }))),
  entry('bits', 0.3, (b) => {
    const id = b.generatorInput((seed) => new Generator(seed))
    return { on: id, call: 'bits', params: [b.shape()] }
  }),
]
function generator(b: Builder): Param {
  return { ref: b.generatorInput((seed) => new Generator(seed)) }
}

const creation = [
  entry('full', 0.2, (b) => fn('full', b.shape(), b.random.pick(numbers))),
  entry('arange', 0.2, (b) => fn('arange', b.random.whole(0, 3), b.random.whole(4, 20), b.random.whole(1, 2))),
  entry('eye', 0.2, (b) => fn('eye', b.random.whole(1, 5), b.random.whole(1, 5))),
  entry('onesLike', 0.1, (b) => method(b.float(), 'onesLike')),
]

export const catalogue: readonly Entry[] = [
  ...simple,
  ...smooth,
  ...pieces,
  ...positive,
  ...integers,
  ...binary,
  division,
  power,
  ...conditions,
  ...reductions,
  ...movements,
  ...products,
  ...indexing,
  ...loops,
  ...layers,
  ...losses,
  ...chance,
  ...creation,
]
