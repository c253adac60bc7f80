/**
 * The micro-kernel of a packed GEMM: `rows` × 8 sums held in registers while k runs.
 *
 * In: a panel of A, [k][rows], and panels of B, [k][8], one after the other. Out: the tile, rows × (8 · panels) in row-major
 * order. Twelve accumulators (6 × 8), two vectors of B and one broadcast of A just fit the fifteen vector registers
 * that V8 gives to a function on x86-64.
 *
 * Measured in Node 24 on one Zen 4 core, where relaxed multiply-adds peak at 58.5 GFLOP/s: 58.4 alone (k = 256 … 512, panels
 * in cache), 99 % of the peak; 5 × 8 95 %, 4 × 8 92 %. With packing, epilogue and all: n = 256 … 2048 50 to 55.5 (86 to 95 %),
 * two threads up to 110.
 */
import type { FunctionBuilder, ModuleBuilder } from './encode.ts'

/** Columns of a panel of B. */
export const panelColumns = 8
/** Heights that a panel of A can have. */
export const panelHeights = [6, 5, 4] as const
const unroll = 4

/** Emits the function (see `GemmMachine.micro`). */
export function emitMicro(module: ModuleBuilder, rows: number, fused: boolean, exportAs?: string): FunctionBuilder {
  const f = module.function(['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], [], exportAs)
  const [firstA, b, c, panels, k, rowBytes, accumulate] = [0, 1, 2, 3, 4, 5, 6]
  const a = f.local('i32')
  const stop = f.local('i32')
  const row = f.local('i32')
  const sums = Array.from({ length: rows * 2 }, () => f.local('v128'))
  const left = f.local('v128')
  const right = f.local('v128')
  const x = f.local('v128')

  const step = (u: number) => {
    f.get(b)
      .vectorLoad('v128.load', u * 32)
      .set(left)
    f.get(b)
      .vectorLoad('v128.load', u * 32 + 16)
      .set(right)
    for (let i = 0; i < rows; i++) {
      f.get(a)
        .vectorLoad('v128.load32_splat', (u * rows + i) * 4)
        .set(x)
      for (const [side, j] of [
        [left, 0],
        [right, 1],
      ] as const) {
        const sum = sums[2 * i + j] as number
        if (fused) f.get(x).get(side).get(sum).f32x4('relaxed_madd').set(sum)
        else f.get(sum).get(x).get(side).f32x4('mul').f32x4('add').set(sum)
      }
    }
  }
  const advance = (steps: number) => {
    f.get(a)
      .constant(steps * rows * 4)
      .i32('add')
      .set(a)
    f.get(b)
      .constant(steps * 32)
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
  f.get(b).get(k).constant(-unroll).i32('and').constant(5).i32('shl').i32('add').set(stop)
  loopUntil(unroll)
  f.get(stop)
    .get(k)
    .constant(unroll - 1)
    .i32('and')
    .constant(5)
    .i32('shl')
    .i32('add')
    .set(stop)
  loopUntil(1)

  const eachSum = (write: (sum: number, offset: number) => void) => {
    f.get(c).set(row)
    for (let i = 0; i < rows; i++) {
      write(sums[2 * i] as number, 0)
      write(sums[2 * i + 1] as number, 16)
      if (i < rows - 1) f.get(row).get(rowBytes).i32('add').set(row)
    }
  }
  f.get(accumulate).if()
  eachSum((sum, offset) =>
    f.get(row).get(row).vectorLoad('v128.load', offset).get(sum).f32x4('add').vectorStore(offset),
  )
  f.else()
  eachSum((sum, offset) => f.get(row).get(sum).vectorStore(offset))
  f.end()
  f.get(c).constant(32).i32('add').set(c)
  f.get(panels).constant(1).i32('sub').tee(panels).brIf(nextPanel)
  f.end().end()
  return f
}
