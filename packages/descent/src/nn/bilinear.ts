/** The layer that joins two inputs by products of all pairs of their elements. */
import { zeros } from '../create.ts'
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import * as init from './init.ts'
import type { LinearOptions } from './linear.ts'
import { Module, parameter } from './module.ts'

/**
 * y_o = x₁ᵀ W_o x₂ + b_o: [..., in1] and [..., in2] → [..., out], W [out, in1, in2], b [out]. First values are uniform
 * in ±1/√in1. Throws ShapeError where the inputs do not fit. Source: torch.nn.Bilinear.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * console.log(new nn.Bilinear(3, 4, 2).forward(ones([5, 3]), ones([5, 4])).shape) // → [ 5, 2 ]
 * ```
 */
export class Bilinear extends Module<[Tensor, Tensor]> {
  readonly weight: Tensor
  readonly bias: Tensor | null

  constructor(inputs1: number, inputs2: number, outputs: number, options: LinearOptions = {}) {
    super()
    this.record(Bilinear, [inputs1, inputs2, outputs, options])
    const bound = 1 / Math.sqrt(inputs1)
    this.weight = parameter(init.uniform(zeros([outputs, inputs1, inputs2]), -bound, bound, options))
    this.bias = options.bias === false ? null : parameter(init.uniform(zeros([outputs]), -bound, bound, options))
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    const [outputs, first, second] = this.weight.shape as readonly [number, number, number]
    const lead = a.shape.slice(0, -1)
    if (a.shape.at(-1) !== first || b.shape.at(-1) !== second || lead.join() !== b.shape.slice(0, -1).join()) {
      throw new ShapeError(
        `Bilinear: takes [..., ${first}] and [..., ${second}], got [${a.shape.join(', ')}] and [${b.shape.join(', ')}].`,
      )
    }
    // [rows, out·in2], then summed with the second input.
    const rows = a.reshape([-1, first])
    const left = rows.matmul(this.weight.transpose(0, 1).reshape([first, outputs * second]))
    const pairs = left.reshape([-1, outputs, second]).mul(b.reshape([-1, 1, second]))
    const y = pairs.sum(2).reshape([...lead, outputs])
    return this.bias ? y.add(this.bias) : y
  }
}
