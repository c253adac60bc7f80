/**
 * A trained network with what belongs to it: features in front, classes or a scale behind. Contents in, plain arrays out.
 * Batches are filled up to a few fixed sizes, so that a handful of compiled plans serve every number of contents.
 */
import {
  type Compiled,
  compile,
  type data,
  defaultGenerator,
  manualSeed,
  nn,
  noGrad,
  type Tensor,
  tensor,
} from 'descent'
import type { Features } from '../architecture/features.ts'
import type { Content } from '../store/content.ts'
import { outputsOf, type Target } from './target.ts'

/** Rows of numbers, one an example, one after the other: probabilities of classes, a number, or an embedding. */
export interface Rows {
  readonly count: number
  readonly width: number
  /** [count, width] */
  readonly values: Float32Array
}

const BATCH = 256

export class Model {
  readonly net: nn.Module
  readonly features: Features
  readonly target: Target
  readonly #predict: Compiled<[Tensor], Tensor>
  readonly #embed: Compiled<[Tensor], Tensor>

  constructor(net: nn.Module, features: Features, target: Target) {
    this.net = net
    this.features = features
    this.target = target
    this.#predict = compile((x: Tensor) => noGrad(() => this.answer(net.forward(x))))
    this.#embed = compile((x: Tensor) => noGrad(() => lastHidden(net, x)))
  }

  /** Probabilities of the classes, or the number, of each content. */
  async predict(contents: readonly Content[]): Promise<Rows> {
    return this.#overContents(contents, this.#predict)
  }

  /** What the last linear layer of the network is given: where the network sees likeness. */
  async embed(contents: readonly Content[]): Promise<Rows> {
    return this.#overContents(contents, this.#embed)
  }

  /** Whether the network has dropout, so that `sample` gives different answers. */
  get hasDropout(): boolean {
    return dropouts(this.net).length > 0
  }

  /**
   * Predictions with dropout on: how they differ tells how uncertain the network is about its own weights (Gal and
   * Ghahramani, "Dropout as a Bayesian approximation", 2016). The default generator's state stays as it was.
   */
  async sample(contents: readonly Content[], times: number, { seed = 1 } = {}): Promise<Rows[]> {
    const generator = defaultGenerator()
    const before = [generator.key.clone(), generator.draws.clone()] as const
    const samples: Rows[] = []
    try {
      manualSeed(seed)
      for (let i = 0; i < times; i++) samples.push(await this.#overContents(contents, this.#predict, true))
    } finally {
      generator.key.copy_(before[0])
      generator.draws.copy_(before[1])
    }
    return samples
  }

  /** As `predict`, for inputs that are encoded already. */
  predictEncoded(read: (places: Int32Array) => data.RawArray, count: number): Rows {
    return this.#overPlaces(read, count, this.#predict)
  }

  /** As `embed`, for inputs that are encoded already. */
  embedEncoded(read: (places: Int32Array) => data.RawArray, count: number): Rows {
    return this.#overPlaces(read, count, this.#embed)
  }

  /** Probabilities of the classes, or the number in its own unit, from what the network gives. */
  answer(output: Tensor): Tensor {
    if (this.target.task === 'class') return output.softmax(1)
    const { center, scale } = this.target
    return output.mul(scale).add(center)
  }

  async #overContents(contents: readonly Content[], run: Compiled<[Tensor], Tensor>, dropout = false): Promise<Rows> {
    const parts: Rows[] = []
    for (let at = 0; at < contents.length; at += BATCH)
      parts.push(this.#batch(await this.features.encode(contents.slice(at, at + BATCH)), run, dropout))
    return joined(parts, outputsOf(this.target))
  }

  #overPlaces(read: (places: Int32Array) => data.RawArray, count: number, run: Compiled<[Tensor], Tensor>): Rows {
    const parts: Rows[] = []
    for (let at = 0; at < count; at += BATCH) {
      const places = Int32Array.from({ length: Math.min(BATCH, count - at) }, (_, i) => at + i)
      parts.push(this.#batch(read(places), run, false))
    }
    return joined(parts, outputsOf(this.target))
  }

  #batch({ shape: [count = 0, ...inner], values }: data.RawArray, run: Compiled<[Tensor], Tensor>, dropout: boolean) {
    const size = Math.min(BATCH, 2 ** Math.ceil(Math.log2(Math.max(1, count))))
    const room = inner.reduce((a, b) => a * b, size)
    const filled = values instanceof Int32Array ? new Int32Array(room) : new Float32Array(room)
    filled.set(values)
    const before = this.net.training
    this.net.eval()
    if (dropout) for (const layer of dropouts(this.net)) layer.train()
    try {
      const output = run(tensor(filled, { shape: [size, ...inner] }))
      const width = output.size / size
      return { count, width, values: (output.data() as Float32Array).slice(0, count * width) }
    } finally {
      this.net.train(before)
    }
  }
}

function dropouts(net: nn.Module): nn.AnyModule[] {
  const kinds = [nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout]
  return net.modules().filter((layer) => kinds.some((kind) => layer instanceof kind && layer.p > 0))
}

/** What goes into the last linear layer, or where there is none, what the network gives; flat, [N, width]. */
function lastHidden(net: nn.Module, x: Tensor): Tensor {
  const last = net.modules().findLast((layer) => layer instanceof nn.Linear)
  if (!last) return net.forward(x).flatten(1)
  let hidden: Tensor | null = null
  // The layer is listened to while the network computes; afterwards it is as its class made it.
  const listening = (input: Tensor): Tensor => {
    hidden = input
    return nn.Linear.prototype.forward.call(last, input)
  }
  Object.defineProperty(last, 'forward', { value: listening, configurable: true })
  try {
    const output = net.forward(x)
    return (hidden ?? output).flatten(1)
  } finally {
    delete (last as Partial<nn.Linear>).forward
  }
}

function joined(parts: readonly Rows[], width: number): Rows {
  const count = parts.reduce((sum, part) => sum + part.count, 0)
  const wide = parts[0]?.width ?? width
  const values = new Float32Array(count * wide)
  let at = 0
  for (const part of parts) {
    values.set(part.values, at)
    at += part.values.length
  }
  return { count, width: wide, values }
}
