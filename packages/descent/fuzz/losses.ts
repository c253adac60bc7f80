/** The losses that graphs are made of, with inputs of the kind that each takes, and often of one that it does not. */
import { type Builder, type Call, fn, method, options, ref, type Value } from './builder.ts'
import type { Entry } from './catalogue.ts'
import type { Param } from './program.ts'

const entry = (name: string, weight: number, make: (b: Builder) => Call | null): Entry => ({ name, weight, make })

type Options = Record<string, Param>
const reduction = (b: Builder): Options => ({ reduction: b.random.pick(['none', 'none', 'mean', 'sum']) })
const margin = (b: Builder): Options => ({ margin: b.random.pick([0.5, 1, 2]) })

const like = (b: Builder, x: Value, fill = b.fill()): Value =>
  b.pick((v) => v.dtype === 'f32' && String(v.shape) === String(x.shape)) ?? b.input(x.shape, 'f32', fill)
const positive = (b: Builder, x: Value): Value =>
  b.pick((v) => v.dtype === 'f32' && v.low > 0 && String(v.shape) === String(x.shape)) ??
  b.input(x.shape, 'f32', 'positive')
/** 0 and 1, or −1 and 1, as i32. */
const yesNo = (b: Builder, shape: readonly number[]): Value => b.input(shape, 'i32', { below: 2 })
const signs = (b: Builder, shape: readonly number[]): Value | null =>
  b.add(method(yesNo(b, shape), 'mul', 2)) && b.add(method(b.values.at(-1) as Value, 'sub', 1))

/** Of an input and a target of one shape. */
function pair(
  name: string,
  target: (b: Builder, x: Value) => Value | null,
  more: (b: Builder) => Options = () => ({}),
  input: (b: Builder) => Value = (b) => b.float(),
): Entry {
  return entry(name, 0.12, (b) => {
    const x = input(b)
    const y = target(b, x)
    return y && fn(name, ref(x), ref(y), options({ ...reduction(b), ...more(b) }))
  })
}

const pairs = [
  pair('mseLoss', like),
  pair('l1Loss', like),
  pair('smoothL1Loss', like, (b) => ({ beta: b.random.pick([0, 0.5, 1]) })),
  pair('huberLoss', like, (b) => ({ delta: b.random.pick([0.5, 1, 2]) })),
  pair('poissonNllLoss', like, (b) => ({ full: b.random.chance(0.3) })),
  pair('klDiv', positive, (b) => ({ logTarget: b.random.chance(0.3) })),
  pair(
    'binaryCrossEntropy',
    (b, x) => yesNo(b, x.shape),
    () => ({}),
    (b) => {
      const inside = b.pick((v) => v.dtype === 'f32' && v.low > 0 && v.high < 1)
      return inside ?? b.add(method(b.float(), 'sigmoid')) ?? b.float()
    },
  ),
  pair('binaryCrossEntropyWithLogits', like),
  pair('marginLoss', (b, x) => signs(b, x.shape), margin),
  pair('softMarginLoss', (b, x) => signs(b, x.shape)),
  pair('hingeEmbeddingLoss', (b, x) => signs(b, x.shape), margin),
  pair('multilabelSoftMarginLoss', (b, x) => yesNo(b, x.shape)),
  entry('gaussianNllLoss', 0.12, (b) => {
    const x = b.float()
    return fn('gaussianNllLoss', ref(x), ref(like(b, x)), ref(positive(b, x)), options(reduction(b)))
  }),
  entry('marginRankingLoss', 0.12, (b) => {
    const x = b.float()
    const y = signs(b, x.shape)
    return y && fn('marginRankingLoss', ref(x), ref(like(b, x)), ref(y), options({ ...reduction(b), ...margin(b) }))
  }),
]

// ── classes ────────────────────────────────────────────────────────────────────────────────────────────────────────

const scores = (b: Builder, most: number): Value | null =>
  b.pick((v) => v.dtype === 'f32' && v.shape.length >= 2 && v.shape.length <= most && v.size > 0)

