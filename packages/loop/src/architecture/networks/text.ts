/** Networks for tokens, i32 [N, L] with 0 after each text's end → [N, outputs]. */
import { cat, nn, type Tensor } from 'descent'

export interface TextConvolutionOptions {
  readonly width: number
  readonly channels: number
  readonly kernels: readonly number[]
  readonly dropout: number
}

/**
 * Convolutions of several widths over token vectors, the largest answer of each channel anywhere in the text, a linear
 * layer (Kim, "Convolutional neural networks for sentence classification", 2014).
 */
export class TextConvolution extends nn.Module {
  readonly embedding: nn.Embedding
  readonly convolutions: readonly nn.Conv1d[]
  readonly dropout: nn.Dropout
  readonly head: nn.Linear

  constructor(vocabulary: number, outputs: number, options: TextConvolutionOptions) {
    super()
    this.record(TextConvolution, [vocabulary, outputs, options])
    const { width, channels, kernels, dropout } = options
    this.embedding = new nn.Embedding(vocabulary, width, { paddingIdx: 0 })
    this.convolutions = kernels.map((kernel) => new nn.Conv1d(width, channels, kernel, { padding: kernel >> 1 }))
    this.dropout = new nn.Dropout(dropout)
    this.head = new nn.Linear(channels * kernels.length, outputs)
  }

  override forward(x: Tensor): Tensor {
    const vectors = this.embedding.forward(x).transpose(1, 2)
    const found = this.convolutions.map((convolution) => convolution.forward(vectors).relu().amax(2))
    return this.head.forward(this.dropout.forward(cat(found, 1)))
  }
}

export interface TextTransformerOptions {
  readonly width: number
  readonly heads: number
  readonly layers: number
  readonly dropout: number
}

/**
 * A transformer's encoder, normalised first (Xiong et al., "On layer normalization in the transformer architecture", 2020),
 * with learned positions, and the mean over the tokens that are there.
 */
export class TextTransformer extends nn.Module {
  readonly embedding: nn.Embedding
  readonly positions: nn.Embedding
  readonly encoder: nn.TransformerEncoder
  readonly dropout: nn.Dropout
  readonly head: nn.Linear

  constructor(vocabulary: number, length: number, outputs: number, options: TextTransformerOptions) {
    super()
    this.record(TextTransformer, [vocabulary, length, outputs, options])
    const { width, heads, layers, dropout } = options
    this.embedding = smaller(new nn.Embedding(vocabulary, width, { paddingIdx: 0 }), width)
    this.positions = smaller(new nn.Embedding(length, width), width)
    const layer = () =>
      new nn.TransformerEncoderLayer(width, heads, {
        dimFeedforward: 4 * width,
        dropout,
        activation: 'gelu',
        batchFirst: true,
        normFirst: true,
      })
    this.encoder = new nn.TransformerEncoder(Array.from({ length: layers }, layer), new nn.LayerNorm(width))
    this.dropout = new nn.Dropout(dropout)
    this.head = new nn.Linear(width, outputs)
  }

  override forward(x: Tensor): Tensor {
    const missing = x.eq(0)
    const vectors = this.embedding.forward(x).add(this.positions.weight)
    const seen = this.encoder.forward(this.dropout.forward(vectors), { srcKeyPaddingMask: missing })
    const there = missing.logicalNot().float().unsqueeze(2)
    const mean = seen.mul(there).sum(1).div(there.sum(1).maximum(1))
    return this.head.forward(mean)
  }
}

/** First values of deviation 1 / √width, so that sums of token and position begin at the scale of one vector's norm. */
function smaller(embedding: nn.Embedding, width: number): nn.Embedding {
  const values = embedding.weight.data() as Float32Array
  embedding.weight.copy_(values.map((value) => value / Math.sqrt(width)))
  return embedding
}
