/** Networks: modules, layers, activations, losses, first values. What they compute stands as functions beside `nn`. */
export * from './activations/modules.ts'
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
} from './adaptive-pool.ts'
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions } from './batch-norm.ts'
export { Bilinear } from './bilinear.ts'
export { Identity, ModuleList, Unflatten } from './containers.ts'
export { Conv1d, Conv2d, Conv3d, type ConvOptions } from './conv.ts'
export { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, type ConvTransposeOptions } from './conv-transpose.ts'
export { CosineSimilarity, PairwiseDistance } from './distance.ts'
export { AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d } from './dropout.ts'
export { Embedding, type EmbeddingOptions } from './embedding.ts'
export { Flatten } from './flatten.ts'
export { GroupNorm } from './group-norm.ts'
export * as init from './init.ts'
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, type InstanceNormOptions } from './instance-norm.ts'
export { LayerNorm, type LayerNormOptions, RMSNorm } from './layer-norm.ts'
export { Linear, type LinearOptions } from './linear.ts'
export * from './losses/modules.ts'
export type { Reduction } from './losses/reduction.ts'
export { type AnyModule, buffer, type Construction, Module, parameter } from './module.ts'
export {
  CircularPad2d,
  ConstantPad2d,
  type PaddingMode,
  ReflectionPad2d,
  ReplicationPad2d,
  ZeroPad2d,
} from './padding.ts'
export { PixelShuffle, PixelUnshuffle } from './pixel-shuffle.ts'
export {
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  type AvgPoolOptions,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  type MaxPoolOptions,
} from './pool.ts'
export { type CellOptions, GRUCell, LSTMCell, RNNCell } from './recurrent/cells.ts'
export { GRU, LSTM, type LSTMOptions, type RecurrentOptions, RNN, type RNNOptions } from './recurrent/layers.ts'
export { Sequential } from './sequential.ts'
export type { Sizes } from './sizes.ts'
export { type StateDict, StateDictError } from './state-dict.ts'
export { type Summary, type SummaryRow, summary } from './summary.ts'
export { type DecoderMasks, TransformerDecoder, TransformerDecoderLayer } from './transformer/decoder.ts'
export { type EncoderMasks, TransformerEncoder, TransformerEncoderLayer } from './transformer/encoder.ts'
export type { TransformerLayerOptions } from './transformer/layer.ts'
export {
  type Attended,
  type AttendOptions,
  MultiheadAttention,
  type MultiheadAttentionOptions,
} from './transformer/multihead-attention.ts'
export { PositionalEncoding, RotaryEmbedding } from './transformer/positions.ts'
export { type InterpolateMode, type InterpolateOptions, Upsample } from './upsample.ts'
export type { WindowOptions } from './windows.ts'
