/** What layers compute, as functions: transposed convolution, pooling, norms, resizing, embedding, attention, distances. */
import { type Builder, type Call, fn, options, ref, type Value } from './builder.ts'
import type { Entry } from './catalogue.ts'
import type { Param } from './program.ts'

const entry = (name: string, make: (b: Builder) => Call | null, weight = 0.2): Entry => ({ name, weight, make })

/** [N, C, …], with so many spatial dimensions. */
function images(b: Builder, n: number): Value {
  const { random } = b
  const known = b.pick((v) => v.dtype === 'f32' && v.shape.length === n + 2 && v.size > 0)
  return (
    known ?? b.input([random.whole(1, 2), random.whole(1, 4), ...Array.from({ length: n }, () => random.whole(1, 7))])
  )
}

const scale = (b: Builder, shape: readonly number[]): Record<string, Param> =>
  b.random.chance(0.5) ? { weight: ref(b.input(shape)), bias: ref(b.input(shape)) } : {}

const dimensions = [1, 2, 3] as const

const pools = dimensions.flatMap((n) => [
  entry(`maxPool${n}d`, (b) => pool(b, `maxPool${n}d`, n, b.random.chance(0.3) ? { dilation: 2 } : {})),
  entry(`avgPool${n}d`, (b) => {
    const divided = b.random.chance(0.2) ? { divisorOverride: 4 } : {}
    return pool(b, `avgPool${n}d`, n, { countIncludePad: b.random.chance(0.5), ...divided })
  }),
  entry(`adaptiveAvgPool${n}d`, (b) => fn(`adaptiveAvgPool${n}d`, ref(images(b, n)), b.random.whole(1, 4))),
])

function pool(b: Builder, name: string, n: number, more: Record<string, Param>): Call {
  const { random } = b
  const given = {
    stride: random.whole(1, 3),
    padding: random.pick([0, 0, 1]),
    ceilMode: random.chance(0.4),
  }
  return fn(name, ref(images(b, n)), random.pick([1, 2, 3]), options({ ...given, ...more }))
}

