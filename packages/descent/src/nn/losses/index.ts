/** The losses as functions. */
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type LogitsOptions,
} from './classification.ts'
export type { Reduction, ReductionOptions } from './reduction.ts'
export { mseLoss } from './regression.ts'
