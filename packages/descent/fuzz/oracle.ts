/**
 * What a graph should give, and how exactly that can be known.
 *
 * The reference device computes in double precision. Here it is watched: after every operation (gradients' too) the
 * values can be rounded to f32, so that overflow and denormals are those of f32, and disturbed by relative errors of
 * 2⁻²¹. Elements that such disturbances move are ill-conditioned, and a device may be off by as much. Mostly, equal
 * values are disturbed equally, so that ties stay ties.
 *
 * A graph is `exact` where all its values are small whole multiples of a power of two, and every sum or product of
 * them too: then every device must give these bits.
 */
import type { Storage } from '../src/devices/device.ts'
import { ReferenceStorage, referenceDevice } from '../src/devices/reference/device.ts'
import type { Kernel, Plan } from '../src/kernel/kernel.ts'
import { type Outcome, run } from './interpret.ts'
import { writingOut } from './loops.ts'
import { type Program, valuesOf } from './program.ts'
import { mix } from './random.ts'

/** What the watcher sees of an operation. */
interface Seen {
  /** What it left; may be changed. */
  readonly values: Float64Array
  /** How many terms a sum, or a running product, had at most, and a sum of products. */
  readonly terms: number
  readonly products: number
  /** No partial sum is larger. */
  readonly bound: number
}

let watcher: ((seen: Seen) => void) | null = null

/** Lets the watcher see, and change, what every operation of the reference device leaves. */
function watchReference(): void {
  const device = referenceDevice()
  const prepare = device.prepare.bind(device)
  device.prepare = (plan) => {
    const runner = prepare(plan)
    const written = new Set(writtenPositions(plan))
    const terms = Math.max(1, ...plan.kernels.map(termsOf))
    const products = Math.max(1, ...plan.kernels.map((kernel) => (kernel.kind === 'gemm' ? kernel.k.size : 1)))
    return {
      run(args) {
        let largest = 0
        if (watcher && terms > 1)
          for (const [position, storage] of args.entries())
            if (!written.has(position)) largest = Math.max(largest, largestOf(storage))
        runner.run(args)
        const bound = terms * largest * (products > 1 ? largest : 1)
        for (const position of written) {
          const storage = args[position]
          if (storage instanceof ReferenceStorage && storage.data instanceof Float64Array)
            watcher?.({ values: storage.data, terms, products, bound })
        }
      },
      listing: () => runner.listing(),
    }
  }
}

/** The largest finite magnitude. */
function largestOf(storage: Storage): number {
  let largest = 0
  if (storage instanceof ReferenceStorage && storage.data instanceof Float64Array)
    for (const x of storage.data) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x))
  return largest
}

function writtenPositions(plan: Plan): number[] {
  return plan.buffers.flatMap(({ place }) =>
    place.kind === 'argument' && place.access !== 'read' ? [place.position] : [],
  )
}

function termsOf(kernel: Kernel): number {
  switch (kernel.kind) {
    case 'loops': {
      const sums = kernel.stages.filter((s) => s.reductions.some(({ op }) => op === 'sum' || op === 'prod'))
      return Math.max(1, ...sums.map((s) => s.axes.reduce((n, axis) => n * axis.size, 1)))
    }
    case 'gemm':
      return kernel.k.size
    case 'scan':
      return kernel.axis.size
    case 'scatter':
      return kernel.source.size
    case 'sort':
      return 1
  }
}

watchReference()

function watching(eyes: (seen: Seen) => void, fn: () => Outcome): Outcome {
  watcher = eyes
  try {
    return writingOut(fn)
  } finally {
    watcher = null
  }
}

/** Statements whose results are the same to the bit wherever their values are exact. */
const inexact = new Set(
  (
    'exp log log2 log1p expm1 rsqrt sin cos tan atan sinh cosh tanh sigmoid erf softmax logSoftmax logsumexp ' +
    'gelu silu mish softplus logSigmoid elu selu celu tanhshrink softmin crossEntropy binaryCrossEntropy ' +
    'binaryCrossEntropyWithLogits scaledDotProductAttention randn norm std pow linspace recurrent ctcLoss'
  ).split(' '),
)

interface Extent {
  /** The largest magnitude, and the number of bits after the point; null where some value is not finite. */
  largest: number
  bits: number | null
  products: number
}

const MOST_BITS = 10

