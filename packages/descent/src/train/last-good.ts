/**
 * The weights that last gave a finite loss. A step with a finite loss can still write NaN into the weights (by its
 * gradient), which only the next loss shows: so the weights before the last two steps are kept. Keeping them is one
 * compiled copy, a small part of any step.
 */
import { noGrad } from '../autograd.ts'
import { compile } from '../compile.ts'
import { zeros } from '../create.ts'
import type { AnyModule } from '../nn/module.ts'
import type { Tensor } from '../tensor.ts'

interface Kept {
  readonly copies: readonly Tensor[]
  readonly take: () => void
}

export class LastGood {
  readonly #tensors: readonly Tensor[]
  readonly #kept: readonly [Kept, Kept]
  #taken = 0

  constructor(net: AnyModule) {
    this.#tensors = [...net.parameters(), ...net.buffers()]
    this.#kept = [this.#slot(), this.#slot()]
  }

  #slot(): Kept {
    const copies = this.#tensors.map((x) => zeros(x.shape, { dtype: x.dtype }))
    const copy = compile(() => {
      noGrad(() => {
        for (const [i, x] of this.#tensors.entries()) copies[i]?.copy_(x)
      })
    })
    return { copies, take: this.#tensors.length > 0 ? copy : () => {} }
  }

  /** Keeps the present weights; to be called before each step. */
  take(): void {
    this.#kept[this.#taken++ % 2]?.take()
  }

  /** Gives the network the latest kept weights that are finite; false where there are none. */
  restore(): boolean {
    for (let back = 1; back <= Math.min(2, this.#taken); back++) {
      const { copies } = this.#kept[(this.#taken - back) % 2] as Kept
      if (!copies.every((x) => x.data().every(Number.isFinite))) continue
      noGrad(() => {
        for (const [i, x] of this.#tensors.entries()) x.copy_(copies[i] as Tensor)
      })
      return true
    }
    return false
  }
}
