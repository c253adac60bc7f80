/**
 * Module: a part of a network with parameters, buffers and a mode. What a module consists of is what stands in its
 * properties: tensors marked by `parameter` or `buffer`, other modules, and arrays of modules. Their names in the
 * state dict are the properties' in snake_case, as PyTorch writes them: `runningMean` is 'running_mean'.
 */
import { noGrad } from '../autograd.ts'
import type { Tensor } from '../tensor.ts'
import { guard } from '../trace.ts'
import { loadInto, type StateDict } from './state-dict.ts'

/** Any module, whatever its `forward` takes and gives. */
export type AnyModule = Module<never[], unknown>

/** The arguments of a constructor, and the class that it belongs to. */
export interface Construction {
  readonly owner: abstract new (...args: never[]) => unknown
  readonly args: readonly unknown[]
}

const roles = new WeakMap<Tensor, 'parameter' | 'buffer'>()

/** Marks a tensor as learned: it requires gradients, and optimizers and state dicts find it. Returns the tensor. */
export function parameter(values: Tensor): Tensor {
  roles.set(values, 'parameter')
  return values.requiresGrad_()
}

/** Marks a tensor as part of a module's state that is not learned, running statistics for instance. */
export function buffer(values: Tensor): Tensor {
  roles.set(values, 'buffer')
  return values
}

/**
 * The base of every layer and network. A subclass sets its parts as properties and writes `forward`.
 *
 * @example
 * ```ts
 * import { nn, ones, type Tensor } from 'descent'
 * class Twice extends nn.Module {
 *   readonly inner = new nn.Linear(3, 3)
 *   override forward(x: Tensor) {
 *     return this.inner.forward(this.inner.forward(x))
 *   }
 * }
 * const net = new Twice()
 * console.log(net.forward(ones([2, 3])).shape) // → [ 2, 3 ]
 * console.log(Object.keys(net.stateDict())) // → [ 'inner.weight', 'inner.bias' ]
 * ```
 */
export abstract class Module<Inputs extends readonly unknown[] = [Tensor], Output = Tensor> {
  #mode = true
  readonly #readMode = () => this.#mode
  #construction: Construction | null = null

  /** What the module computes. */
  abstract forward(...inputs: Inputs): Output

  /**
   * Notes what a constructor was given, so that `saveModel` can write it down and `loadModel` make the same again: to be
   * called by every constructor that takes arguments, with its own class, `this.record(Linear, [inputs, outputs])`.
   */
  protected record(owner: Construction['owner'], args: readonly unknown[]): void {
    this.#construction = { owner, args }
  }

  /** What was noted by `record` last; null where nothing was. */
  get construction(): Construction | null {
    return this.#construction
  }

  /** Whether the module trains (dropout drops, batch normalisation uses the batch) or is used. */
  get training(): boolean {
    return guard(this.#readMode)
  }

  /** Sets this module and all inside of it to training, or with `false` to use. */
  train(on = true): this {
    for (const module of this.modules()) module.#mode = on
    return this
  }

  /** Sets this module and all inside of it to use: dropout passes everything, normalisation takes its running statistics. */
  eval(): this {
    return this.train(false)
  }

  /** The parts by name; a class whose names are not those of its properties overrides it. */
  protected parts(): Iterable<readonly [string, unknown]> {
    return Object.entries(this)
  }

  /** The modules directly inside, by name. */
  *namedChildren(): Generator<[string, AnyModule]> {
    for (const [name, value] of this.parts()) {
      if (value instanceof Module) yield [snakeCase(name), value]
      else if (Array.isArray(value)) {
        for (const [i, item] of value.entries()) if (item instanceof Module) yield [`${snakeCase(name)}.${i}`, item]
      }
    }
  }

  /** The modules directly inside. */
  children(): AnyModule[] {
    return Array.from(this.namedChildren(), ([, child]) => child)
  }

  /** This module and all inside of it, outer ones first, each once. */
  modules(): AnyModule[] {
    const found = new Set<AnyModule>()
    const visit = (module: AnyModule): void => {
      if (found.has(module)) return
      found.add(module)
      for (const child of module.children()) visit(child)
    }
    visit(this)
    return [...found]
  }

  /** Parameters and buffers by their names in the state dict; one that is used twice stands under both names. */
  *#tensors(prefix: string): Generator<[string, Tensor]> {
    for (const [name, value] of this.parts()) {
      if (roles.has(value as Tensor)) yield [prefix + snakeCase(name), value as Tensor]
    }
    for (const [name, child] of this.namedChildren()) yield* child.#tensors(`${prefix}${name}.`)
  }

  /** The learned tensors by name, each once. */
  namedParameters(): [string, Tensor][] {
    const found = new Map<Tensor, string>()
    for (const [name, value] of this.#tensors('')) {
      if (roles.get(value) === 'parameter' && !found.has(value)) found.set(value, name)
    }
    return Array.from(found, ([value, name]) => [name, value])
  }

  /** The learned tensors, each once: what an optimizer takes. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, value]) => value)
  }

  /** The state that is not learned. */
  buffers(): Tensor[] {
    return [...new Set(Array.from(this.#tensors(''), ([, value]) => value))].filter((x) => roles.get(x) === 'buffer')
  }

  /** All parameters and buffers by name. They share their values with the module: `clone()` what must stay. */
  stateDict(): StateDict {
    return Object.fromEntries(Array.from(this.#tensors(''), ([name, value]) => [name, value.detach()]))
  }

  /**
   * Takes over the values of a state dict. Throws StateDictError, before anything is changed, where a tensor has
   * another shape or, unless `strict` is false, where one is missing or unknown. PyTorch's `num_batches_tracked` is
   * passed over.
   */
  loadStateDict(state: StateDict, options: { readonly strict?: boolean } = {}): this {
    noGrad(() => loadInto(new Map(this.#tensors('')), state, options.strict ?? true))
    return this
  }

  /** Calls `fn` with every module inside and then with this one. */
  apply(fn: (module: AnyModule) => void): this {
    for (const module of this.modules().reverse()) fn(module)
    return this
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const value of this.parameters()) value.grad = null
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter, at: number) => `${at > 0 ? '_' : ''}${letter.toLowerCase()}`)
}
