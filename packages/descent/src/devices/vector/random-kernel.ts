/** Random loop kernels for tests, with data of small whole numbers, for which every device must give the same values. */
import { contiguousStrides, type DType } from '../../dtype.ts'
import { binary, cast, type Expr, f32, i32, indexValue, select, unary } from '../../kernel/expr.ts'
import {
  add,
  addConstant,
  constant,
  div,
  dot,
  type Index,
  mod,
  range,
  scale,
  variable,
} from '../../kernel/index-expr.ts'
import type { Axis, BufferUse, LoopKernel, Plan, PlanBuffer, ReduceOp, Stage, Store } from '../../kernel/kernel.ts'

/** Numbers that a seed decides (xorshift). */
export class Dice {
  #state: number
  constructor(seed: number) {
    this.#state = seed | 1
    for (let i = 0; i < 8; i++) this.below(2)
  }
  below(n: number): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return (x >>> 0) % n
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }
  shuffled<T>(items: readonly T[]): T[] {
    const all = [...items]
    for (let i = all.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[all[i], all[j]] = [all[j] as T, all[i] as T]
    }
    return all
  }
}

export class KernelGenerator {
  readonly dice: Dice
  readonly buffers: BufferUse[] = []
  #id = 0
  readonly #whole: boolean

  /** `whole`: whether values may become i32, which has no infinities. */
  constructor(seed: number, whole: boolean) {
    this.dice = new Dice(seed)
    this.#whole = whole
  }

  axis(largest: number): Axis {
    return { id: this.#id++, size: 1 + this.dice.below(largest) }
  }

  /** An index in the axes: strides of some layout, now and then with quotients and remainders. */
  index(axes: readonly Axis[]): Index {
    const { dice } = this
    let x = constant(0)
    let stride = 1
    for (const axis of dice.shuffled(axes)) {
      const v = variable(axis.id, axis.size)
      switch (dice.below(8)) {
        case 0:
          break
        case 1:
          x = add(x, scale(div(addConstant(v, dice.below(3)), 1 + dice.below(4)), stride))
          break
        case 2:
          x = add(x, scale(mod(addConstant(v, dice.below(3)), 1 + dice.below(5)), stride))
          break
        case 3:
          x = add(x, scale(v, -stride))
          break
        default:
          x = add(x, scale(v, stride))
      }
      stride *= axis.size + (dice.below(4) === 0 ? 1 : 0)
      if (dice.below(6) === 0) stride *= 2
    }
    if (dice.below(5) === 0) x = div(add(x, constant(dice.below(4))), 1 + dice.below(4))
    if (dice.below(8) === 0) x = mod(add(x, constant(dice.below(4))), 1 + dice.below(20))
    return x
  }

  load(axes: readonly Axis[], dtype: DType = 'f32'): Expr {
    const { dice } = this
    let index = this.index(axes)
    const { low, high } = range(index)
    if (dice.below(4) === 0) {
      // Some of the indices lie outside.
      const length = Math.max(1, high - low + 1 - dice.below(4))
      index = addConstant(index, -low - dice.below(5))
      const value: Expr = { kind: 'load', dtype, buffer: this.buffer(dtype, 'read', length), index, guarded: true }
      const inside = binary(
        'and',
        binary('le', i32(0), indexValue(index)),
        binary('lt', indexValue(index), i32(length)),
      )
      return select(inside, value, dtype === 'f32' ? f32(7) : { kind: 'const', dtype, value: 1 })
    }
    index = addConstant(index, -low)
    return { kind: 'load', dtype, buffer: this.buffer(dtype, 'read', high - low + 1), index, guarded: false }
  }

  buffer(dtype: DType, access: BufferUse['access'], length: number): number {
    return this.buffers.push({ dtype, access, length }) - 1
  }

  /** A sum may be large, and a sum of such sums too large to be exact in f32. */
  #small(sum: Expr): Expr {
    return binary('max', f32(-100), binary('min', f32(100), sum))
  }

