/** Loops of kernels that go element by element: rows from start to end, and simple loops inside of a row. */
import type { Axis } from '../../kernel/kernel.ts'
import type { ExprEmitter } from './emit-expr.ts'
import { endParam, startParam } from './target.ts'

export function countRows(rows: readonly Axis[]): number {
  return rows.reduce((n, axis) => n * axis.size, 1)
}

/** For rows start … end - 1, with the variables of `rows` bound, `body`. */
export function emitRows(e: ExprEmitter, rows: readonly Axis[], body: () => void): void {
  const { f } = e
  const rest = f.local('int')
  const digits = rows.map((axis) => ({ axis, local: f.local('int') }))
  e.open()
  for (const { axis, local } of digits) e.bind(axis.id, local)
  body()
  const code = e.close()
  const done = f.block()
  const again = f.loop()
  f.get(startParam).get(endParam).int('ge_s').brIf(done)
  f.get(startParam).set(rest)
  for (const { axis, local } of digits.toReversed()) {
    f.get(rest).constant(axis.size).int('rem_u').set(local)
    f.get(rest).constant(axis.size).int('div_u').set(rest)
  }
  f.append(code)
  f.get(startParam).constant(1).int('add').set(startParam)
  f.br(again).end().end()
}

/** For every value of the axis, in order, `body`; or for those of a part: between two locals, the second not included. */
export function emitLoop(
  e: ExprEmitter,
  axis: Axis,
  body: () => void,
  part?: readonly [low: number, high: number],
): void {
  const { f } = e
  const i = f.local('int')
  e.open()
  e.bind(axis.id, i)
  body()
  const code = e.close()
  if (part) f.get(part[0]).set(i)
  else f.constant(0).set(i)
  const done = f.block()
  const again = f.loop()
  if (part) f.get(i).get(part[1])
  else f.get(i).constant(axis.size)
  f.int('ge_s').brIf(done)
  f.append(code)
  f.get(i).constant(1).int('add').set(i)
  f.br(again).end().end()
}
