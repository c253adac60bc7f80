/**
 * The micro-kernel of a packed GEMM: the sums of `rows` rows, two vectors each, held in registers while k runs.
 *
 * In: a panel of A, [k][rows], and panels of B, [k][columns], one after the other. Out: the tile, rows × (columns · panels) in
 * row-major order. Twelve accumulators (6 × 8 in f32, 6 × 4 in f64), two vectors of B and one broadcast of A just fit the
 * fifteen vector registers that V8 gives to a function on x86-64.
 *
 * Measured in Node 24 on one Zen 4 core, where relaxed multiply-adds peak at 58.5 GFLOP/s: 58.4 alone (k = 256 … 512, panels
 * in cache), 99 % of the peak; 5 × 8 95 %, 4 × 8 92 %. With packing, epilogue and all: n = 256 … 2048 50 to 55.5 (86 to 95 %),
 * two threads up to 110.
 */
import type { Panels } from '../vector/gemm-machine.ts'
import type { FunctionBuilder, ModuleBuilder } from './encode.ts'

/** Columns of a panel of B, by what is summed in. */
export const panelColumns = { f32: 8, f64: 4 } as const
/** Heights that a panel of A can have. */
export const panelHeights = [6, 5, 4] as const
const unroll = 4

/** Emits the function (see `GemmMachine.micro`). */
export function emitMicro(
  module: ModuleBuilder,
  rows: number,
  type: Panels['sums'],
  fused: boolean,
  exportAs?: string,
): FunctionBuilder {
  const f = module.function(['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], [], exportAs)
  const [firstA, b, c, panels, k, rowBytes, accumulate] = [0, 1, 2, 3, 4, 5, 6]
  const a = f.local('i32')
  const stop = f.local('i32')
  const row = f.local('i32')
  const sums = Array.from({ length: rows * 2 }, () => f.local('v128'))
  const left = f.local('v128')
  const right = f.local('v128')
  const x = f.local('v128')
  const double = type === 'f64'
  /** Bytes of a row of B's panel, and of half of it, which fills a vector. */
  const columnBytes = panelColumns[type] * 4
  const part = columnBytes / 2
  const columnShift = Math.log2(columnBytes)

  const load = (offset: number) => {
    if (double) f.vectorLoad('v128.load64_zero', offset).f64x2('promote_low_f32x4')
    else f.vectorLoad('v128.load', offset)
  }
  const arithmetic = (op: 'add' | 'mul' | 'relaxed_madd') => (double ? f.f64x2(op) : f.f32x4(op))
  const step = (u: number) => {
    f.get(b)
    load(u * columnBytes)
    f.set(left).get(b)
    load(u * columnBytes + part)
    f.set(right)
    for (let i = 0; i < rows; i++) {
      f.get(a).vectorLoad('v128.load32_splat', (u * rows + i) * 4)
      if (double) f.f64x2('promote_low_f32x4')
      f.set(x)
      for (const [side, j] of [
        [left, 0],
        [right, 1],
      ] as const) {
        const sum = sums[2 * i + j] as number
        if (fused) {
          f.get(x).get(side).get(sum)
          arithmetic('relaxed_madd')
        } else {
          f.get(sum).get(x).get(side)
          arithmetic('mul')
          arithmetic('add')
        }
        f.set(sum)
      }
    }
  }
  const advance = (steps: number) => {
    f.get(a)
      .constant(steps * rows * 4)
      .i32('add')
      .set(a)
    f.get(b)
      .constant(steps * columnBytes)
      .i32('add')
      .set(b)
  }
  const loopUntil = (steps: number) => {
    const out = f.block()
    const again = f.loop()
    f.get(b).get(stop).i32('ge_u').brIf(out)
    for (let u = 0; u < steps; u++) step(u)
    advance(steps)
    f.br(again).end().end()
  }

  const done = f.block()
  f.get(panels).i32('eqz').brIf(done)
  const nextPanel = f.loop()
  f.get(firstA).set(a)
  for (const sum of sums) f.splatF32(0).set(sum)
  f.get(b).get(k).constant(-unroll).i32('and').constant(columnShift).i32('shl').i32('add').set(stop)
  loopUntil(unroll)
  f.get(stop)
    .get(k)
    .constant(unroll - 1)
    .i32('and')
    .constant(columnShift)
    .i32('shl')
    .i32('add')
    .set(stop)
  loopUntil(1)

  /** Pushes the sum, and what c holds too. */
  const total = (sum: number, offset: number, more: boolean) => {
    f.get(sum)
    if (!more) return
    f.get(row)
    load(offset)
    arithmetic('add')
  }
  const writeRows = (more: boolean) => {
    f.get(c).set(row)
    for (let i = 0; i < rows; i++) {
      const [low, high] = [sums[2 * i] as number, sums[2 * i + 1] as number]
      f.get(row)
      total(low, 0, more)
      if (double) f.f32x4('demote_f64x2_zero')
      else f.vectorStore().get(row)
      total(high, part, more)
      if (double) f.f32x4('demote_f64x2_zero').shuffle32(0, 1, 4, 5).vectorStore()
      else f.vectorStore(part)
      if (i < rows - 1) f.get(row).get(rowBytes).i32('add').set(row)
    }
  }
  f.get(accumulate).if()
  writeRows(true)
  f.else()
  writeRows(false)
  f.end()
  f.get(c).constant(columnBytes).i32('add').set(c)
  f.get(panels).constant(1).i32('sub').tee(panels).brIf(nextPanel)
  f.end().end()
  return f
}
