/** From images to rows. */
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'

/**
 * Joins the dimensions from `start` to `end` into one: [N, C, H, W] → [N, C·H·W] as it is made by default.
 * Source: torch.nn.Flatten.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * console.log(new nn.Flatten().forward(zeros([2, 3, 4, 4])).shape) // → [ 2, 48 ]
 * ```
 */
export class Flatten extends Module {
  readonly #start: number
  readonly #end: number

  constructor(start = 1, end = -1) {
    super()
    this.record(Flatten, [start, end])
    this.#start = start
    this.#end = end
  }

  override forward(x: Tensor): Tensor {
    return x.flatten(this.#start, this.#end)
  }
}
