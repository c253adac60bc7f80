/** Test data: of every module of `nn` one, with arguments other than its defaults, and what goes in. */

import { tensor } from '../create.ts'
import { causalMask, mseLoss, silu } from '../nn/functional.ts'
import * as nn from '../nn/index.ts'
import type { AnyModule } from '../nn/module.ts'
import { Generator, rand, randn } from '../random.ts'

export interface Example {
  readonly make: () => AnyModule
  readonly inputs: readonly unknown[]
}

export const x = rand([4, 6])
const image = randn([2, 4, 6, 6])
const [share, hits] = [rand([4, 3]), tensor([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1]).reshape(4, 3)]
const whole = tensor([0, 2, 1, 1], { dtype: 'i32' })
const sign = tensor([1, -1, 1, -1])
const signal = randn([2, 4, 6])
const volume = randn([2, 4, 4, 4, 4])
const other = rand([4, 3])
const sequence = randn([3, 2, 4])
const memory = randn([5, 2, 4])
const layer = { dimFeedforward: 3, dropout: 0.5, activation: 'gelu', normFirst: true, bias: false } as const
const of = (make: () => AnyModule, ...inputs: readonly unknown[]): Example => ({ make, inputs })
const plain = (make: () => AnyModule): Example => ({ make, inputs: [x.sub(0.5).mul(8)] })

