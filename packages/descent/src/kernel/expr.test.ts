import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binary, cast, type Expr, f32, i32, mapExpr, operands, select, unary, walkExprs, withOperands } from './expr.ts'
import { constant } from './index-expr.ts'

const load: Expr = { kind: 'load', dtype: 'f32', buffer: 0, index: constant(0), guarded: false }

test('comparisons give bools, other operations the type of their operands', () => {
  assert.equal(binary('lt', f32(1), f32(2)).dtype, 'bool')
  assert.equal(binary('add', i32(1), i32(2)).dtype, 'i32')
  assert.equal(select(binary('eq', load, f32(0)), i32(1), i32(2)).dtype, 'i32')
})

test('a cast to the type that a value already has is the value', () => {
  assert.equal(cast('f32', load), load)
  assert.equal(cast('i32', load).kind, 'cast')
})

test('every kind of expression takes back its own operands unchanged', () => {
  const every: Expr[] = [
    load,
    i32(3),
    unary('exp', load),
    binary('mul', load, load),
    select(binary('lt', load, load), load, f32(1)),
    cast('i32', load),
    { kind: 'check', dtype: 'i32', x: i32(1), size: 2, id: 0 },
    { kind: 'gather', dtype: 'f32', buffer: 0, base: constant(0), stride: 1, position: i32(0) },
    { kind: 'fma', dtype: 'f32', a: load, b: load, c: f32(0) },
    { kind: 'bitcast', dtype: 'i32', x: load },
  ]
  for (const e of every) assert.equal(withOperands(e, operands(e)), e)
})

test('mapExpr visits a shared part once and keeps it shared', () => {
  const shared = unary('exp', load)
  let visits = 0
  const result = mapExpr(binary('add', shared, binary('mul', shared, f32(2))), (e) => {
    visits++
    return e === load ? f32(5) : e
  })
  assert.equal(visits, 5)
  assert.ok(result.kind === 'binary' && result.b.kind === 'binary')
  assert.equal(result.a, result.b.a)
})

test('walkExprs gives operands before what uses them', () => {
  const inner = unary('neg', load)
  const outer = binary('sub', inner, load)
  const order: Expr[] = []
  walkExprs([outer], (e) => order.push(e))
  assert.deepEqual(order, [load, inner, outer])
})
