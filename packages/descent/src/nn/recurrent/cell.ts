/**
 * The three recurrent cells as bodies of loops: what a step computes forwards, and what it makes of cotangents
 * backwards. Gates stand in PyTorch's order: LSTM input, forget, cell, output; GRU reset, update, new.
 *
 * x is the step's share of the input, [N, G·H] (G gates), with the input's bias; h the state, [N, H]; hidden the state's
 * share of the gates, h W_hhᵀ + b_hh. Backwards the cotangents of the state's share go on to the step before as a carry.
 */
import type { Tensor } from '../../tensor.ts'

export type CellKind = 'lstm' | 'gru' | 'tanh' | 'relu'

/** Tensors [N, H] each. */
type Parts = readonly Tensor[]

export interface Forward {
  /** The next state, and for LSTM the next cell. */
  readonly carry: Parts
  /** What the way back needs. */
  readonly kept: Parts
}

export interface Backward {
  /** Of the state's share, gate after gate. */
  readonly hidden: Parts
  /** Of the input's share, where it differs from the state's: the last gate of GRU. */
  readonly input: Parts
  /** What goes on to the step before beside the state's share: for LSTM the cell's cotangent, for GRU the state's. */
  readonly direct: Parts
}

export interface Cell {
  readonly gates: number
  /** How many states a step hands on: LSTM has a cell beside the state. */
  readonly states: 1 | 2
  /** Of the backward carry, beside the state's share. */
  readonly direct: 0 | 1
  forward(x: readonly Tensor[], hidden: readonly Tensor[], state: Parts): Forward
  /** `dh`: the state's cotangent; `before`: the states before the step; `after`: the states after it. */
  backward(dh: Tensor, direct: Parts, before: Parts, after: Parts, kept: Parts): Backward
}

const one = (x: Tensor): Tensor => x.neg().add(1)

const lstm: Cell = {
  gates: 4,
  states: 2,
  direct: 1,
  forward(x, hidden, [, cell]) {
    const [i, f, g, o] = x.map((part, k) => part.add(hidden[k] as Tensor)) as [Tensor, Tensor, Tensor, Tensor]
    const kept = [i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()] as const
    const next = kept[1].mul(cell as Tensor).add(kept[0].mul(kept[2]))
    return { carry: [kept[3].mul(next.tanh()), next], kept }
  },
  backward(dh, [dcAfter], [, cell], [, next], [i, f, g, o]) {
    const [input, forget, candidate, output] = [i, f, g, o] as [Tensor, Tensor, Tensor, Tensor]
    const bent = (next as Tensor).tanh()
    const dc = (dcAfter as Tensor).add(dh.mul(output).mul(one(bent.mul(bent))))
    return {
      hidden: [
        dc.mul(candidate).mul(input).mul(one(input)),
        dc
          .mul(cell as Tensor)
          .mul(forget)
          .mul(one(forget)),
        dc.mul(input).mul(one(candidate.mul(candidate))),
        dh.mul(bent).mul(output).mul(one(output)),
      ],
      input: [],
      direct: [dc.mul(forget)],
    }
  },
}

const gru: Cell = {
  gates: 3,
  states: 1,
  direct: 1,
  forward([xr, xz, xn], [hr, hz, hn], [h]) {
    const reset = (xr as Tensor).add(hr as Tensor).sigmoid()
    const update = (xz as Tensor).add(hz as Tensor).sigmoid()
    const fresh = (xn as Tensor).add(reset.mul(hn as Tensor)).tanh()
    return {
      carry: [
        one(update)
          .mul(fresh)
          .add(update.mul(h as Tensor)),
      ],
      kept: [reset, update, fresh, hn as Tensor],
    }
  },
  backward(dh, [later], [h], _after, kept) {
    const [reset, update, fresh, hn] = kept as [Tensor, Tensor, Tensor, Tensor]
    const d = dh.add(later as Tensor)
    const dn = d.mul(one(update)).mul(one(fresh.mul(fresh)))
    const dr = dn.mul(hn).mul(reset).mul(one(reset))
    const dz = d
      .mul((h as Tensor).sub(fresh))
      .mul(update)
      .mul(one(update))
    return { hidden: [dr, dz, dn.mul(reset)], input: [dn], direct: [d.mul(update)] }
  },
}

function plain(activate: (x: Tensor) => Tensor, slope: (y: Tensor) => Tensor): Cell {
  return {
    gates: 1,
    states: 1,
    direct: 0,
    forward: ([x], [hidden]) => ({ carry: [activate((x as Tensor).add(hidden as Tensor))], kept: [] }),
    backward: (dh, _direct, _before, [y]) => ({ hidden: [dh.mul(slope(y as Tensor))], input: [], direct: [] }),
  }
}

export function cellOf(kind: CellKind): Cell {
  switch (kind) {
    case 'lstm':
      return lstm
    case 'gru':
      return gru
    case 'tanh':
      return plain(
        (x) => x.tanh(),
        (y) => one(y.mul(y)),
      )
    case 'relu':
      return plain(
        (x) => x.relu(),
        (y) => y.gt(0).float(),
      )
  }
}
