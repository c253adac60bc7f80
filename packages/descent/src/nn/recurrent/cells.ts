/** One step of a recurrent layer, to be called by hand: RNNCell, LSTMCell, GRUCell. */
import { zeros } from '../../create.ts'
import { ShapeError } from '../../errors.ts'
import { shapeText } from '../../ops/op.ts'
import type { Generator } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import * as init from '../init.ts'
import { Module, parameter } from '../module.ts'
import { gru, lstm, plain, type Rule } from './rules.ts'

export interface CellOptions {
  /** Default true. */
  readonly bias?: boolean
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

export abstract class Cell<State> extends Module<[x: Tensor, state?: State | null], State> {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly weightIh: Tensor
  readonly weightHh: Tensor
  readonly biasIh: Tensor | null
  readonly biasHh: Tensor | null
  readonly #rule: Rule

  constructor(rule: Rule, inputSize: number, hiddenSize: number, options: CellOptions) {
    super()
    this.#rule = rule
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    const rows = rule.gates * hiddenSize
    const bound = 1 / Math.sqrt(hiddenSize)
    const make = (shape: readonly number[]): Tensor => parameter(init.uniform(zeros(shape), -bound, bound, options))
    this.weightIh = make([rows, inputSize])
    this.weightHh = make([rows, hiddenSize])
    this.biasIh = options.bias === false ? null : make([rows])
    this.biasHh = options.bias === false ? null : make([rows])
  }

  protected step(x: Tensor, given: readonly Tensor[] | null): readonly Tensor[] {
    const { inputSize, hiddenSize, biasIh, biasHh } = this
    const name = `${this.#rule.name}Cell`
    if ((x.ndim !== 1 && x.ndim !== 2) || x.shape.at(-1) !== inputSize)
      throw new ShapeError(`${name}: takes [N, ${inputSize}] or [${inputSize}], got ${shapeText(x.shape)}.`)
    const shape = [...x.shape.slice(0, -1), hiddenSize]
    for (const state of given ?? []) {
      if (String(state.shape) !== String(shape))
        throw new ShapeError(`${name}: the state is ${shapeText(state.shape)} instead of ${shapeText(shape)}.`)
    }
    const rows = (tensor: Tensor): Tensor => (x.ndim === 1 ? tensor.unsqueeze(0) : tensor)
    const zero = given ? null : x.operand(0).expand(shape)
    const states = Array.from({ length: this.#rule.states }, (_, i) => rows(given?.[i] ?? (zero as Tensor)))
    const input = rows(x).matmul(this.weightIh.t())
    const product = (states[0] as Tensor).matmul(this.weightHh.t())
    const made = this.#rule.step(biasIh ? input.add(biasIh) : input, biasHh ? product.add(biasHh) : product, states)
    return x.ndim === 1 ? made.states.map((state) => state.squeeze(0)) : made.states
  }
}

/**
 * h′ = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it: x [N, I], h [N, H] (zero without it) → [N, H]; or without N. Throws
 * ShapeError where shapes do not fit. Source: torch.nn.RNNCell.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const cell = new nn.RNNCell(3, 4)
 * console.log(cell.forward(ones([2, 3]), cell.forward(ones([2, 3]))).shape) // → [ 2, 4 ]
 * ```
 */
export class RNNCell extends Cell<Tensor> {
  constructor(
    inputSize: number,
    hiddenSize: number,
    options: CellOptions & { readonly nonlinearity?: 'tanh' | 'relu' } = {},
  ) {
    super(plain(options.nonlinearity ?? 'tanh'), inputSize, hiddenSize, options)
    this.record(RNNCell, [inputSize, hiddenSize, options])
  }

  override forward(x: Tensor, state: Tensor | null = null): Tensor {
    return this.step(x, state && [state])[0] as Tensor
  }
}

/**
 * One step of `GRU`: x [N, I], h [N, H] (zero without it) → [N, H]; or without N. Throws ShapeError where shapes do not fit.
 * Source: torch.nn.GRUCell.
 */
export class GRUCell extends Cell<Tensor> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(gru, inputSize, hiddenSize, options)
    this.record(GRUCell, [inputSize, hiddenSize, options])
  }

  override forward(x: Tensor, state: Tensor | null = null): Tensor {
    return this.step(x, state && [state])[0] as Tensor
  }
}

/**
 * One step of `LSTM`: x [N, I] and [h, c], each [N, H] (zero without them) → [h, c]; or without N. Throws ShapeError where shapes
 * do not fit. Source: torch.nn.LSTMCell.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const [h, c] = new nn.LSTMCell(3, 4).forward(ones([2, 3]))
 * console.log(h.shape, c.shape) // → [ 2, 4 ] [ 2, 4 ]
 * ```
 */
export class LSTMCell extends Cell<readonly [h: Tensor, c: Tensor]> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(lstm, inputSize, hiddenSize, options)
    this.record(LSTMCell, [inputSize, hiddenSize, options])
  }

  override forward(x: Tensor, state: readonly [h: Tensor, c: Tensor] | null = null): readonly [h: Tensor, c: Tensor] {
    return this.step(x, state) as readonly [Tensor, Tensor]
  }
}
