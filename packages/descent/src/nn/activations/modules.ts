/**
 * The activations as layers, for Sequential: each is the function of the same name, with its options fixed. Formulas
 * and sources stand there.
 */
import { full } from '../../create.ts'
import type { Tensor } from '../../tensor.ts'
import { Module, parameter } from '../module.ts'
import * as F from './functions.ts'

/** A layer without parameters that computes a function. */
function layer<Options extends readonly unknown[] = []>(fn: (x: Tensor, ...options: Options) => Tensor) {
  return class Layer extends Module {
    readonly #options: Options

    constructor(...options: Options) {
      super()
      this.record(Layer, options)
      this.#options = options
    }

    override forward(x: Tensor): Tensor {
      return fn(x, ...this.#options)
    }
  }
}

/** Nothing learns through it: see `heaviside`. */
export class Heaviside extends layer(F.heaviside) {}
export class Sigmoid extends layer(F.sigmoid) {}
export class Tanh extends layer(F.tanh) {}
export class Softsign extends layer(F.softsign) {}
export class Hardtanh extends layer<[min?: number, max?: number]>(F.hardtanh) {}
export class ReLU6 extends layer(F.relu6) {}
export class Hardsigmoid extends layer(F.hardsigmoid) {}
export class Tanhshrink extends layer(F.tanhshrink) {}
export class LogSigmoid extends layer(F.logSigmoid) {}
export class ReLU extends layer(F.relu) {}
export class LeakyReLU extends layer<[slope?: number]>(F.leakyRelu) {}
export class ELU extends layer<[alpha?: number]>(F.elu) {}
export class SELU extends layer(F.selu) {}
export class CELU extends layer<[alpha?: number]>(F.celu) {}
export class Softplus extends layer<[beta?: number, threshold?: number]>(F.softplus) {}
export class Threshold extends layer<[threshold: number, value: number]>(F.threshold) {}
export class Softshrink extends layer<[lambda?: number]>(F.softshrink) {}
export class Hardshrink extends layer<[lambda?: number]>(F.hardshrink) {}
export class GELU extends layer<[approximate?: 'none' | 'tanh']>(F.gelu) {}
export class SiLU extends layer(F.silu) {}
export class Mish extends layer(F.mish) {}
export class Hardswish extends layer(F.hardswish) {}
export class GLU extends layer<[dim?: number]>(F.glu) {}
export class Softmax extends layer<[dim: number]>(F.softmax) {}
export class LogSoftmax extends layer<[dim: number]>(F.logSoftmax) {}
export class Softmin extends layer<[dim: number]>(F.softmin) {}

/** `prelu` with a learned weight [channels], at first 0.25. */
export class PReLU extends Module {
  readonly weight: Tensor

  constructor(channels = 1, first = 0.25) {
    super()
    this.record(PReLU, [channels, first])
    this.weight = parameter(full([channels], first))
  }

  override forward(x: Tensor): Tensor {
    return F.prelu(x, this.weight)
  }
}
