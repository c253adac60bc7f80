/** Padding at the edges of sequences, images and volumes. */
import { ShapeError } from '../errors.ts'
import { cat } from '../functions/movement.ts'
import type { Tensor } from '../tensor.ts'
import { Module } from './module.ts'
import { onBatch, type Sizes } from './sizes.ts'

/** What stands in the padding: 0, the image mirrored at its edge, its edge repeated, or its other side. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular'

/** Pads the last dimensions, of each so much [before, after]. */
export function padEdges(x: Tensor, widths: readonly (readonly [number, number])[], mode: PaddingMode): Tensor {
  if (widths.every(([before, after]) => before === 0 && after === 0)) return x
  if (mode !== 'circular') {
    const flat = widths.toReversed().flat()
    return x.pad(flat, { mode: mode === 'zeros' ? 'constant' : mode })
  }
  const lead = x.ndim - widths.length
  return widths.reduce((y, [before, after], i) => {
    const axis = lead + i
    const extent = y.shape[axis] as number
    if (Math.max(before, after) > extent) {
      throw new ShapeError(
        `pad: a circular padding of ${Math.max(before, after)} is more than the ${extent} of dimension ${axis} of [${x.shape.join(', ')}].`,
      )
    }
    const part = (start: number, stop: number) =>
      y.slice(...y.shape.map((_, d) => (d === axis ? ([start, stop] as const) : null)))
    const parts = [part(extent - before, extent), y, part(0, after)]
    return cat(
      parts.filter((piece) => piece.shape[axis] !== 0),
      axis,
    )
  }, x)
}

/** What the padding layers share. */
export abstract class Pad extends Module {
  readonly #n: number
  readonly #mode: PaddingMode
  readonly #value: number
  readonly #widths: readonly (readonly [number, number])[]

  constructor(n: number, mode: PaddingMode, padding: Sizes, value = 0) {
    super()
    const flat = typeof padding === 'number' ? new Array<number>(2 * n).fill(padding) : padding
    if (flat.length !== 2 * n) {
      throw new ShapeError(
        `padding: [${flat.join(', ')}] must be one number or ${2 * n}: before and after, last dimension first.`,
      )
    }
    this.#n = n
    this.#mode = mode
    this.#value = value
    this.#widths = Array.from({ length: n }, (_, i) => {
      const at = 2 * (n - 1 - i)
      return [flat[at] as number, flat[at + 1] as number] as const
    })
  }

  override forward(x: Tensor): Tensor {
    return onBatch('padding', x, this.#n, (batch) => {
      if (this.#value !== 0) return batch.pad(this.#widths.toReversed().flat(), { value: this.#value })
      return padEdges(batch, this.#widths, this.#mode)
    })
  }
}

/**
 * Zeros around images: one width, or [left, right, top, bottom]: [N, C, H, W] or [C, H, W]. Source: torch.nn.ZeroPad2d.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * console.log(new nn.ZeroPad2d([1, 0, 0, 0]).forward(ones([1, 1, 1, 2])).squeeze().toArray()) // → [ 0, 1, 1 ]
 * ```
 */
export class ZeroPad2d extends Pad {
  constructor(padding: Sizes) {
    super(2, 'zeros', padding)
    this.record(ZeroPad2d, [padding])
  }
}

/**
 * A number around images [N, C, H, W] or [C, H, W]. Source: torch.nn.ConstantPad2d.
 *
 * @example
 * ```ts
 * import { nn, ones } from 'descent'
 * console.log(new nn.ConstantPad2d([0, 1, 0, 0], 7).forward(ones([1, 1, 1, 1])).squeeze().toArray()) // → [ 1, 7 ]
 * ```
 */
export class ConstantPad2d extends Pad {
  constructor(padding: Sizes, value: number) {
    super(2, 'zeros', padding, value)
    this.record(ConstantPad2d, [padding, value])
  }
}

/**
 * Images mirrored at their edges, [N, C, H, W] or [C, H, W]. Source: torch.nn.ReflectionPad2d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * const y = new nn.ReflectionPad2d([2, 0, 0, 0]).forward(arange(3).reshape(1, 1, 1, 3))
 * console.log(y.flatten().toArray()) // → [ 2, 1, 0, 1, 2 ]
 * ```
 */
export class ReflectionPad2d extends Pad {
  constructor(padding: Sizes) {
    super(2, 'reflect', padding)
    this.record(ReflectionPad2d, [padding])
  }
}

/**
 * Images whose edges are repeated, [N, C, H, W] or [C, H, W]. Source: torch.nn.ReplicationPad2d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * const y = new nn.ReplicationPad2d([2, 0, 0, 0]).forward(arange(3).reshape(1, 1, 1, 3))
 * console.log(y.flatten().toArray()) // → [ 0, 0, 0, 1, 2 ]
 * ```
 */
export class ReplicationPad2d extends Pad {
  constructor(padding: Sizes) {
    super(2, 'replicate', padding)
    this.record(ReplicationPad2d, [padding])
  }
}

/**
 * Images that go on with their other side, [N, C, H, W] or [C, H, W]. Source: torch.nn.CircularPad2d.
 *
 * @example
 * ```ts
 * import { arange, nn } from 'descent'
 * const y = new nn.CircularPad2d([1, 1, 0, 0]).forward(arange(3).reshape(1, 1, 1, 3))
 * console.log(y.flatten().toArray()) // → [ 2, 0, 1, 2, 0 ]
 * ```
 */
export class CircularPad2d extends Pad {
  constructor(padding: Sizes) {
    super(2, 'circular', padding)
    this.record(CircularPad2d, [padding])
  }
}
