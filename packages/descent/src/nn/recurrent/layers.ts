/** The recurrent layers: a state that goes along a sequence, step after step, in one compiled loop. */
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { Recurrent, type RecurrentOptions } from './recurrent.ts'

export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu'
}

/**
 * h_t = tanh(x_t W_ihᵀ + b_ih + h_{t−1} W_hhᵀ + b_hh): x [T, N, in] (with `batchFirst` [N, T, in]) and a first state
 * [layers · directions, N, hidden] → [output [T, N, directions · hidden], last states]. All steps are one compiled
 * loop. First values are uniform in ±1/√hidden. Throws ShapeError where shapes do not fit or there is no step. There
 * are no gradients of gradients. Source: Elman, "Finding structure in time", 1990; torch.nn.RNN.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const rnn = new nn.RNN(4, 6, { batchFirst: true })
 * const [output, last] = rnn.forward(randn([3, 5, 4]))
 * console.log(output.shape, last.shape) // → [ 3, 5, 6 ] [ 1, 3, 6 ]
 * console.log(Object.keys(rnn.stateDict())) // → [ 'weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0' ]
 * ```
 */
export class RNN extends Recurrent<[Tensor, Tensor?], [output: Tensor, last: Tensor]> {
  constructor(inputs: number, hidden: number, options: RNNOptions = {}) {
    super(options.nonlinearity ?? 'tanh', inputs, hidden, options)
    this.record(RNN, [inputs, hidden, options])
  }

  override forward(x: Tensor, state?: Tensor): [output: Tensor, last: Tensor] {
    const { output, last } = this.run(x, state && [state])
    return [output, last[0] as Tensor]
  }
}

/**
 * Long short-term memory: i, f, o = σ(…), g = tanh(…) of x_t W_ihᵀ + b_ih + h_{t−1} W_hhᵀ + b_hh;
 * c_t = f·c_{t−1} + i·g; h_t = o·tanh(c_t): x [T, N, in] (with `batchFirst` [N, T, in]) and first [h, c] →
 * [output [T, N, directions · hidden], [h, c]], states [layers · directions, N, hidden]. All steps are one compiled
 * loop. Gates stand in the order i, f, g, o: W_ih [4·hidden, in], W_hh [4·hidden, hidden]. Throws ShapeError where
 * shapes do not fit or there is no step. There are no gradients of gradients.
 * Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; torch.nn.LSTM.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const lstm = new nn.LSTM(4, 6, { numLayers: 2, bidirectional: true })
 * const [output, [h, c]] = lstm.forward(randn([5, 3, 4]))
 * console.log(output.shape, h.shape, c.shape) // → [ 5, 3, 12 ] [ 4, 3, 6 ] [ 4, 3, 6 ]
 * ```
 */
export class LSTM extends Recurrent<
  [Tensor, (readonly [h: Tensor, c: Tensor])?],
  [output: Tensor, last: [h: Tensor, c: Tensor]]
> {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super('lstm', inputs, hidden, options)
    this.record(LSTM, [inputs, hidden, options])
  }

  override forward(
    x: Tensor,
    states?: readonly [h: Tensor, c: Tensor],
  ): [output: Tensor, last: [h: Tensor, c: Tensor]] {
    if (states && states.length !== 2) throw new ShapeError('LSTM: takes two first states, [h, c].')
    const { output, last } = this.run(x, states)
    return [output, last as [Tensor, Tensor]]
  }
}

/**
 * Gated recurrent unit: r, z = σ(…), n = tanh(x_t W_inᵀ + b_in + r·(h_{t−1} W_hnᵀ + b_hn));
 * h_t = (1 − z)·n + z·h_{t−1}: x [T, N, in] (with `batchFirst` [N, T, in]) and a first state
 * [layers · directions, N, hidden] → [output [T, N, directions · hidden], last states]. All steps are one compiled loop.
 * Gates stand in the order r, z, n. Throws ShapeError where shapes do not fit or there is no step. There are no
 * gradients of gradients. Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014;
 * torch.nn.GRU.
 *
 * @example
 * ```ts
 * import { nn, randn } from 'descent'
 * const [output, last] = new nn.GRU(4, 6).forward(randn([5, 3, 4]))
 * console.log(output.shape, last.shape) // → [ 5, 3, 6 ] [ 1, 3, 6 ]
 * ```
 */
export class GRU extends Recurrent<[Tensor, Tensor?], [output: Tensor, last: Tensor]> {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super('gru', inputs, hidden, options)
    this.record(GRU, [inputs, hidden, options])
  }

  override forward(x: Tensor, state?: Tensor): [output: Tensor, last: Tensor] {
    const { output, last } = this.run(x, state && [state])
    return [output, last[0] as Tensor]
  }
}
