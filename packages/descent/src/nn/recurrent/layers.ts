/** RNN, LSTM and GRU. */
import type { Tensor } from '../../tensor.ts'
import { Recurrent, type RecurrentOptions } from './layer.ts'
import { gru, lstm, plain } from './rules.ts'

export type { RecurrentOptions }

export interface LSTMOptions extends RecurrentOptions {
  /** P, less than the hidden size: h is projected to so many elements. Default 0, for no projection. */
  readonly projSize?: number
}

export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu'
}

/**
 * The plain recurrent layer: h_t = tanh(W_ih x_t + b_ih + W_hh h_(t−1) + b_hh), or relu of it. x [T, N, I] (`batchFirst`:
 * [N, T, I]; or [T, I]) and the first state [layers · directions, N, H] (zero without it) give the output [T, N, directions · H]
 * of the last layer and the last state. All steps are one compiled loop. First values are uniform in ±1/√H.
 * Throws ShapeError where shapes do not fit or T is 0. Source: Elman, "Finding structure in time", 1990; torch.nn.RNN.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const rnn = new nn.RNN(3, 4, { numLayers: 2 })
 * const [output, state] = rnn.forward(ones([5, 2, 3]))
 * console.log(output.shape, state.shape) // → [ 5, 2, 4 ] [ 2, 2, 4 ]
 * ```
 */
export class RNN extends Recurrent<Tensor> {
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    super(plain(options.nonlinearity ?? 'tanh'), inputSize, hiddenSize, options)
    this.record(RNN, [inputSize, hiddenSize, options])
  }

  override forward(x: Tensor, state: Tensor | null = null): [output: Tensor, state: Tensor] {
    const { output, states } = this.run(x, state && [state])
    return [output, states[0] as Tensor]
  }
}

/**
 * The gated recurrent unit: r, z = σ(W_ih x_t + b_ih + W_hh h_(t−1) + b_hh), n = tanh(W_in x_t + b_in + r ⊙ (W_hn h_(t−1) + b_hn)),
 * h_t = (1 − z) ⊙ n + z ⊙ h_(t−1). Shapes, options and errors are those of `RNN`. Weights hold r, z, n one below the other.
 * Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014; torch.nn.GRU.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const gru = new nn.GRU(3, 4, { bidirectional: true, batchFirst: true })
 * const [output, state] = gru.forward(ones([2, 5, 3]))
 * console.log(output.shape, state.shape) // → [ 2, 5, 8 ] [ 2, 2, 4 ]
 * ```
 */
export class GRU extends Recurrent<Tensor> {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(gru, inputSize, hiddenSize, options)
    this.record(GRU, [inputSize, hiddenSize, options])
  }

  override forward(x: Tensor, state: Tensor | null = null): [output: Tensor, state: Tensor] {
    const { output, states } = this.run(x, state && [state])
    return [output, states[0] as Tensor]
  }
}

/**
 * Long short-term memory: i, f, o = σ(W_ih x_t + b_ih + W_hh h_(t−1) + b_hh), g = tanh(the same), c_t = f ⊙ c_(t−1) + i ⊙ g,
 * h_t = o ⊙ tanh(c_t). The state is [h, c], each [layers · directions, N, H]; shapes, options and errors are those of `RNN`.
 * Weights hold i, f, g, o one below the other. With `projSize` P, h_t = W_hr (o ⊙ tanh(c_t)): h, and with it each direction's output
 * and what W_hh [4H, P] takes, has P elements, c still H; W_hr [P, H] is `weight_hr_l0` and so on. Throws RangeError for a P that is
 * not below H. Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Sak et al., "Long short-term memory based
 * recurrent neural network architectures for large vocabulary speech recognition", 2014; torch.nn.LSTM.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * const lstm = new nn.LSTM(3, 4)
 * const [output, [h, c]] = lstm.forward(ones([5, 2, 3]))
 * console.log(output.shape, h.shape, c.shape) // → [ 5, 2, 4 ] [ 1, 2, 4 ] [ 1, 2, 4 ]
 * console.log(Object.keys(lstm.stateDict())) // → [ 'weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0' ]
 * ```
 */
export class LSTM extends Recurrent<readonly [h: Tensor, c: Tensor]> {
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    super(lstm, inputSize, hiddenSize, options)
    this.record(LSTM, [inputSize, hiddenSize, options])
  }

  override forward(
    x: Tensor,
    state: readonly [h: Tensor, c: Tensor] | null = null,
  ): [output: Tensor, state: readonly [h: Tensor, c: Tensor]] {
    const { output, states } = this.run(x, state)
    return [output, states as readonly [Tensor, Tensor]]
  }
}
