/** The losses of `losses.json` that exist, called as a user calls them. */
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  crossEntropy,
  mseLoss,
  type nn,
  type Tensor,
} from '../src/index.ts'
import type { Args } from './cases.ts'
import type { Inputs, Operations } from './operation.ts'

function reductionOf(args: Args): nn.Reduction {
  const reduction = args.text('reduction', 'mean')
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') throw new Error(`no reduction ${reduction}`)
  return reduction
}

const input = (inputs: Inputs): Tensor => inputs.input as Tensor
const target = (inputs: Inputs): Tensor => inputs.target as Tensor
const weight = (inputs: Inputs): { weight?: Tensor } => (inputs.weight ? { weight: inputs.weight } : {})

export const lossOperations: Operations = {
  mse: (inputs, args) => mseLoss(input(inputs), target(inputs), { reduction: reductionOf(args) }),
  binary_cross_entropy: (inputs, args) =>
    binaryCrossEntropy(input(inputs), target(inputs), { ...weight(inputs), reduction: reductionOf(args) }),
  binary_cross_entropy_with_logits: (inputs, args) =>
    binaryCrossEntropyWithLogits(input(inputs), target(inputs), {
      ...weight(inputs),
      ...(inputs.pos_weight ? { positiveWeight: inputs.pos_weight } : {}),
      reduction: reductionOf(args),
    }),
  cross_entropy: (inputs, args) =>
    crossEntropy(input(inputs), target(inputs), {
      ...weight(inputs),
      labelSmoothing: args.number('label_smoothing', 0),
      reduction: reductionOf(args),
    }),
}
