/** Small pieces of control flow and index arithmetic that emitted functions share. */
import type { FunctionBuilder } from './encode.ts'

/** digit = rest mod size; rest = rest div size. */
export function takeDigit(f: FunctionBuilder, rest: number, size: number, digit: number): void {
  if (size === 1) {
    f.constant(0).set(digit)
    return
  }
  f.get(rest).constant(size).i32('rem_u').set(digit)
  f.get(rest).constant(size).i32('div_u').set(rest)
}

export function minimum(f: FunctionBuilder, a: () => void, b: () => void): FunctionBuilder {
  a()
  b()
  a()
  b()
  return f.i32('lt_s').select()
}

export function forRange(f: FunctionBuilder, local: number, from: () => void, to: () => void, body: () => void): void {
  from()
  f.set(local)
  const done = f.block()
  const again = f.loop()
  f.get(local)
  to()
  f.i32('ge_s').brIf(done)
  body()
  f.get(local).constant(1).i32('add').set(local)
  f.br(again).end().end()
}

type Repeat<N extends number, R extends number[] = []> = R['length'] extends N ? R : Repeat<N, [...R, number]>
export function locals<N extends number>(f: FunctionBuilder, count: N): Repeat<N> {
  return Array.from({ length: count }, () => f.local('i32')) as Repeat<N>
}
