/**
 * Random numbers from counters. A generator is a key and the number of draws so far, both tensors: so a compiled
 * function that draws updates them as state, and the same seed gives the same bits everywhere.
 */

import { applyOp, deviceOf } from './apply.ts'
import { currentDevice, deviceNamed } from './backend.ts'
import type { TensorOptions } from './create.ts'
import type { Device, DeviceName } from './devices/device.ts'
import type { Shape } from './dtype.ts'
import type { OpDef } from './ops/op.ts'
import { randomBits, randomNormal, randomUniform } from './ops/random.ts'
import { Tensor } from './tensor.ts'
import { outsideTrace } from './trace.ts'

/** A source of random numbers: from the same seed come the same numbers, on every device and for any number of threads. */
export class Generator {
  /** i32 [2]: the seed's low and high word. */
  readonly key: Tensor
  /** i32 []: how many tensors were drawn. */
  readonly draws: Tensor

  constructor(seed: number, options: { readonly device?: DeviceName } = {}) {
    const device = options.device ? deviceNamed(options.device) : currentDevice()
    this.key = state(device, 2)
    this.draws = state(device, 0)
    this.seed(seed)
  }

  /** Starts anew from a whole number from 0 to 2⁵³ − 1. */
  seed(seed: number): void {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`A seed is a whole number from 0 to 2^53 - 1, not ${seed}.`)
    outsideTrace(() => {
      this.key.copy_([seed | 0, Math.floor(seed / 2 ** 32)])
      this.draws.fill_(0)
    })
  }

  /** 32 random bits an element, as i32. */
  bits(shape: Shape): Tensor {
    return this.draw(randomBits, shape)
  }

  /** The next draw of a distribution. For the library's own use. */
  draw(distribution: OpDef<{ readonly shape: Shape }>, shape: Shape): Tensor {
    const drawn = applyOp(deviceOf(this.key), distribution, { shape }, [this.key, this.draws])
    this.draws.copy_(this.draws.add(1))
    return drawn
  }
}

function state(device: Device, length: number): Tensor {
  return Tensor.fromStorage(device.allocate('i32', Math.max(length, 1)), length === 0 ? [] : [length])
}

const generators = new Map<Device, Generator>()
let defaultSeed = 0

/** The generator that is used where none is given; its seed is 0 until `manualSeed`. */
export function defaultGenerator(device: Device = currentDevice()): Generator {
  let generator = generators.get(device)
  if (!generator) {
    generator = outsideTrace(() => new Generator(defaultSeed, { device: device.name }))
    generators.set(device, generator)
  }
  return generator
}

/**
 * Seeds the default generator, on every device.
 *
 * @example
 * ```ts
 * import { manualSeed, rand } from 'descent'
 * manualSeed(7)
 * const a = rand([3])
 * manualSeed(7)
 * console.log(a.eq(rand([3])).toArray()) // → [ true, true, true ]
 * ```
 */
export function manualSeed(seed: number): void {
  defaultSeed = seed
  for (const generator of generators.values()) generator.seed(seed)
}

export interface RandomOptions extends TensorOptions {
  readonly generator?: Generator
}

function draw(distribution: typeof randomUniform, shape: Shape, options: RandomOptions): Tensor {
  const generator =
    options.generator ?? defaultGenerator(options.device ? deviceNamed(options.device) : currentDevice())
  const drawn = generator.draw(distribution, shape)
  return options.requiresGrad ? drawn.requiresGrad_() : drawn
}

/** Uniform in [0, 1), multiples of 2⁻²⁴. */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  return draw(randomUniform, shape, options)
}

/** Standard normal, by Box and Muller's transform. */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  return draw(randomNormal, shape, options)
}

/** Whole numbers in [low, high), i32. high − low is at most 2²⁴. */
export function randint(low: number, high: number, shape: Shape, options: RandomOptions = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low || high - low > 2 ** 24) {
    throw new RangeError(`randint: needs whole numbers low < high at most 2^24 apart, got ${low} and ${high}.`)
  }
  return rand(shape, options)
    .mul(high - low)
    .floor()
    .int()
    .add(low)
}

/** The numbers 0…n−1 in random order, i32 [n]. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  return rand([n], options).sort().indices
}
