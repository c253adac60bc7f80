/** What the layers of transformers share: options, and the two steps of the feed-forward part. */
import type { Generator } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import { gelu, relu } from '../activations/functions.ts'
import { Dropout } from '../dropout.ts'
import { LayerNorm } from '../layer-norm.ts'
import { Linear } from '../linear.ts'
import { Module } from '../module.ts'
import type { AttendOptions, MultiheadAttention } from './multihead-attention.ts'

export interface TransformerLayerOptions {
  /** The width of the inner layer. Default 2048. */
  readonly dimFeedforward?: number
  /** Default 0.1. */
  readonly dropout?: number
  /** Default 'relu'. */
  readonly activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor)
  /** Default 1e-5. */
  readonly layerNormEps?: number
  /** Whether inputs are [N, L, E] rather than [L, N, E]. Default false. */
  readonly batchFirst?: boolean
  /** Normalise before attention and feed-forward, rather than after. Default false. */
  readonly normFirst?: boolean
  /** Default true. */
  readonly bias?: boolean
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

export abstract class TransformerLayer<Inputs extends readonly unknown[]> extends Module<Inputs> {
  readonly linear1: Linear
  readonly linear2: Linear
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly dropout: Dropout
  protected readonly normFirst: boolean
  readonly #activation: (x: Tensor) => Tensor

  constructor(width: number, options: TransformerLayerOptions) {
    super()
    const { dimFeedforward = 2048, activation = 'relu' } = options
    this.linear1 = new Linear(width, dimFeedforward, options)
    this.linear2 = new Linear(dimFeedforward, width, options)
    this.norm1 = this.newNorm(width, options)
    this.norm2 = this.newNorm(width, options)
    this.normFirst = options.normFirst ?? false
    this.#activation = activation === 'relu' ? relu : activation === 'gelu' ? gelu : activation
    this.dropout = new Dropout(options.dropout ?? 0.1, options.generator ? { generator: options.generator } : {})
  }

  protected newNorm(width: number, options: TransformerLayerOptions): LayerNorm {
    return new LayerNorm(width, { eps: options.layerNormEps ?? 1e-5, bias: options.bias ?? true })
  }

  /** x and what `part` makes of it, normalised before or after. */
  protected residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.normFirst ? x.add(this.drop(part(norm.forward(x)))) : norm.forward(x.add(this.drop(part(x))))
  }

  protected attend(attention: MultiheadAttention, x: Tensor, memory: Tensor, options: AttendOptions): Tensor {
    return attention.forward(x, memory, memory, { ...options, needWeights: false })[0]
  }

  protected feedForward(x: Tensor): Tensor {
    return this.linear2.forward(this.drop(this.#activation(this.linear1.forward(x))))
  }

  protected drop(x: Tensor): Tensor {
    return this.dropout.forward(x)
  }
}
