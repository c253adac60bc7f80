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
export class Heaviside extends /* @__PURE__ */ layer(F.heaviside) {}
export class Sigmoid extends /* @__PURE__ */ layer(F.sigmoid) {}
export class Tanh extends /* @__PURE__ */ layer(F.tanh) {}
export class Softsign extends /* @__PURE__ */ layer(F.softsign) {}
export class Hardtanh extends /* @__PURE__ */ layer<[min?: number, max?: number]>(F.hardtanh) {}
export class ReLU6 extends /* @__PURE__ */ layer(F.relu6) {}
export class Hardsigmoid extends /* @__PURE__ */ layer(F.hardsigmoid) {}
export class Tanhshrink extends /* @__PURE__ */ layer(F.tanhshrink) {}
export class LogSigmoid extends /* @__PURE__ */ layer(F.logSigmoid) {}
export class ReLU extends /* @__PURE__ */ layer(F.relu) {}
export class LeakyReLU extends /* @__PURE__ */ layer<[slope?: number]>(F.leakyRelu) {}
export class ELU extends /* @__PURE__ */ layer<[alpha?: number]>(F.elu) {}
export class SELU extends /* @__PURE__ */ layer(F.selu) {}
export class CELU extends /* @__PURE__ */ layer<[alpha?: number]>(F.celu) {}
export class Softplus extends /* @__PURE__ */ layer<[beta?: number, threshold?: number]>(F.softplus) {}
export class Threshold extends /* @__PURE__ */ layer<[threshold: number, value: number]>(F.threshold) {}
export class Softshrink extends /* @__PURE__ */ layer<[lambda?: number]>(F.softshrink) {}
export class Hardshrink extends /* @__PURE__ */ layer<[lambda?: number]>(F.hardshrink) {}
export class GELU extends /* @__PURE__ */ layer<[approximate?: 'none' | 'tanh']>(F.gelu) {}
export class SiLU extends /* @__PURE__ */ layer(F.silu) {}
export class Mish extends /* @__PURE__ */ layer(F.mish) {}
export class Hardswish extends /* @__PURE__ */ layer(F.hardswish) {}
export class GLU extends /* @__PURE__ */ layer<[dim?: number]>(F.glu) {}
export class Softmax extends /* @__PURE__ */ layer<[dim: number]>(F.softmax) {}
export class LogSoftmax extends /* @__PURE__ */ layer<[dim: number]>(F.logSoftmax) {}
export class Softmin extends /* @__PURE__ */ layer<[dim: number]>(F.softmin) {}

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
