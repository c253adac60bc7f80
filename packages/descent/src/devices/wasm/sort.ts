/**
 * Rows sorted by merging runs of doubling length, from the bottom up: stable, and without recursion. Elements are
 * turned into whole numbers that sort alike (for f32: the bits, negative ones mirrored; NaN the largest; both zeros
 * equal), which lie in the values' buffer while the positions are merged between the result and the scratch row.
 */
import type { SortKernel } from '../../kernel/kernel.ts'
import { bindParam, type EmitKernel, endParam, newBody, scratchParam, startParam } from './emit.ts'
import type { FunctionBuilder } from './encode.ts'

export const emitSort: EmitKernel<SortKernel> = ({ buffers, rows, length, descending }, target) => {
  const f = newBody(target)
  const names = [
    'source',
    'keys',
    'result',
    'from',
    'into',
    'width',
    'low',
    'middle',
    'high',
    'i',
    'j',
    'k',
    'at',
  ] as const
  const v = Object.fromEntries(names.map((name) => [name, f.local('i32')])) as Record<(typeof names)[number], number>
  const bytes = 4 * length
  /** Address of element i of the array at a local. */
  const element = (array: number, i: number): FunctionBuilder => f.get(array).get(i).constant(2).i32('shl').i32('add')
  const count = (i: number, limit: () => void, body: () => void): void => {
    const done = f.block()
    const again = f.loop()
    f.get(i)
    limit()
    f.i32('ge_s').brIf(done)
    body()
    f.br(again).end().end()
  }
  const next = (i: number): FunctionBuilder => f.get(i).constant(1).i32('add').set(i)
  const all = (): FunctionBuilder => f.constant(length)
  const keyOf = (i: number): void => {
    f.get(v.keys)
    element(v.from, i).load('i32.load').constant(2).i32('shl').i32('add').load('i32.load')
  }

  count(
    startParam,
    () => f.get(endParam),
    () => {
      for (const [n, name] of (['source', 'keys', 'result'] as const).entries()) {
        f.get(bindParam)
          .load('i32.load', 4 * n)
          .get(startParam)
          .constant(bytes)
          .i32('mul')
          .i32('add')
          .set(v[name])
      }
      f.constant(0).set(v.i)
      count(v.i, all, () => {
        element(v.keys, v.i)
        sortable(f, () => element(v.source, v.i), buffers[0]?.dtype === 'f32', v.at)
        if (descending) f.constant(-1).i32('xor')
        f.store('i32.store')
        element(v.result, v.i).get(v.i).store('i32.store')
        next(v.i)
      })
      f.get(v.result).set(v.from).get(scratchParam).set(v.into).constant(1).set(v.width)
      count(v.width, all, () => {
        f.constant(0).set(v.low)
        count(v.low, all, () => {
          smaller(f, v.middle, () => f.get(v.low).get(v.width).i32('add'), length)
          smaller(f, v.high, () => f.get(v.middle).get(v.width).i32('add'), length)
          f.get(v.low).tee(v.i).set(v.k).get(v.middle).set(v.j)
          count(
            v.k,
            () => f.get(v.high),
            () => {
              element(v.into, v.k)
              const left = (): void => {
                element(v.from, v.i).load('i32.load')
                next(v.i)
              }
              const right = (): void => {
                element(v.from, v.j).load('i32.load')
                next(v.j)
              }
              f.get(v.i).get(v.middle).i32('ge_s').if('i32')
              right()
              f.else().get(v.j).get(v.high).i32('ge_s').if('i32')
              left()
              f.else()
              keyOf(v.i)
              keyOf(v.j)
              f.i32('le_s').if('i32')
              left()
              f.else()
              right()
              f.end().end().end()
              f.store('i32.store')
              next(v.k)
            },
          )
          f.get(v.high).set(v.low)
        })
        f.get(v.from).set(v.at).get(v.into).set(v.from).get(v.at).set(v.into)
        f.get(v.width).constant(1).i32('shl').set(v.width)
      })
      f.get(v.from).get(v.result).i32('ne').if()
      f.get(v.result).get(v.from).constant(bytes).memoryCopy().end()
      f.constant(0).set(v.i)
      count(v.i, all, () => {
        element(v.keys, v.i)
        f.get(v.source)
        element(v.result, v.i).load('i32.load').constant(2).i32('shl').i32('add').load('i32.load').store('i32.store')
        next(v.i)
      })
      next(startParam)
    },
  )
  return {
    phases: [{ body: f, chunks: () => (length === 0 ? 0 : rows) }],
    sharedBytes: 0,
    scratchBytes: bytes,
    work: () => rows * length * (4 + 6 * Math.log2(length + 1)),
  }
}

/** local = min(value, limit) */
function smaller(f: FunctionBuilder, local: number, value: () => void, limit: number): void {
  value()
  f.tee(local).constant(limit).get(local).constant(limit).i32('lt_s').select().set(local)
}

/** Leaves the element at an address as a whole number that sorts as the element does. */
function sortable(f: FunctionBuilder, address: () => void, float: boolean, bits: number): void {
  if (!float) {
    address()
    f.load('i32.load')
    return
  }
  // Adding zero makes −0 to 0.
  address()
  f.load('i32.load').convert('f32.reinterpret_i32').constantF32(0).f32('add').convert('i32.reinterpret_f32').set(bits)
  f.constant(0x7fffffff)
  f.get(bits).get(bits).constant(31).i32('shr_s').constant(0x7fffffff).i32('and').i32('xor')
  f.get(bits).constant(0x7fffffff).i32('and').constant(0x7f800000).i32('gt_u').select()
}
