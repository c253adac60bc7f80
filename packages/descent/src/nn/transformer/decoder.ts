/** The transformer's decoder: attention to the sequence itself, then to what an encoder made of another. */
import type { Tensor } from '../../tensor.ts'
import type { LayerNorm } from '../layer-norm.ts'
import { Module } from '../module.ts'
import { TransformerLayer, type TransformerLayerOptions } from './layer.ts'
import { type AttendOptions, MultiheadAttention } from './multihead-attention.ts'

/** Who may look at whom in a decoder: within the target, and from it to the memory. */
export interface DecoderMasks {
  readonly tgtMask?: Tensor
  readonly tgtKeyPaddingMask?: Tensor
  /** Place i of the target looks at its places 0…i alone. Default false. */
  readonly tgtIsCausal?: boolean
  readonly memoryMask?: Tensor
  readonly memoryKeyPaddingMask?: Tensor
}

/**
 * x ← norm(x + attention(x, x, x)); x ← norm(x + attention(x, memory, memory)); x ← norm(x + feedForward(x)), or with
 * `normFirst` each normalised before: x [L, N, E] and memory [S, N, E] (with `batchFirst` [N, L, E] …) → as x. Throws
 * ShapeError where shapes do not fit. Source: Vaswani et al., 2017; torch.nn.TransformerDecoderLayer.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const layer = new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true })
 * console.log(layer.forward(randn([3, 5, 8]), randn([3, 7, 8]), { tgtIsCausal: true }).shape) // → [ 3, 5, 8 ]
 * ```
 */
export class TransformerDecoderLayer extends TransformerLayer<[Tensor, Tensor, DecoderMasks?]> {
  readonly selfAttn: MultiheadAttention
  readonly multiheadAttn: MultiheadAttention
  readonly norm3: LayerNorm

  constructor(width: number, heads: number, options: TransformerLayerOptions = {}) {
    super(width, options)
    this.record(TransformerDecoderLayer, [width, heads, options])
    const own = { ...options, dropout: options.dropout ?? 0.1 }
    this.selfAttn = new MultiheadAttention(width, heads, own)
    this.multiheadAttn = new MultiheadAttention(width, heads, own)
    this.norm3 = this.newNorm(width, options)
  }

  override forward(x: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const itself = attending(masks.tgtMask, masks.tgtKeyPaddingMask, masks.tgtIsCausal ?? false)
    const across = attending(masks.memoryMask, masks.memoryKeyPaddingMask, false)
    const first = this.residual(x, this.norm1, (y) => this.attend(this.selfAttn, y, y, itself))
    const second = this.residual(first, this.norm2, (y) => this.attend(this.multiheadAttn, y, memory, across))
    return this.residual(second, this.norm3, (y) => this.feedForward(y))
  }
}

function attending(attnMask: Tensor | undefined, keyPaddingMask: Tensor | undefined, isCausal: boolean): AttendOptions {
  return { ...(attnMask ? { attnMask } : {}), ...(keyPaddingMask ? { keyPaddingMask } : {}), isCausal }
}

/**
 * Decoder layers one after the other, and a norm at the end where one is given. Names in the state dict:
 * 'layers.0.…', 'norm.…'. Source: torch.nn.TransformerDecoder.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const decoder = new nn.TransformerDecoder([new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16 })])
 * console.log(decoder.forward(randn([5, 3, 8]), randn([7, 3, 8])).shape) // → [ 5, 3, 8 ]
 * ```
 */
export class TransformerDecoder extends Module<[Tensor, Tensor, DecoderMasks?]> {
  readonly layers: readonly TransformerDecoderLayer[]
  readonly norm: Module | null

  constructor(layers: readonly TransformerDecoderLayer[], norm: Module | null = null) {
    super()
    this.record(TransformerDecoder, [layers, norm])
    this.layers = layers
    this.norm = norm
  }

  override forward(x: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const y = this.layers.reduce((value, layer) => layer.forward(value, memory, masks), x)
    return this.norm ? this.norm.forward(y) : y
  }
}
