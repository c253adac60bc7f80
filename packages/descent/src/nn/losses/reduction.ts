/** What a loss makes of its elements: each one, their mean or their sum. */
import type { Tensor } from '../../tensor.ts'

/** Whether a loss gives its elements, their mean or their sum. */
export type Reduction = 'none' | 'mean' | 'sum'

/** What all losses take. */
export interface ReductionOptions {
  /** 'none': each element; 'mean': their mean; 'sum': their sum. Default 'mean'. */
  readonly reduction?: Reduction
}

export function reduced(elements: Tensor, reduction: Reduction = 'mean'): Tensor {
  switch (reduction) {
    case 'none':
      return elements
    case 'mean':
      return elements.mean()
    case 'sum':
      return elements.sum()
    default:
      return unknownReduction(reduction)
  }
}

function unknownReduction(reduction: never): never {
  throw new RangeError(`A loss cannot be reduced by '${reduction}': choose 'none', 'mean' or 'sum'.`)
}
