/**
 * One step of each kind of recurrent network, and the step back: what its hidden weights get from x, the projection of the
 * input [N, gates·H] with its bias, and the states [N, H] before.
 */
import { cat } from '../../functions/movement.ts'
import type { Tensor } from '../../tensor.ts'

export interface Step {
  /** The states after it: h, and for the LSTM c. */
  readonly states: readonly Tensor[]
  /** What the step back needs. */
  readonly saved: readonly Tensor[]
}

export interface StepBack {
  /** Cotangents of the states before it, that of h without what comes through the hidden weights. */
  readonly states: readonly (Tensor | null)[]
  /** Of x, and of the product with the hidden weights, where that is another one. */
  readonly x: Tensor
  readonly product: Tensor
}

export interface Rule {
  /** Of the layer. */
  readonly name: string
  readonly gates: number
  readonly states: number
  /** Whether the bias of the hidden weights is a part of the product; else it is a part of x. */
  readonly biased: boolean
  /** `product`: h · Wᵀ, with the bias where there is one. */
  step(x: Tensor, product: Tensor, states: readonly Tensor[]): Step
  /** `d`: cotangents of the states after the step. */
  back(d: readonly Tensor[], saved: readonly Tensor[], before: readonly Tensor[], after: readonly Tensor[]): StepBack
}

const parts = (x: Tensor, count: number): Tensor[] => {
  const size = (x.shape.at(-1) as number) / count
  return Array.from({ length: count }, (_, i) => x.slice(null, [i * size, (i + 1) * size]))
}
/** x (1 − x), the slope of a sigmoid whose value is x. */
const slope = (x: Tensor): Tensor => x.sub(x.mul(x))

/** h′ = tanh(x + W h) or relu(x + W h). */
export function plain(nonlinearity: 'tanh' | 'relu'): Rule {
  return {
    name: 'RNN',
    gates: 1,
    states: 1,
    biased: false,
    step: (x, product) => ({ states: [x.add(product)[nonlinearity]()], saved: [] }),
    back: ([d], _saved, _before, [h]) => {
      const [g, after] = [d as Tensor, h as Tensor]
      const x = nonlinearity === 'tanh' ? g.sub(g.mul(after).mul(after)) : after.gt(0).where(g, 0)
      return { states: [null], x, product: x }
    },
  }
}

/** i, f, o = σ(x + W h), g = tanh(x + W h); c′ = f c + i g; h′ = o tanh(c′). */
export const lstm: Rule = {
  name: 'LSTM',
  gates: 4,
  states: 2,
  biased: false,
  step: (x, product, [, c]) => {
    const sums = parts(x.add(product), 4) as [Tensor, Tensor, Tensor, Tensor]
    const [i, f, g, o] = [sums[0].sigmoid(), sums[1].sigmoid(), sums[2].tanh(), sums[3].sigmoid()]
    const next = f.mul(c as Tensor).add(i.mul(g))
    return { states: [o.mul(next.tanh()), next], saved: [i, f, g, o] }
  },
  back: ([dh, dc], saved, [, c], [, next]) => {
    const [i, f, g, o] = saved as [Tensor, Tensor, Tensor, Tensor]
    const [d, before] = [dh as Tensor, c as Tensor]
    const bent = (next as Tensor).tanh()
    const total = (dc as Tensor).add(d.mul(o).mul(bent.mul(bent).neg().add(1)))
    const x = cat(
      [
        total.mul(g).mul(slope(i)),
        total.mul(before).mul(slope(f)),
        total.mul(i).mul(g.mul(g).neg().add(1)),
        d.mul(bent).mul(slope(o)),
      ],
      -1,
    )
    return { states: [null, total.mul(f)], x, product: x }
  },
}

/** r, z = σ(x + W h + b), n = tanh(x + r (W h + b)); h′ = (1 − z) n + z h. */
export const gru: Rule = {
  name: 'GRU',
  gates: 3,
  states: 1,
  biased: true,
  step: (x, product, [h]) => {
    const [xs, hs] = [parts(x, 3), parts(product, 3)] as [Tensor[], Tensor[]]
    const gate = (k: number): Tensor => (xs[k] as Tensor).add(hs[k] as Tensor).sigmoid()
    const [r, z, inner] = [gate(0), gate(1), hs[2] as Tensor]
    const n = (xs[2] as Tensor).add(r.mul(inner)).tanh()
    return { states: [n.add(z.mul((h as Tensor).sub(n)))], saved: [r, z, n, inner] }
  },
  back: ([d], saved, [h]) => {
    const [r, z, n, inner] = saved as [Tensor, Tensor, Tensor, Tensor]
    const g = d as Tensor
    const kept = g.mul(z)
    const dn = g.sub(kept).mul(n.mul(n).neg().add(1))
    const dr = dn.mul(inner).mul(slope(r))
    const dz = g.mul((h as Tensor).sub(n)).mul(slope(z))
    return { states: [kept], x: cat([dr, dz, dn], -1), product: cat([dr, dz, dn.mul(r)], -1) }
  },
}