function extend(extent: Extent, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    const size = Math.abs(value)
    if (size > extent.largest && size < Number.POSITIVE_INFINITY) extent.largest = size
    while (extent.bits !== null && !Number.isInteger(value * 2 ** extent.bits))
      extent.bits = extent.bits < MOST_BITS && size < 1e9 ? extent.bits + 1 : null
  }
}

const EPSILON = 2 ** -21
/** The rounding errors of longer sums may all go one way. */
const FEW_TERMS = 256
const SMALLEST_NORMAL = 2 ** -126

const word = new Float64Array(1)
const halves = new Uint32Array(word.buffer)

/** The value with a relative error that depends on the value, its place and the seed alone. */
function disturbed(value: number, seed: number, place: number, scale: number): number {
  if (value === 0 || !(Math.abs(value) < Number.POSITIVE_INFINITY)) return value
  if (seed % 2 === 1 && Math.abs(value) < 2 * SMALLEST_NORMAL) return 0
  // Values that are nearly equal become equal: so other ties come about.
  if (seed % 4 === 2) return coarse(value, 19 + (seed % 3))
  word[0] = value
  const random = mix(mix(halves[0] as number, halves[1] as number), mix(seed, place)) / 2 ** 31 - 1
  return value * (1 + scale * EPSILON * random)
}

/** Rounded to so many bits. */
function coarse(value: number, bits: number): number {
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - bits + 1)
  return Math.round(value / unit) * unit
}

export class Oracle {
  readonly program: Program
  /** The reference device's own results, one operation after the other. */
  readonly plain: Outcome
  readonly exact: boolean
  /** Whether no operation summed or multiplied many values: then the order of terms plays no part. */
  readonly pointwise: boolean
  /** Whether some partial sum may have been beyond f32, in another order of its terms. */
  readonly overflows: boolean
  #rounded: Outcome | null = null
  readonly #disturbed: Outcome[] = []

  constructor(program: Program) {
    this.program = program
    const extent: Extent = { largest: 0, bits: 0, products: 1 }
    let terms = 1
    let overflows = false
    for (const input of program.inputs) {
      if (input.kind === 'tensor' && input.dtype === 'f32')
        for (let call = 0; call < program.calls; call++) extend(extent, valuesOf(input, call))
      if (input.kind === 'number') extend(extent, [input.value])
    }
    this.plain = watching(
      (seen) => {
        terms = Math.max(terms, seen.terms)
        extent.products = Math.max(extent.products, seen.products)
        extend(extent, seen.values)
        overflows ||= seen.bound > 3e38
      },
      () => run(program, 'reference', 'eager'),
    )
    this.pointwise = terms === 1
    this.overflows = overflows
    const calls = new Set([...program.setup, ...program.body].map((s) => s.call))
    const steps = extent.bits === null ? Number.POSITIVE_INFINITY : extent.largest * 2 ** extent.bits
    const fits = steps * terms <= 2 ** 24 && (extent.products === 1 || steps * steps * extent.products <= 2 ** 24)
    const running = calls.has('prod') || calls.has('cumprod')
    this.exact = fits && !(running && extent.bits !== 0) && ![...calls].some((call) => inexact.has(call))
  }

  /** As `plain`, but rounded to f32 after every operation. */
  get rounded(): Outcome {
    this.#rounded ??= watching(
      ({ values }) => {
        for (let i = 0; i < values.length; i++) values[i] = Math.fround(values[i] as number)
      },
      () => run(this.program, 'reference', 'eager'),
    )
    return this.#rounded
  }

  /** Rounded and disturbed, in one of many ways. */
  disturbed(way: number): Outcome {
    // In most ways equal values stay equal; in some they do not, or what cancels would cancel in all.
    const placed = way >= 4 && way % 4 === 0
    const change = (value: number, i: number, scale = 1): number =>
      Math.fround(disturbed(value, way, placed ? i : 0, scale))
    let count = 0
    this.#disturbed[way] ??= watching(
      ({ values, terms }) => {
        const scale = Math.max(1, terms / FEW_TERMS)
        for (let i = 0; i < values.length; i++) values[i] = change(values[i] as number, i, scale)
      },
      () =>
        run(this.program, 'reference', 'eager', { relative: change, absolute: () => mix(way, count++) / 2 ** 31 - 1 }),
    )
    return this.#disturbed[way]
  }
}
