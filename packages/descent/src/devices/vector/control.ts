/** Small pieces of control flow and index arithmetic that emitted functions share. */
import type { Code } from './code.ts'

/** digit = rest mod size; rest = rest div size. */
export function takeDigit(f: Code, rest: number, size: number, digit: number): void {
  if (size === 1) {
    f.constant(0).set(digit)
    return
  }
  f.get(rest).constant(size).int('rem_u').set(digit)
  f.get(rest).constant(size).int('div_u').set(rest)
}

export function minimum(f: Code, a: () => void, b: () => void): Code {
  a()
  b()
  a()
  b()
  return f.int('lt_s').pick()
}

export function forRange(f: Code, local: number, from: () => void, to: () => void, body: () => void): void {
  from()
  f.set(local)
  const done = f.block()
  const again = f.loop()
  f.get(local)
  to()
  f.int('ge_s').brIf(done)
  body()
  f.get(local).constant(1).int('add').set(local)
  f.br(again).end().end()
}

type Repeat<N extends number, R extends number[] = []> = R['length'] extends N ? R : Repeat<N, [...R, number]>
export function locals<N extends number>(f: Code, count: N): Repeat<N> {
  return Array.from({ length: count }, () => f.local('int')) as Repeat<N>
}
