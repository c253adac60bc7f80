/** What RNN, LSTM and GRU share: their weights by PyTorch's names, layers, directions, and dropout between layers. */
import { zeros } from '../../create.ts'
import { ShapeError } from '../../errors.ts'
import { cat, stack } from '../../functions/movement.ts'
import type { Generator } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import { Dropout } from '../dropout.ts'
import * as init from '../init.ts'
import { Module, parameter } from '../module.ts'
import { type CellKind, cellOf } from './cell.ts'
import { pass } from './sequence.ts'

export interface RecurrentOptions {
  /** Layers one above the other. Default 1. */
  readonly numLayers?: number
  /** Default true. */
  readonly bias?: boolean
  /** Whether inputs and outputs are [N, T, …] rather than [T, N, …]. Default false. */
  readonly batchFirst?: boolean
  /** Of every layer's output but the last's. Default 0. */
  readonly dropout?: number
  /** Also go from the end to the beginning; outputs then have twice the width. Default false. */
  readonly bidirectional?: boolean
  /** Draws the first values; without it the default generator. */
  readonly generator?: Generator
}

export abstract class Recurrent<Inputs extends readonly unknown[], Output> extends Module<Inputs, Output> {
  readonly #weights = new Map<string, Tensor>()
  readonly #kind: CellKind
  readonly #inputs: number
  readonly #width: number
  readonly #layers: number
  readonly #directions: 1 | 2
  readonly #bias: boolean
  readonly #batchFirst: boolean
  readonly #dropout: Dropout | null

  constructor(kind: CellKind, inputs: number, width: number, options: RecurrentOptions) {
    super()
    const { numLayers = 1, dropout = 0 } = options
    if (!Number.isInteger(numLayers) || numLayers < 1) {
      throw new RangeError(`numLayers must be a whole number above 0, not ${numLayers}.`)
    }
    this.#kind = kind
    this.#inputs = inputs
    this.#width = width
    this.#layers = numLayers
    this.#directions = options.bidirectional ? 2 : 1
    this.#bias = options.bias ?? true
    this.#batchFirst = options.batchFirst ?? false
    this.#dropout = dropout > 0 ? new Dropout(dropout, options.generator ? { generator: options.generator } : {}) : null
    const rows = cellOf(kind).gates * width
    const bound = 1 / Math.sqrt(width)
    const add = (name: string, shape: readonly number[]) =>
      this.#weights.set(name, parameter(init.uniform(zeros(shape), -bound, bound, options)))
    for (let layer = 0; layer < numLayers; layer++) {
      for (let direction = 0; direction < this.#directions; direction++) {
        const suffix = suffixOf(layer, direction)
        add(`weight_ih${suffix}`, [rows, layer === 0 ? inputs : width * this.#directions])
        add(`weight_hh${suffix}`, [rows, width])
        if (!this.#bias) continue
        add(`bias_ih${suffix}`, [rows])
        add(`bias_hh${suffix}`, [rows])
      }
    }
  }

  protected override parts(): Iterable<readonly [string, unknown]> {
    return this.#weights
  }

  /** x [T, N, I], or [N, T, I] with `batchFirst`; states [layers · directions, N, H] each, zeros where none are given. */
  protected run(x: Tensor, given: readonly Tensor[] | undefined): { output: Tensor; last: Tensor[] } {
    const name = this.constructor.name
    const turned = this.#batchFirst && x.ndim === 3 ? x.transpose(0, 1) : x
    if (turned.ndim !== 3 || turned.shape[2] !== this.#inputs || turned.shape[0] === 0) {
      const wanted = this.#batchFirst ? 'N, T' : 'T, N'
      throw new ShapeError(
        `${name}: takes [${wanted}, ${this.#inputs}] with at least one step, got [${x.shape.join(', ')}].`,
      )
    }
    const { states } = cellOf(this.#kind)
    const [count, all] = [turned.shape[1] as number, this.#layers * this.#directions]
    const shape = [all, count, this.#width]
    for (const state of given ?? []) {
      if (state.shape.join() === shape.join()) continue
      throw new ShapeError(`${name}: the first state must be [${shape.join(', ')}], not [${state.shape.join(', ')}].`)
    }
    const first = given ?? Array.from({ length: states }, () => zeros(shape))
    const ends = first.map((): Tensor[] => [])
    let y = turned
    for (let layer = 0; layer < this.#layers; layer++) {
      if (layer > 0 && this.#dropout) y = this.#dropout.train(this.training).forward(y)
      const outputs: Tensor[] = []
      for (let direction = 0; direction < this.#directions; direction++) {
        const suffix = suffixOf(layer, direction)
        const weight = (part: string) => this.#weights.get(part + suffix) as Tensor
        const own = first.map((state) => state.slice(layer * this.#directions + direction))
        const weights = {
          input: weight('weight_ih'),
          hidden: weight('weight_hh'),
          inputBias: this.#bias ? weight('bias_ih') : null,
          hiddenBias: this.#bias ? weight('bias_hh') : null,
        }
        const { output, last } = pass(this.#kind, y, own, weights, direction === 1)
        outputs.push(output)
        for (const [i, state] of last.entries()) ends[i]?.push(state)
      }
      y = outputs.length === 1 ? (outputs[0] as Tensor) : cat(outputs, -1)
    }
    return { output: this.#batchFirst ? y.transpose(0, 1) : y, last: ends.map((list) => stack(list)) }
  }
}

function suffixOf(layer: number, direction: number): string {
  return `_l${layer}${direction === 1 ? '_reverse' : ''}`
}
