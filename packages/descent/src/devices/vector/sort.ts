/**
 * Rows sorted by merging runs of doubling length, from the bottom up: stable, and without recursion. Elements are
 * turned into whole numbers that sort alike (for f32: the bits, negative ones mirrored; NaN the largest; both zeros
 * equal), which lie in the values' buffer while the positions are merged between the result and the scratch row.
 */
import type { SortKernel } from '../../kernel/kernel.ts'
import type { Code } from './code.ts'
import { bindParam, type EmitKernel, endParam, newBody, scratchParam, startParam } from './target.ts'

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
  const v = Object.fromEntries(names.map((name) => [name, f.local('int')])) as Record<(typeof names)[number], number>
  const bytes = 4 * length
  /** Address of element i of the array at a local. */
  const element = (array: number, i: number): Code => f.get(array).get(i).constant(2).int('shl').int('add')
  const count = (i: number, limit: () => void, body: () => void): void => {
    const done = f.block()
    const again = f.loop()
    f.get(i)
    limit()
    f.int('ge_s').brIf(done)
    body()
    f.br(again).end().end()
  }
  const next = (i: number): Code => f.get(i).constant(1).int('add').set(i)
  const all = (): Code => f.constant(length)
  const keyOf = (i: number): void => {
    f.get(v.keys)
    element(v.from, i).loadInt().constant(2).int('shl').int('add').loadInt()
  }

  count(
    startParam,
    () => f.get(endParam),
    () => {
      for (const [n, name] of (['source', 'keys', 'result'] as const).entries()) {
        f.get(bindParam).loadAddress(n).get(startParam).constant(bytes).int('mul').int('add').set(v[name])
      }
      f.constant(0).set(v.i)
      count(v.i, all, () => {
        element(v.keys, v.i)
        sortable(f, () => element(v.source, v.i), buffers[0]?.dtype === 'f32', v.at)
        if (descending) f.constant(-1).int('xor')
        f.storeInt()
        element(v.result, v.i).get(v.i).storeInt()
        next(v.i)
      })
      f.get(v.result).set(v.from).get(scratchParam).set(v.into).constant(1).set(v.width)
      count(v.width, all, () => {
        f.constant(0).set(v.low)
        count(v.low, all, () => {
          smaller(f, v.middle, () => f.get(v.low).get(v.width).int('add'), length)
          smaller(f, v.high, () => f.get(v.middle).get(v.width).int('add'), length)
          f.get(v.low).tee(v.i).set(v.k).get(v.middle).set(v.j)
          count(
            v.k,
            () => f.get(v.high),
            () => {
              const left = (): void => {
                element(v.from, v.i).loadInt()
                next(v.i)
              }
              const right = (): void => {
                element(v.from, v.j).loadInt()
                next(v.j)
              }
              f.get(v.i).get(v.middle).int('ge_s').if('int')
              right()
              f.else().get(v.j).get(v.high).int('ge_s').if('int')
              left()
              f.else()
              keyOf(v.i)
              keyOf(v.j)
              f.int('le_s').if('int')
              left()
              f.else()
              right()
              f.end().end().end().set(v.at)
              element(v.into, v.k).get(v.at).storeInt()
              next(v.k)
            },
          )
          f.get(v.high).set(v.low)
        })
        f.get(v.from).set(v.at).get(v.into).set(v.from).get(v.at).set(v.into)
        f.get(v.width).constant(1).int('shl').set(v.width)
      })
      f.get(v.from).get(v.result).int('ne').if()
      f.get(v.result).get(v.from).copyBytes(bytes).end()
      f.constant(0).set(v.i)
      count(v.i, all, () => {
        element(v.keys, v.i)
        f.get(v.source)
        element(v.result, v.i).loadInt().constant(2).int('shl').int('add').loadInt().storeInt()
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
function smaller(f: Code, local: number, value: () => void, limit: number): void {
  value()
  f.tee(local).constant(limit).get(local).constant(limit).int('lt_s').pick().set(local)
}

/** Leaves the element at an address as a whole number that sorts as the element does. */
function sortable(f: Code, address: () => void, float: boolean, bits: number): void {
  if (!float) {
    address()
    f.loadInt()
    return
  }
  address()
  f.loadInt().set(bits)
  // −0 becomes 0.
  f.constant(0).get(bits).get(bits).constant(-0x80000000).int('eq').pick().set(bits)
  f.constant(0x7fffffff)
  f.get(bits).get(bits).constant(31).int('shr_s').constant(0x7fffffff).int('and').int('xor')
  f.get(bits).constant(0x7fffffff).int('and').constant(0x7f800000).int('gt_u').pick()
}
