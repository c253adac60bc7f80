/** The transformer's encoder: layers of attention to the sequence itself, each with a feed-forward part. */
import type { Tensor } from '../../tensor.ts'
import { Module } from '../module.ts'
import { TransformerLayer, type TransformerLayerOptions } from './layer.ts'
import { type AttendOptions, MultiheadAttention } from './multihead-attention.ts'

/** Who may look at whom in an encoder; `mask` is MultiheadAttention's attnMask. */
export interface EncoderMasks {
  readonly mask?: Tensor
  readonly srcKeyPaddingMask?: Tensor
  /** Place i looks at places 0…i alone. Default false. */
  readonly isCausal?: boolean
}

/**
 * x ← norm(x + attention(x, x, x)); x ← norm(x + feedForward(x)), or with `normFirst` x ← x + attention(norm(x)) …:
 * [L, N, E] (with `batchFirst` [N, L, E]) keeps its shape. Throws ShapeError where the width does not fit.
 * Source: Vaswani et al., 2017; torch.nn.TransformerEncoderLayer.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true })
 * console.log(layer.forward(randn([3, 5, 8])).shape) // → [ 3, 5, 8 ]
 * ```
 */
export class TransformerEncoderLayer extends TransformerLayer<[Tensor, EncoderMasks?]> {
  readonly selfAttn: MultiheadAttention

  constructor(width: number, heads: number, options: TransformerLayerOptions = {}) {
    super(width, options)
    this.record(TransformerEncoderLayer, [width, heads, options])
    this.selfAttn = new MultiheadAttention(width, heads, { ...options, dropout: options.dropout ?? 0.1 })
  }

  override forward(x: Tensor, masks: EncoderMasks = {}): Tensor {
    const looking = attending(masks)
    const attended = this.residual(x, this.norm1, (y) => this.attend(this.selfAttn, y, y, looking))
    return this.residual(attended, this.norm2, (y) => this.feedForward(y))
  }
}

function attending({ mask, srcKeyPaddingMask, isCausal }: EncoderMasks): AttendOptions {
  return {
    ...(mask ? { attnMask: mask } : {}),
    ...(srcKeyPaddingMask ? { keyPaddingMask: srcKeyPaddingMask } : {}),
    isCausal: isCausal ?? false,
  }
}

/**
 * Encoder layers one after the other, and a norm at the end where one is given. Names in the
 * state dict: 'layers.0.…', 'norm.…'.
 * Source: torch.nn.TransformerEncoder.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const layers = [1, 2].map(() => new nn.TransformerEncoderLayer(8, 2, { batchFirst: true, dimFeedforward: 16 }))
 * const encoder = new nn.TransformerEncoder(layers, new nn.LayerNorm(8))
 * console.log(encoder.forward(randn([3, 5, 8]), { isCausal: true }).shape) // → [ 3, 5, 8 ]
 * ```
 */
export class TransformerEncoder extends Module<[Tensor, EncoderMasks?]> {
  readonly layers: readonly TransformerEncoderLayer[]
  readonly norm: Module | null

  constructor(layers: readonly TransformerEncoderLayer[], norm: Module | null = null) {
    super()
    this.record(TransformerEncoder, [layers, norm])
    this.layers = layers
    this.norm = norm
  }

  override forward(x: Tensor, masks: EncoderMasks = {}): Tensor {
    const y = this.layers.reduce((value, layer) => layer.forward(value, masks), x)
    return this.norm ? this.norm.forward(y) : y
  }
}
