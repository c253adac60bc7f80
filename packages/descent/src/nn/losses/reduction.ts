/** What a loss makes of its elements: each one, their mean or their sum. */
import type { Tensor } from '../../tensor.ts'

/** Whether a loss gives its elements, their mean or their sum. */
export type Reduction = 'none' | 'mean' | 'sum'

/** What all losses take. */
export interface ReductionOptions {
  /** Default 'mean'. */
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
  }
}
