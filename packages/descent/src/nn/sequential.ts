/** Layers one after the other. */
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'

/**
 * Hands its input through the layers in order. Names in the state dict begin with the layer's number: '0.weight'.
 * Source: torch.nn.Sequential.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2))
 * console.log(net.forward(zeros([5, 4])).shape) // → [ 5, 2 ]
 * console.log(Object.keys(net.stateDict())) // → [ '0.weight', '0.bias', '2.weight', '2.bias' ]
 * ```
 */
export class Sequential extends Module {
  readonly layers: readonly Module[]

  constructor(...layers: readonly Module[]) {
    super()
    this.record(Sequential, layers)
    this.layers = layers
  }

  protected override parts(): Iterable<readonly [string, unknown]> {
    return this.layers.map((layer, i) => [String(i), layer] as const)
  }

  override forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), x)
  }
}
