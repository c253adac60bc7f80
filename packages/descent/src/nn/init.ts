/**
 * First values of parameters, written in place. All of them draw from `generator`, or from the default one, so that
 * a seed decides them.
 */
import { noGrad } from '../autograd.ts'
import { sizeOf } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import { philox4x32 } from '../philox.ts'
import { defaultGenerator, type Generator, rand, randn } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import { activeTrace } from '../trace.ts'

/** What draws the first values. */
export interface InitOptions {
  readonly generator?: Generator
}

/** What a following activation does to the variance, made up for (torch.nn.init.calculate_gain). */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu'

/** For `kaimingUniform` and `kaimingNormal`. */
export interface KaimingOptions extends InitOptions {
  /** The slope of leakyRelu below zero. Default 0. */
  readonly a?: number
  /** Keep the variance of values (fanIn, the default) or of gradients (fanOut). */
  readonly mode?: 'fanIn' | 'fanOut'
  /** Default 'leakyRelu'. */
  readonly nonlinearity?: Nonlinearity
}

/**
 * How many inputs feed an output, and outputs an input, of a weight [out, in, ...kernel]. Throws ShapeError for fewer
 * than two dimensions.
 */
export function fans(weight: Tensor): { fanIn: number; fanOut: number } {
  const [out, into, ...kernel] = weight.shape
  if (out === undefined || into === undefined) {
    throw new ShapeError(`fans: a weight has at least two dimensions [out, in], this one is [${weight.shape}].`)
  }
  return { fanIn: into * sizeOf(kernel), fanOut: out * sizeOf(kernel) }
}

/** The factor that makes up for what an activation does to the spread of values (torch.nn.init.calculate_gain). */
export function gain(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1
    case 'tanh':
      return 5 / 3
    case 'relu':
      return Math.SQRT2
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + slope * slope))
    case 'selu':
      return 3 / 4
  }
}

/** Up to here, drawing on the host takes less time than compiling a kernel for the shape. */
const MOST_ON_HOST = 2 ** 18

/** Uniform in [low, high). */
export function uniform(x: Tensor, low = 0, high = 1, { generator = defaultGenerator() }: InitOptions = {}): Tensor {
  const range = high - low
  if (x.size > MOST_ON_HOST || activeTrace()) {
    return noGrad(() => x.copy_(rand(x.shape, { generator }).mul(range).add(low)))
  }
  const values = unitOnHost(x.size, generator)
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * range + low
  return x.copy_(values)
}

/** The values that `rand` would draw. */
function unitOnHost(count: number, generator: Generator): Float32Array {
  const key = generator.key.data()
  const draw = generator.draws.item()
  generator.draws.fill_(draw + 1)
  const counter = Int32Array.of(0, draw, 0, 0)
  const words = new Uint32Array(4)
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    if (i % 4 === 0) {
      counter[0] = i / 4
      philox4x32(counter, key, words)
    }
    values[i] = ((words[i % 4] as number) >>> 8) * 2 ** -24
  }
  return values
}

/** Normal with this mean and standard deviation. */
export function normal(x: Tensor, mean = 0, std = 1, options: InitOptions = {}): Tensor {
  return noGrad(() => x.copy_(randn(x.shape, options).mul(std).add(mean)))
}

/** Every element the same (torch.nn.init.constant_). */
export function constant(x: Tensor, value: number): Tensor {
  return x.fill_(value)
}

/** Every element 0 (torch.nn.init.zeros_). */
export function zeros(x: Tensor): Tensor {
  return x.fill_(0)
}

/** Every element 1 (torch.nn.init.ones_). */
export function ones(x: Tensor): Tensor {
  return x.fill_(1)
}

/**
 * Uniform in ±gain·√(3 / fan) (He et al., "Delving deep into rectifiers", 2015; torch.nn.init.kaiming_uniform_).
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * const weight = nn.init.kaimingUniform(zeros([64, 100]), { nonlinearity: 'relu' })
 * console.log(weight.abs().max().item() <= Math.sqrt(6 / 100)) // → true
 * ```
 */
export function kaimingUniform(x: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = kaimingStd(x, options) * Math.sqrt(3)
  return uniform(x, -bound, bound, options)
}

/** Normal with standard deviation gain / √fan (torch.nn.init.kaiming_normal_). */
export function kaimingNormal(x: Tensor, options: KaimingOptions = {}): Tensor {
  return normal(x, 0, kaimingStd(x, options), options)
}

function kaimingStd(x: Tensor, { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' }: KaimingOptions): number {
  return gain(nonlinearity, a) / Math.sqrt(fans(x)[mode])
}

/**
 * Uniform in ±gain·√(6 / (fanIn + fanOut)) (Glorot and Bengio, "Understanding the difficulty of training deep
 * feedforward neural networks", 2010; torch.nn.init.xavier_uniform_).
 */
export function xavierUniform(x: Tensor, scale = 1, options: InitOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(x)
  const bound = scale * Math.sqrt(6 / (fanIn + fanOut))
  return uniform(x, -bound, bound, options)
}

/** Normal with standard deviation gain·√(2 / (fanIn + fanOut)) (torch.nn.init.xavier_normal_). */
export function xavierNormal(x: Tensor, scale = 1, options: InitOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(x)
  return normal(x, 0, scale * Math.sqrt(2 / (fanIn + fanOut)), options)
}
