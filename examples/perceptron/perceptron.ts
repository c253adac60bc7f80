/** The perceptron of 1958: a step unit, and the rule by which it learns from its mistakes. */
import { compile, heaviside, type Tensor, zeros } from 'descent'

export class Perceptron {
  /** [inputs] */
  readonly weight: Tensor
  /** [] */
  readonly bias: Tensor
  readonly #see: (x: Tensor, y: Tensor) => Tensor

  constructor(inputs: number) {
    this.weight = zeros([inputs])
    this.bias = zeros([])
    this.#see = compile((x, y) => {
      const error = y.sub(this.forward(x))
      this.weight.copy_(this.weight.add(x.mul(error)))
      this.bias.copy_(this.bias.add(error))
      return error
    })
  }

  /** 1 where w·x + b ≥ 0, else 0: x [..., inputs] → [...]. */
  forward(x: Tensor): Tensor {
    return heaviside(x.mul(this.weight).sum(-1).add(this.bias))
  }

  /**
   * Shows it every example once, x [N, inputs], y [N] of 0 and 1: after a mistake w ← w + (y − ŷ)·x and b ← b + y − ŷ.
   * Returns the number of mistakes. Where a plane separates the classes, mistakes end (Rosenblatt, 1958; Novikoff's
   * proof, 1962); where none does, they never do.
   */
  epoch(x: Tensor, y: Tensor): number {
    let mistakes = 0
    for (let i = 0; i < y.size; i++) if (this.#see(x.slice(i), y.slice(i)).item() !== 0) mistakes++
    return mistakes
  }
}
