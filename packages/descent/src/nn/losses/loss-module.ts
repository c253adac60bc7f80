/** Losses as modules: a function of this folder with its options fixed. */
import type { Tensor } from '../../tensor.ts'
import { Module } from '../module.ts'

/** A loss in the shape that training takes it: of an output and a target. */
export type LossFunction = (output: Tensor, target: Tensor) => Tensor
/** A loss function, or a module such as `nn.MSELoss` that computes one. */
export type AnyLoss = LossFunction | Module<[Tensor, Tensor]>

/** The class of modules that compute `fn`. */
export function lossModule<Inputs extends readonly unknown[], Options>(
  fn: (...inputs: [...Inputs, options?: Options | undefined]) => Tensor,
) {
  return class LossModule extends Module<Inputs> {
    readonly #options: [options?: Options]

    constructor(...options: [options?: Options]) {
      super()
      this.record(LossModule, options)
      this.#options = options
    }

    override forward(...inputs: Inputs): Tensor {
      return fn(...inputs, ...this.#options)
    }
  }
}

export function asFunction(loss: AnyLoss): LossFunction {
  return typeof loss === 'function' ? loss : (output, target) => loss.forward(output, target)
}