export const layers: readonly Entry[] = [
  ...pools,
  ...['adaptiveMaxPool1d', 'adaptiveMaxPool2d'].map((name, i) =>
    entry(name, (b) => fn(name, ref(images(b, i + 1)), b.random.whole(1, 4))),
  ),
  entry('convTranspose', (b) => {
    const { random } = b
    const n = random.pick(dimensions)
    const x = images(b, n)
    const each = (most: number): Param => Array.from({ length: n }, () => random.whole(1, most))
    const kernel = Array.from({ length: n }, () => random.whole(1, 3))
    const channels = x.shape[1] as number
    const groups = channels % 2 === 0 && random.chance(0.3) ? 2 : 1
    const weight = b.input([channels, random.whole(1, 3), ...kernel])
    const padding = kernel.map((size) => random.whole(0, size - 1))
    const outputPadding = kernel.map(() => random.pick([0, 0, 1]))
    const settings = { stride: each(3), dilation: each(2), padding, outputPadding, groups }
    return fn('convTranspose', ref(x), ref(weight), options(settings))
  }),
  entry('layerNorm', (b) => {
    const x = b.float((v) => v.shape.length >= 1 && (v.shape.at(-1) as number) > 1 && v.size > 0)
    const shape = x.shape.slice(-1)
    return shape.length === 0 ? null : fn('layerNorm', ref(x), shape, options({ ...scale(b, shape), eps: 0.125 }))
  }),
  entry('rmsNorm', (b) => {
    const x = b.float((v) => v.shape.length >= 1 && v.size > 0)
    const shape = x.shape.slice(-1)
    const weight: Record<string, Param> = b.random.chance(0.5) ? { weight: ref(b.input(shape)) } : {}
    return shape.length === 0 ? null : fn('rmsNorm', ref(x), shape, options({ eps: 0.125, ...weight }))
  }),
  entry('groupNorm', (b) => {
    const x = b.float((v) => v.shape.length >= 2 && v.size > 0)
    const channels = x.shape[1]
    if (channels === undefined) return null
    const groups = channels % 2 === 0 ? b.random.pick([1, 2, channels]) : b.random.pick([1, channels])
    return fn('groupNorm', ref(x), groups, options({ ...scale(b, [channels]), eps: 0.125 }))
  }),
  entry('interpolate', (b) => {
    const { random } = b
    const n = random.pick(dimensions)
    const linear = ['linear', 'bilinear', 'trilinear'][n - 1] as string
    const mode = random.pick(['nearest', 'nearest-exact', linear, ...(n === 2 ? ['bicubic'] : [])])
    const size: Record<string, Param> = random.chance(0.5)
      ? { size: random.whole(1, 9) }
      : { scaleFactor: random.pick([0.5, 1.5, 2, 3]) }
    return fn('interpolate', ref(images(b, n)), options({ ...size, mode, alignCorners: random.chance(0.5) }))
  }),
  entry('embedding', (b) => {
    const table = b.float((v) => v.shape.length === 2 && v.size > 0)
    const [rows] = table.shape
    if (table.shape.length !== 2 || !rows) return null
    const places = b.places(b.shape(b.random.pick([1, 2])), rows)
    return fn('embedding', ref(places), ref(table), options(b.random.chance(0.3) ? { paddingIdx: 0 } : {}))
  }),
  entry('cosineSimilarity', (b) => {
    const x = b.float((v) => v.shape.length >= 2 && v.size > 0)
    if (x.shape.length < 2) return null
    const y = b.pick((v) => v.dtype === 'f32' && String(v.shape) === String(x.shape)) ?? b.input(x.shape)
    return fn('cosineSimilarity', ref(x), ref(y), options({ eps: 0.125 }))
  }),
  entry('pairwiseDistance', (b) => {
    const x = b.float((v) => v.shape.length >= 1 && v.size > 0)
    if (x.shape.length === 0) return null
    const y = b.pick((v) => v.dtype === 'f32' && String(v.shape) === String(x.shape)) ?? b.input(x.shape)
    const more = { p: b.random.pick([1, 2, 3]), keepdim: b.random.chance(0.5), eps: 0.125 }
    return fn('pairwiseDistance', ref(x), ref(y), options(more))
  }),
  entry('normalize', (b) => {
    const x = b.float((v) => v.shape.length >= 1 && v.size > 0)
    const more = { dim: b.axis(x), p: b.random.pick([1, 2, 3]), eps: 0.125 }
    return x.shape.length === 0 ? null : fn('normalize', ref(x), options(more))
  }),
  ...['pixelShuffle', 'pixelUnshuffle'].map((name) => entry(name, (b) => fn(name, ref(images(b, 2)), 2), 0.1)),
  entry('maskedAttention', (b) => {
    const { random } = b
    const query = b.float((v) => v.shape.length >= 2 && v.size > 0)
    const [length, width] = query.shape.slice(-2)
    if (length === undefined || width === undefined || query.size * 7 > b.limit * width) return null
    const lead = query.shape.slice(0, -2)
    const keys = random.whole(1, 7)
    const value = b.input([...lead, keys, random.whole(1, 5)])
    const shape = [...(random.chance(0.5) ? lead : []), length, keys]
    const mask = random.chance(0.5) ? b.input(shape) : b.input(shape, 'bool', 'whole')
    const more: Record<string, Param> = random.chance(0.7) ? { mask: ref(mask) } : {}
    return fn(
      'scaledDotProductAttention',
      ref(query),
      ref(b.input([...lead, keys, width])),
      ref(value),
      options({ ...more, causal: random.chance(0.4) }),
    )
  }),
  entry('rotary', (b) => {
    const x = b.float((v) => v.shape.length >= 2 && (v.shape.at(-1) as number) % 2 === 0 && v.size > 0)
    return x.shape.length < 2 ? null : fn('rotary', ref(x), options({ offset: b.random.whole(0, 3) }))
  }),
]
