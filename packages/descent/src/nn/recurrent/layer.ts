/** What RNN, LSTM and GRU share: layers upon layers, in one direction or both, and their weights by PyTorch's names. */
import { zeros } from '../../create.ts'
import { ShapeError } from '../../errors.ts'
import { cat, stack } from '../../functions/movement.ts'
import { shapeText } from '../../ops/op.ts'
import type { Generator } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import { Dropout } from '../dropout.ts'
import * as init from '../init.ts'
import { Module, parameter } from '../module.ts'
import type { Rule } from './rules.ts'
import { type HiddenWeights, runSequence } from './sequence.ts'

export interface RecurrentOptions {
  /** Default 1. */
  readonly numLayers?: number
  /** Default true. */
  readonly bias?: boolean
  /** Whether x and the output are [N, T, ...] instead of [T, N, ...]. Default false. */
  readonly batchFirst?: boolean
  /** The probability for dropout on the output of each layer but the last, while training. Default 0. */
  readonly dropout?: number
  /** Whether a second direction runs from the last step to the first. Default false. */
  readonly bidirectional?: boolean
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

/** The weights of one layer in one direction. */
interface Weights {
  readonly ih: Tensor
  readonly biasIh: Tensor | null
  readonly biasHh: Tensor | null
  readonly hidden: HiddenWeights
}

export abstract class Recurrent<State> extends Module<
  [x: Tensor, state?: State | null],
  [output: Tensor, state: State]
> {
  readonly inputSize: number
  readonly hiddenSize: number
  /** How many elements h has where it is projected; 0 where it has `hiddenSize`. */
  readonly projSize: number
  readonly numLayers: number
  readonly batchFirst: boolean
  readonly bidirectional: boolean
  readonly #rule: Rule
  readonly #dropout: Dropout | null
  /** Layer after layer, in each the directions. */
  readonly #weights: readonly Weights[]
  readonly #named = new Map<string, unknown>()

  constructor(rule: Rule, inputSize: number, hiddenSize: number, options: RecurrentOptions & { projSize?: number }) {
    super()
    const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false, projSize = 0 } = options
    for (const [name, value] of Object.entries({ inputSize, hiddenSize, numLayers })) {
      if (!Number.isInteger(value) || value < 1)
        throw new RangeError(`${rule.name}: ${name} = ${value} must be a whole number of at least 1.`)
    }
    if (!Number.isInteger(projSize) || projSize < 0 || projSize >= hiddenSize)
      throw new RangeError(
        `${rule.name}: projSize = ${projSize} must be 0, for none, or less than the hiddenSize ${hiddenSize}.`,
      )
    this.#rule = rule
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    this.projSize = projSize
    this.numLayers = numLayers
    this.batchFirst = batchFirst
    this.bidirectional = bidirectional
    this.#dropout = dropout === 0 ? null : new Dropout(dropout, options)
    if (this.#dropout) this.#named.set('dropout', this.#dropout)
    const directions = bidirectional ? 2 : 1
    const bound = 1 / Math.sqrt(hiddenSize)
    const make = (name: string, shape: readonly number[]): Tensor => {
      const values = parameter(init.uniform(zeros(shape), -bound, bound, options))
      this.#named.set(name, values)
      return values
    }
    this.#weights = Array.from({ length: numLayers * directions }, (_, i): Weights => {
      const layer = Math.floor(i / directions)
      const suffix = `l${layer}${i % directions === 1 ? '_reverse' : ''}`
      const rows = rule.gates * hiddenSize
      const size = projSize || hiddenSize
      const ih = make(`weight_ih_${suffix}`, [rows, layer === 0 ? inputSize : directions * size])
      const weight = make(`weight_hh_${suffix}`, [rows, size])
      const biasIh = bias ? make(`bias_ih_${suffix}`, [rows]) : null
      const biasHh = bias ? make(`bias_hh_${suffix}`, [rows]) : null
      const projection = projSize ? make(`weight_hr_${suffix}`, [projSize, hiddenSize]) : null
      return { ih, biasIh, biasHh, hidden: { weight, bias: rule.biased ? biasHh : null, projection } }
    })
  }

  protected override parts(): Iterable<readonly [string, unknown]> {
    return this.#named
  }

  /** x and states as the options say; states are [layers · directions, N, H] (h: [.., P] where projected), zero where null. */
  protected run(x: Tensor, states: readonly Tensor[] | null): { output: Tensor; states: readonly Tensor[] } {
    const { inputSize, hiddenSize, projSize, numLayers, bidirectional } = this
    const { name, states: count } = this.#rule
    if ((x.ndim !== 2 && x.ndim !== 3) || x.shape.at(-1) !== inputSize) {
      const batch = this.batchFirst ? 'N, T' : 'T, N'
      throw new ShapeError(`${name}: takes [${batch}, ${inputSize}] or [T, ${inputSize}], got ${shapeText(x.shape)}.`)
    }
    const single = x.ndim === 2
    const turned = this.batchFirst && !single
    let sequence = single ? x.unsqueeze(1) : turned ? x.transpose(0, 1) : x
    const [steps, batch] = sequence.shape as [number, number]
    if (steps === 0) throw new ShapeError(`${name}: ${shapeText(x.shape)} has no steps; it needs at least one.`)
    const directions = bidirectional ? 2 : 1
    const sizes = Array.from({ length: count }, (_, i) => (i === 0 && projSize) || hiddenSize)
    if (states && states.length !== count)
      throw new ShapeError(`${name}: the initial state is a list of ${count} tensors, [h, c].`)
    for (const [i, state] of (states ?? []).entries()) {
      const wanted = [numLayers * directions, ...(single ? [] : [batch]), sizes[i] as number]
      if (String(state.shape) !== String(wanted))
        throw new ShapeError(`${name}: an initial state is ${shapeText(state.shape)} instead of ${shapeText(wanted)}.`)
    }
    const ends: (readonly Tensor[])[] = []
    for (let layer = 0; layer < numLayers; layer++) {
      if (layer > 0 && this.#dropout) sequence = this.#dropout.forward(sequence)
      const outputs: Tensor[] = []
      for (let direction = 0; direction < directions; direction++) {
        const number = layer * directions + direction
        const initial = sizes.map((size, i) => {
          const state = states?.[i]?.slice(number) ?? x.operand(0).expand([batch, size])
          return state.ndim === 1 ? state.unsqueeze(0) : state
        })
        const end = this.#direction(sequence, initial, this.#weights[number] as Weights, direction === 1)
        outputs.push(end.output)
        ends.push(end.states)
      }
      sequence = outputs.length === 1 ? (outputs[0] as Tensor) : cat(outputs, -1)
    }
    const output = single ? sequence.squeeze(1) : turned ? sequence.transpose(0, 1) : sequence
    const last = Array.from({ length: count }, (_, i) => {
      const stacked = stack(ends.map((end) => end[i] as Tensor))
      return single ? stacked.squeeze(1) : stacked
    })
    return { output, states: last }
  }

  #direction(x: Tensor, initial: readonly Tensor[], { ih, biasIh, biasHh, hidden }: Weights, reverse: boolean) {
    const product = x.matmul(ih.t())
    const bias = hidden.bias || !biasHh ? biasIh : biasIh?.add(biasHh)
    return runSequence(this.#rule, bias ? product.add(bias) : product, initial, hidden, reverse)
  }
}
