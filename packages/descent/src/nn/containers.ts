/** Layers that hold or pass on, and compute nothing. */
import type { Tensor } from '../tensor.ts'
import { type AnyModule, Module } from './module.ts'

/**
 * Gives back its input. Source: torch.nn.Identity.
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'descent'
 * console.log(new nn.Identity().forward(tensor([1, 2])).toArray()) // → [ 1, 2 ]
 * ```
 */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x
  }
}

/**
 * One dimension as several: [N, 48] → [N, 3, 4, 4] for `new nn.Unflatten(1, [3, 4, 4])`. Throws ShapeError where the
 * extents do not multiply to that of the dimension. Source: torch.nn.Unflatten.
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'descent'
 * console.log(new nn.Unflatten(1, [3, 4, 4]).forward(zeros([2, 48])).shape) // → [ 2, 3, 4, 4 ]
 * ```
 */
export class Unflatten extends Module {
  readonly #dim: number
  readonly #shape: readonly number[]

  constructor(dim: number, shape: readonly number[]) {
    super()
    this.record(Unflatten, [dim, shape])
    this.#dim = dim
    this.#shape = shape
  }

  override forward(x: Tensor): Tensor {
    const dim = this.#dim < 0 ? this.#dim + x.ndim : this.#dim
    return x.reshape([...x.shape.slice(0, dim), ...this.#shape, ...x.shape.slice(dim + 1)])
  }
}

/**
 * Modules in a list, of which the network that holds it makes what it likes; it has no forward of its own (Error).
 * Names in the state dict begin with the module's number: '0.weight'. Source: torch.nn.ModuleList.
 *
 * @example
 * ```ts
 * import { nn, ones, type Tensor } from 'descent'
 * class Deep extends nn.Module {
 *   readonly layers = new nn.ModuleList([1, 2, 3].map(() => new nn.Linear(4, 4)))
 *   override forward(x: Tensor) {
 *     return this.layers.items.reduce((y, layer) => layer.forward(y).relu(), x)
 *   }
 * }
 * console.log(Object.keys(new Deep().stateDict())[0]) // → layers.0.weight
 * ```
 */
export class ModuleList<M extends AnyModule = Module> extends Module<never[], never> {
  readonly items: readonly M[]

  constructor(items: Iterable<M> = []) {
    super()
    this.items = [...items]
    this.record(ModuleList, [this.items])
  }

  protected override parts(): Iterable<readonly [string, unknown]> {
    return this.items.map((item, i) => [String(i), item] as const)
  }

  /** How many modules it holds. */
  get length(): number {
    return this.items.length
  }

  [Symbol.iterator](): Iterator<M> {
    return this.items[Symbol.iterator]()
  }

  override forward(): never {
    throw new Error('A ModuleList has no forward: call its modules one by one, or use nn.Sequential.')
  }
}
