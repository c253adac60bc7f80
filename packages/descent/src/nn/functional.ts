/** What networks compute, as functions: activations, losses, pooling, attention. */
export * from './activations/functions.ts'
export { type AttentionOptions, scaledDotProductAttention } from './attention.ts'
export * from './losses/index.ts'
export { type MaxPool2dOptions, maxPool2d } from './pool.ts'
