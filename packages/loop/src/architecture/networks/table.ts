/**
 * A multilayer perceptron on rows: every category column has an embedding of its own beside the numbers (Guo and Berkhahn,
 * "Entity embeddings of categorical variables", 2016). Level 0 of each is the one that training did not have: its vector
 * is 0 at first, so that it says nothing until rare levels teach it something.
 */
import { cat, nn, type Tensor } from 'descent'

export interface PerceptronOptions {
  readonly hidden: readonly number[]
  readonly activation: 'relu' | 'gelu' | 'silu' | 'tanh'
  readonly norm: 'none' | 'batch' | 'layer'
  readonly dropout: number
}

/** How many numbers stand for a level: few levels need few (the rule of fastai's tabular models, capped). */
export function embeddingWidth(levels: number): number {
  return Math.min(50, Math.max(2, Math.round(1.6 * levels ** 0.56)))
}

/** Layers [N, inputs] → [N, outputs]: linear, norm, activation, dropout, … and a last linear one. */
export function perceptron(inputs: number, outputs: number, options: PerceptronOptions): nn.Sequential {
  const { hidden, norm, dropout } = options
  const layers: nn.Module[] = []
  let width = inputs
  for (const next of hidden) {
    layers.push(new nn.Linear(width, next, { bias: norm !== 'batch' }))
    if (norm === 'batch') layers.push(new nn.BatchNorm1d(next))
    if (norm === 'layer') layers.push(new nn.LayerNorm(next))
    layers.push(activation(options.activation))
    if (dropout > 0) layers.push(new nn.Dropout(dropout))
    width = next
  }
  layers.push(new nn.Linear(width, outputs))
  return new nn.Sequential(...layers)
}

function activation(name: PerceptronOptions['activation']): nn.Module {
  switch (name) {
    case 'relu':
      return new nn.ReLU()
    case 'gelu':
      return new nn.GELU()
    case 'silu':
      return new nn.SiLU()
    case 'tanh':
      return new nn.Tanh()
    default:
      return name satisfies never
  }
}

/** f32 [N, numbers + categories] → [N, outputs]. */
export class TableNetwork extends nn.Module {
  readonly embeddings: readonly nn.Embedding[]
  readonly layers: nn.Sequential
  readonly #numbers: number

  constructor(numbers: number, categories: readonly number[], outputs: number, options: PerceptronOptions) {
    super()
    this.record(TableNetwork, [numbers, categories, outputs, options])
    this.#numbers = numbers
    this.embeddings = categories.map((levels) => silentFirst(new nn.Embedding(levels, embeddingWidth(levels))))
    const width = categories.reduce((sum, levels) => sum + embeddingWidth(levels), numbers)
    this.layers = perceptron(width, outputs, options)
  }

  override forward(x: Tensor): Tensor {
    const parts: Tensor[] = this.#numbers > 0 ? [x.slice(null, [0, this.#numbers])] : []
    for (const [i, embedding] of this.embeddings.entries()) {
      parts.push(embedding.forward(x.slice(null, this.#numbers + i).int()))
    }
    return this.layers.forward(parts.length === 1 ? (parts[0] as Tensor) : cat(parts, 1))
  }
}

function silentFirst(embedding: nn.Embedding): nn.Embedding {
  const values = embedding.weight.data() as Float32Array
  values.fill(0, 0, embedding.weight.shape[1] as number)
  embedding.weight.copy_(values)
  return embedding
}