export const examples: Readonly<Record<string, Example>> = {
  AdaptiveAvgPool1d: of(() => new nn.AdaptiveAvgPool1d(4), signal),
  AdaptiveAvgPool2d: of(() => new nn.AdaptiveAvgPool2d([4, 2]), image),
  AdaptiveAvgPool3d: of(() => new nn.AdaptiveAvgPool3d([3, 2, 1]), volume),
  AdaptiveMaxPool1d: of(() => new nn.AdaptiveMaxPool1d(4), signal),
  AdaptiveMaxPool2d: of(() => new nn.AdaptiveMaxPool2d([4, 2]), image),
  AlphaDropout: plain(() => new nn.AlphaDropout(0.25, { generator: new Generator(1) })),
  AvgPool1d: of(() => new nn.AvgPool1d(3, { stride: 2, padding: 1, countIncludePad: false }), signal),
  AvgPool2d: of(() => new nn.AvgPool2d([2, 3], { stride: 1, ceilMode: true }), image),
  AvgPool3d: of(() => new nn.AvgPool3d(2, { divisorOverride: 3 }), volume),
  BCELoss: { make: () => new nn.BCELoss({ reduction: 'sum' }), inputs: [share, hits] },
  BCEWithLogitsLoss: { make: () => new nn.BCEWithLogitsLoss({ reduction: 'sum' }), inputs: [share, hits] },
  BatchNorm1d: plain(() => new nn.BatchNorm1d(6, { eps: 0.5, affine: false })),
  BatchNorm2d: { make: () => new nn.BatchNorm2d(4, { eps: 0.1 }), inputs: [image] },
  BatchNorm3d: of(() => new nn.BatchNorm3d(4, { eps: 0.1, affine: false }), volume),
  Bilinear: of(() => new nn.Bilinear(6, 3, 2, { bias: false }), x, other),
  CELU: plain(() => new nn.CELU(2)),
  CTCLoss: of(
    () => new nn.CTCLoss({ blank: 3, zeroInfinity: true }),
    randn([2, 4, 6]).logSoftmax(2),
    whole.reshape(4, 1),
    tensor(Int32Array.of(2, 1, 2, 2)),
    tensor(Int32Array.of(1, 1, 1, 0)),
  ),
  CircularPad2d: of(() => new nn.CircularPad2d([1, 2, 0, 3]), image),
  ConstantPad2d: of(() => new nn.ConstantPad2d([1, 2, 0, 3], 5), image),
  Conv1d: of(() => new nn.Conv1d(4, 6, 3, { padding: 2, paddingMode: 'circular', dilation: 2 }), signal),
  Conv2d: {
    make: () => new nn.Conv2d(4, 6, [2, 3], { stride: 2, padding: [1, 0], groups: 2, bias: false }),
    inputs: [image],
  },
  Conv3d: of(() => new nn.Conv3d(4, 2, [1, 2, 3], { padding: 'same', groups: 2 }), volume),
  ConvTranspose1d: of(() => new nn.ConvTranspose1d(4, 6, 3, { stride: 2, outputPadding: 1 }), signal),
  ConvTranspose2d: of(() => new nn.ConvTranspose2d(4, 6, [2, 3], { padding: 1, groups: 2, bias: false }), image),
  ConvTranspose3d: of(() => new nn.ConvTranspose3d(4, 2, 2, { dilation: 2 }), volume),
  CosineEmbeddingLoss: of(() => new nn.CosineEmbeddingLoss({ margin: 0.3 }), share, other, sign),
  CosineSimilarity: of(() => new nn.CosineSimilarity({ dim: 0, eps: 0.1 }), share, other),
  CrossEntropyLoss: {
    make: () => new nn.CrossEntropyLoss({ reduction: 'sum', weight: tensor([1, 2, 3]), labelSmoothing: 0.1 }),
    inputs: [share, tensor([0, 1, 2, 1], { dtype: 'i32' })],
  },
  Dropout: plain(() => new nn.Dropout(0.25, { generator: new Generator(1) })),
  Dropout1d: of(() => new nn.Dropout1d(0.25, { generator: new Generator(1) }), signal),
  Dropout2d: of(() => new nn.Dropout2d(0.25), image),
  Dropout3d: of(() => new nn.Dropout3d(0.25), volume),
  ELU: plain(() => new nn.ELU(2)),
  Embedding: of(() => new nn.Embedding(5, 3, { paddingIdx: 1 }), whole),
  Flatten: { make: () => new nn.Flatten(0, 1), inputs: [image] },
  GELU: plain(() => new nn.GELU('tanh')),
  GLU: { make: () => new nn.GLU(1), inputs: [image] },
  GRU: of(() => new nn.GRU(4, 3, { numLayers: 2, bidirectional: true, dropout: 0.5 }), sequence),
  GRUCell: of(() => new nn.GRUCell(6, 3, { bias: false }), x),
  GaussianNLLLoss: of(() => new nn.GaussianNLLLoss({ full: true, eps: 0.1 }), share, other, hits),
  GroupNorm: of(() => new nn.GroupNorm(2, 4, { eps: 0.1, affine: false }), image),
  Hardshrink: plain(() => new nn.Hardshrink(2)),
  Hardsigmoid: plain(() => new nn.Hardsigmoid()),
  Hardswish: plain(() => new nn.Hardswish()),
  Hardtanh: plain(() => new nn.Hardtanh(-2, 3)),
  Heaviside: plain(() => new nn.Heaviside()),
  HingeEmbeddingLoss: of(() => new nn.HingeEmbeddingLoss({ margin: 3 }), x.slice(null, 0), sign),
  HuberLoss: of(() => new nn.HuberLoss({ delta: 0.1 }), share, hits),
  Identity: plain(() => new nn.Identity()),
  InstanceNorm1d: of(() => new nn.InstanceNorm1d(4, { affine: true }), signal),
  InstanceNorm2d: of(() => new nn.InstanceNorm2d(4, { eps: 0.1, trackRunningStats: true, momentum: 0.5 }), image),
  InstanceNorm3d: of(() => new nn.InstanceNorm3d(4, { eps: 0.1 }), volume),
  KLDivLoss: of(() => new nn.KLDivLoss({ reduction: 'batchmean', logTarget: true }), share, other),
  L1HingeEmbeddingLoss: of(() => new nn.L1HingeEmbeddingLoss({ margin: 3 }), share, other, sign),
  L1Loss: of(() => new nn.L1Loss({ reduction: 'none' }), share, hits),
  LSTM: of(() => new nn.LSTM(4, 3, { batchFirst: true, bias: false, projSize: 2 }), sequence),
  LSTMCell: of(() => new nn.LSTMCell(6, 3, { bias: false }), x),
  LayerNorm: of(() => new nn.LayerNorm([6, 6], { eps: 0.1, bias: false }), image),
  LeakyReLU: plain(() => new nn.LeakyReLU(0.3)),
  Linear: plain(() => new nn.Linear(6, 2, { bias: false })),
  LogSigmoid: plain(() => new nn.LogSigmoid()),
  LogSoftmax: plain(() => new nn.LogSoftmax(0)),
  MSELoss: { make: () => new nn.MSELoss({ reduction: 'sum' }), inputs: [share, hits] },
  MarginLoss: of(() => new nn.MarginLoss({ margin: 2 }), share, hits.mul(2).sub(1)),
  MarginRankingLoss: of(() => new nn.MarginRankingLoss({ margin: 0.5 }), share, other, hits.mul(2).sub(1)),
  MaxPool1d: of(() => new nn.MaxPool1d(2, { stride: 1, dilation: 2 }), signal),
  MaxPool2d: { make: () => new nn.MaxPool2d([2, 3], { stride: 1, padding: 1, ceilMode: true }), inputs: [image] },
  MaxPool3d: of(() => new nn.MaxPool3d([1, 2, 3], { stride: 1, padding: [0, 1, 1] }), volume),
  Mish: plain(() => new nn.Mish()),
  ModuleList: of(() => new nn.ModuleList([new nn.Linear(6, 2), new nn.PReLU()])),
  MultiLabelMarginLoss: of(() => new nn.MultiLabelMarginLoss({ reduction: 'sum' }), share, hits.int().sub(1)),
  MultiLabelSoftMarginLoss: of(() => new nn.MultiLabelSoftMarginLoss({ weight: tensor([1, 2, 3]) }), share, hits),
  MultiMarginLoss: of(() => new nn.MultiMarginLoss({ p: 2, margin: 2 }), share, whole),
  MultiOutputLoss: of(
    () => new nn.MultiOutputLoss([new nn.L1Loss(), new nn.MSELoss()], { weights: [1, 3] }),
    [share, other],
    [hits, hits],
  ),
  MultiheadAttention: of(
    () => new nn.MultiheadAttention(4, 2, { kdim: 6, vdim: 3, batchFirst: true, dropout: 0.5 }),
    randn([2, 3, 4]),
    randn([2, 5, 6]),
    randn([2, 5, 3]),
    { isCausal: true },
  ),
  NLLLoss: of(() => new nn.NLLLoss({ ignoreIndex: 1 }), share, whole),
  PReLU: { make: () => new nn.PReLU(4, 0.5), inputs: [image] },
  PairwiseDistance: of(() => new nn.PairwiseDistance({ p: 1, keepdim: true }), share, other),
  PixelShuffle: of(() => new nn.PixelShuffle(2), image),
  PixelUnshuffle: of(() => new nn.PixelUnshuffle(3), image),
  PoissonNLLLoss: of(() => new nn.PoissonNLLLoss({ logInput: false, full: true }), share, hits),
  PositionalEncoding: of(() => new nn.PositionalEncoding(4, { maxLength: 9, batchFirst: false }), sequence),
  RMSNorm: of(() => new nn.RMSNorm(6, { eps: 0.1, elementwiseAffine: false }), x),
  RNN: of(() => new nn.RNN(4, 3, { nonlinearity: 'relu' }), sequence),
  RNNCell: of(() => new nn.RNNCell(6, 3, { nonlinearity: 'relu' }), x),
  ReLU: plain(() => new nn.ReLU()),
  ReLU6: plain(() => new nn.ReLU6()),
  ReflectionPad2d: of(() => new nn.ReflectionPad2d([1, 2, 0, 3]), image),
  ReplicationPad2d: of(() => new nn.ReplicationPad2d([1, 2, 0, 3]), image),
  RotaryEmbedding: of(() => new nn.RotaryEmbedding(100), signal),
  SELU: plain(() => new nn.SELU()),
  Sequential: plain(
    () => new nn.Sequential(new nn.Linear(6, 3), new nn.Sequential(new nn.Tanh(), new nn.Linear(3, 2))),
  ),
  SiLU: plain(() => new nn.SiLU()),
  Sigmoid: plain(() => new nn.Sigmoid()),
  SmoothL1Loss: of(() => new nn.SmoothL1Loss({ beta: 0.1 }), share, hits),
  SoftMarginLoss: of(() => new nn.SoftMarginLoss({ reduction: 'sum' }), share, hits.mul(2).sub(1)),
  Softmax: plain(() => new nn.Softmax(0)),
  Softmin: plain(() => new nn.Softmin(0)),
  Softplus: plain(() => new nn.Softplus(2, 5)),
  Softshrink: plain(() => new nn.Softshrink(2)),
  Softsign: plain(() => new nn.Softsign()),
  Tanh: plain(() => new nn.Tanh()),
  Tanhshrink: plain(() => new nn.Tanhshrink()),
  Threshold: plain(() => new nn.Threshold(1, -3)),
  TransformerDecoder: of(
    () => new nn.TransformerDecoder([new nn.TransformerDecoderLayer(4, 2, layer)], new nn.LayerNorm(4)),
    sequence,
    memory,
    { tgtMask: causalMask(3) },
  ),
  TransformerDecoderLayer: of(
    () => new nn.TransformerDecoderLayer(4, 2, { ...layer, normFirst: false, activation: silu }),
    sequence,
    memory,
  ),
  TransformerEncoder: of(
    () => new nn.TransformerEncoder([1, 2].map(() => new nn.TransformerEncoderLayer(4, 2, layer))),
    sequence,
    { isCausal: true },
  ),
  TransformerEncoderLayer: of(() => new nn.TransformerEncoderLayer(4, 1, { ...layer, batchFirst: true }), sequence),
  TripletMarginLoss: of(() => new nn.TripletMarginLoss({ p: 1, swap: true }), share, other, hits),
  Unflatten: plain(() => new nn.Unflatten(1, [3, 2])),
  Upsample: of(() => new nn.Upsample({ scaleFactor: [1.5, 2], mode: 'bilinear', alignCorners: true }), image),
  WeightedSumLoss: of(() => new nn.WeightedSumLoss([new nn.L1Loss(), mseLoss], { weights: [1, 3] }), share, hits),
  ZeroPad2d: of(() => new nn.ZeroPad2d([1, 2, 0, 3]), image),
}
