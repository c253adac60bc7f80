/** What networks compute, as functions: activations, losses, pooling, attention. */
export * from './activations/functions.ts'
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
} from './adaptive-pool.ts'
export { type AttentionOptions, scaledDotProductAttention } from './attention.ts'
export { cosineSimilarity, normalize, pairwiseDistance } from './distance.ts'
export { dropout } from './dropout.ts'
export { embedding } from './embedding.ts'
export { groupNorm } from './group-norm.ts'
export { layerNorm, rmsNorm } from './layer-norm.ts'
export * from './losses/index.ts'
export { pixelShuffle, pixelUnshuffle } from './pixel-shuffle.ts'
export { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from './pool.ts'
export { causalMask } from './transformer/masks.ts'
export { rotary } from './transformer/positions.ts'
export { interpolate } from './upsample.ts'
