/** The fully connected layer. */
import { zeros } from '../create.ts'
import { ShapeError } from '../errors.ts'
import type { Generator } from '../random.ts'
import type { Tensor } from '../tensor.ts'
import * as init from './init.ts'
import { Module, parameter } from './module.ts'

export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

/**
 * y = x Wᵀ + b: [..., in] → [..., out], W [out, in], b [out]. First values are uniform in ±1/√in, as in PyTorch.
 * Throws ShapeError where the last extent of the input is not `in`. Source: torch.nn.Linear.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const layer = new nn.Linear(3, 2)
 * console.log(layer.forward(ones([4, 3])).shape) // → [ 4, 2 ]
 * ```
 */
export class Linear extends Module {
  readonly weight: Tensor
  readonly bias: Tensor | null

  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    super()
    this.record(Linear, [inputs, outputs, options])
    this.weight = parameter(init.kaimingUniform(zeros([outputs, inputs]), { ...options, a: Math.sqrt(5) }))
    const bound = 1 / Math.sqrt(inputs)
    this.bias = options.bias === false ? null : parameter(init.uniform(zeros([outputs]), -bound, bound, options))
  }

  override forward(x: Tensor): Tensor {
    const inputs = this.weight.shape[1] as number
    if (x.shape.at(-1) !== inputs) {
      const hint = x.size % inputs === 0 && x.ndim > 2 ? ' Did you forget nn.Flatten() before it?' : ''
      throw new ShapeError(`Linear: takes [..., ${inputs}], got [${x.shape.join(', ')}].${hint}`)
    }
    const product = x.matmul(this.weight.t())
    return this.bias ? product.add(this.bias) : product
  }
}