  /** Whole numbers between about -200 and 200. */
  value(axes: readonly Axis[], depth: number, results: readonly Expr[]): Expr {
    const { dice } = this
    if (depth === 0) {
      if (results.length > 0 && dice.below(3) === 0) return this.#small(dice.pick(results))
      if (dice.below(6) === 0) return f32(dice.below(9) - 4)
      if (dice.below(8) === 0) return cast('f32', binary('and', indexValue(this.index(axes)), i32(127)))
      if (dice.below(8) === 0) return cast('f32', this.load(axes, dice.pick(['i32', 'bool'])))
      if (dice.below(10) === 0) return this.gather(axes)
      return this.load(axes)
    }
    const a = this.value(axes, depth - 1, results)
    const b = this.value(axes, dice.below(depth), results)
    switch (dice.below(7)) {
      case 0:
        return binary('add', a, b)
      case 1:
        return binary('sub', a, b)
      case 2:
        return binary('max', a, b)
      case 3:
        return binary('min', a, b)
      case 4:
        return select(binary(dice.pick(['lt', 'le', 'eq', 'ne']), a, b), a, b)
      case 5:
        return unary(dice.pick(['neg', 'abs', 'relu', 'floor']), a)
      default:
        return binary('add', a, a)
    }
  }

  gather(axes: readonly Axis[]): Expr {
    const rows = 1 + this.dice.below(5)
    const base = addConstant(this.index(axes), 0)
    const { low, high } = range(base)
    const stride = high - low + 1
    // Now and then rows, or everything, from one position.
    const x = this.load(axes.slice(0, this.dice.pick([axes.length, 1, 0])), 'i32')
    return {
      kind: 'gather',
      dtype: 'f32',
      buffer: this.buffer('f32', 'read', rows * stride),
      base: addConstant(base, -low),
      stride,
      position: {
        kind: 'check',
        dtype: 'i32',
        x: binary('and', x, i32(rows > 3 ? 3 : rows > 1 ? 1 : 0)),
        size: rows,
        id: 0,
      },
    }
  }

  stores(axes: readonly Axis[], value: Expr): Store {
    const order = this.dice.shuffled(axes)
    const index = dot(
      order.map((a) => variable(a.id, a.size)),
      contiguousStrides(order.map((a) => a.size)),
    )
    const length = axes.reduce((n, a) => n * a.size, 1)
    return { buffer: this.buffer(value.dtype, 'write', length), index, value }
  }

  kernel(largest = 9): LoopKernel {
    const { dice } = this
    const rows = Array.from({ length: dice.below(4) }, () => this.axis(dice.below(5) === 0 ? 40 : largest))
    const stages: Stage[] = []
    const results: Expr[] = []
    const count = 1 + dice.below(3)
    for (let s = 0; s < count; s++) {
      const axes = Array.from({ length: dice.below(3) }, () => this.axis(dice.below(4) === 0 ? 70 : largest))
      const all = [...rows, ...axes]
      const reductions = Array.from({ length: dice.below(3) }, () => {
        const op = dice.pick<ReduceOp>(['sum', 'sum', 'max', 'min', 'argmax', 'argmin', 'prod'])
        if (op === 'prod') return { op, value: select(binary('lt', this.load(all), f32(2)), f32(1), f32(-1)) }
        const value = this.value(all, dice.below(3), results)
        return { op, value: op === 'sum' && this.#whole && dice.below(4) === 0 ? cast('i32', value) : value }
      })
      const stores: Store[] = []
      if (dice.below(2) === 0) {
        const value = this.value(all, 1 + dice.below(3), results)
        stores.push(this.stores(all, dice.below(4) === 0 ? binary('lt', value, f32(1)) : value))
      }
      stages.push({ axes, reductions, stores })
      reductions.forEach(({ op, value }, slot) => {
        const dtype = op.startsWith('arg') ? 'i32' : value.dtype
        results.push(cast('f32', { kind: 'result', dtype, stage: s, slot }))
      })
    }
    const last = results.map((r) => this.stores(rows, r))
    if (last.length === 0) last.push(this.stores(rows, this.value(rows, 2, results)))
    stages.push({ axes: [], reductions: [], stores: last })
    return { kind: 'loops', buffers: this.buffers, rows, stages, flat: false }
  }
}

/** A plan that runs one kernel once, every buffer an argument. */
export function planOf(kernel: Plan['kernels'][number], size: number | null = null, lengths?: readonly number[]): Plan {
  const buffers = kernel.buffers.map(
    ({ dtype, access, length }, position): PlanBuffer => ({
      dtype,
      length: lengths?.[position] ?? length,
      place: { kind: 'argument', position, access, resident: false },
    }),
  )
  return {
    kernels: [kernel],
    buffers,
    steps: [[{ kernel: 0, buffers: buffers.map((_, i) => i), size }]],
    arenaBytes: 0,
    checks: [{ label: 'row', size: 5 }],
  }
}