/** Of scores [N, C, ...] and a class for each place. */
function ofClasses(name: string, weight: number, most: number, more: (b: Builder) => Options): Entry {
  return entry(name, weight, (b) => {
    const x = scores(b, most)
    if (!x) return null
    const classes = x.shape[1] as number
    const target = b.places(
      x.shape.filter((_, d) => d !== 1),
      classes,
    )
    const factors: Options = b.random.chance(0.3) ? { weight: ref(b.input([classes], 'f32', 'positive')) } : {}
    return fn(name, ref(x), ref(target), options({ ...reduction(b), ...factors, ...more(b) }))
  })
}

const ofRows = [
  ofClasses('crossEntropy', 0.3, 4, (b) => ({
    labelSmoothing: b.random.pick([0, 0.25]),
    ...(b.random.chance(0.3) ? { ignoreIndex: 0 } : {}),
  })),
  ofClasses('nllLoss', 0.15, 4, (b) => (b.random.chance(0.3) ? { ignoreIndex: 0 } : {})),
  ofClasses('multiMarginLoss', 0.15, 2, (b) => ({ p: b.random.pick([1, 2]), ...margin(b) })),
  entry('multilabelMarginLoss', 0.15, (b) => {
    const x = scores(b, 2)
    if (!x || x.size * (x.shape[1] as number) > b.limit) return null
    // Lists of classes that end at the first −1.
    const lists = b.add(method(b.input(x.shape, 'i32', { below: (x.shape[1] as number) + 1 }), 'sub', 1))
    return lists && fn('multilabelMarginLoss', ref(x), ref(lists), options(reduction(b)))
  }),
]

/** Of sequences of labels, in rows or one after the other; some are too long for their inputs. */
const alignments = entry('ctcLoss', 0.3, (b) => {
  if (b.flavour !== 'real') return null
  const { random } = b
  const fits = (v: Value): boolean =>
    v.dtype === 'f32' && v.shape.length === 3 && v.size > 0 && v.shape.every((e) => e < 9)
  const scored = b.pick(fits) ?? b.input([random.whole(1, 6), random.whole(1, 3), random.whole(1, 5)])
  const [steps, count, classes] = scored.shape as [number, number, number]
  const x = b.add(method(scored, 'logSoftmax', 2))
  if (!x) return null
  const most = random.whole(1, 4)
  const lengths = (below: number): Param => ref(b.input([count], 'i32', { below: below + 1 }))
  const rows = random.chance(0.7)
  const targets = b.places(rows ? [count, most] : [count * most], classes)
  const own = rows ? lengths(most) : new Array<number>(count).fill(most)
  const more = { blank: random.whole(0, classes - 1), zeroInfinity: random.chance(0.7) }
  return fn('ctcLoss', ref(x), ref(targets), lengths(steps), own, options({ ...reduction(b), ...more }))
})

// ── embeddings ─────────────────────────────────────────────────────────────────────────────────────────────────────

const embeddings = [
  ...['cosineEmbeddingLoss', 'l1HingeEmbeddingLoss'].map((name) =>
    entry(name, 0.12, (b) => {
      const x = scores(b, 2)
      const y = x && signs(b, x.shape.slice(0, 1))
      return y && fn(name, ref(x), ref(like(b, x)), ref(y), options({ ...reduction(b), margin: 0.5 }))
    }),
  ),
  entry('tripletMarginLoss', 0.12, (b) => {
    const x = scores(b, 2)
    if (!x) return null
    const more = { ...margin(b), p: b.random.pick([1, 2, 3]), swap: b.random.chance(0.5), eps: 0.125 }
    return fn('tripletMarginLoss', ref(x), ref(like(b, x)), ref(like(b, x)), options({ ...reduction(b), ...more }))
  }),
]

export const losses: readonly Entry[] = [...pairs, ...ofRows, alignments, ...embeddings]
