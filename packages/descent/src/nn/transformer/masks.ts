/** Who may look at whom: masks for the scores of attention. */

import { full } from '../../create.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import type { AttendOptions } from './multihead-attention.ts'

/**
 * f32 [size, size]: 0 where query i may look at key j ≤ i, −∞ above. To be added to scores.
 * Source: torch.nn.Transformer.generate_square_subsequent_mask.
 *
 * @example
 * ```ts
 * import { causalMask } from 'descent'
 * console.log(causalMask(2).toArray()) // → [ [ 0, -Infinity ], [ 0, 0 ] ]
 * ```
 */
export function causalMask(size: number): Tensor {
  const mask = full([size, size], Number.NEGATIVE_INFINITY)
  return mask
    .positions([1])
    .gt(mask.positions([0]))
    .where(mask, 0)
}

/** Scores [N, heads, L, S] with the masks on them. */
export function addMask(scores: Tensor, { attnMask, keyPaddingMask, isCausal }: AttendOptions): Tensor {
  const [count, heads, queries, keys] = scores.shape as readonly [number, number, number, number]
  const masked = (x: Tensor, mask: Tensor): Tensor =>
    mask.dtype === 'bool' ? mask.where(Number.NEGATIVE_INFINITY, x) : x.add(mask)
  let result = scores
  if (isCausal) {
    const plain = scores.detach()
    result = plain
      .positions([3])
      .gt(plain.positions([2]))
      .where(Number.NEGATIVE_INFINITY, result)
  }
  if (attnMask) {
    const given = attnMask.shape.join()
    if (given !== `${queries},${keys}` && given !== `${count * heads},${queries},${keys}`) {
      throw new ShapeError(
        `attention: attnMask [${attnMask.shape.join(', ')}] is neither [${queries}, ${keys}] nor [${count * heads}, ${queries}, ${keys}].`,
      )
    }
    result = masked(result, attnMask.ndim === 3 ? attnMask.reshape(scores.shape) : attnMask)
  }
  if (keyPaddingMask) {
    if (keyPaddingMask.shape.join() !== `${count},${keys}`) {
      throw new ShapeError(
        `attention: keyPaddingMask is [${keyPaddingMask.shape.join(', ')}] instead of [${count}, ${keys}].`,
      )
    }
    result = masked(result, keyPaddingMask.reshape([count, 1, 1, keys]))
  }
  return result
}
