import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binary, type Expr, f32, i32, unary } from './expr.ts'
import { addConstant, dot, variable } from './index-expr.ts'
import type { LoopKernel } from './kernel.ts'
import { printExpr, printIndex, printKernel, printPlan } from './print.ts'

/** exp(x)·exp(x) + 1 for a matrix, its loops numbered as told. */
function kernel(row: number, column: number, constantValue = 1): LoopKernel {
  const index = dot([variable(row, 3), variable(column, 4)], [4, 1])
  const e = unary('exp', { kind: 'load', dtype: 'f32', buffer: 0, index, guarded: false })
  return {
    kind: 'loops',
    flat: false,
    rows: [{ id: row, size: 3 }],
    buffers: [
      { dtype: 'f32', access: 'read', length: 12 },
      { dtype: 'f32', access: 'write', length: 12 },
    ],
    stages: [
      {
        axes: [{ id: column, size: 4 }],
        reductions: [],
        stores: [{ buffer: 1, index, value: binary('add', binary('mul', e, e), f32(constantValue)) }],
      },
    ],
  }
}

test('a kernel prints as loops, with shared parts on a line of their own', () => {
  assert.equal(
    printKernel(kernel(0, 1)),
    [
      'loops(b0: read f32[12], b1: write f32[12])',
      'for v0 < 3 {',
      '  for v1 < 4 {',
      '    t0 = exp(b0[4*v0+v1])',
      '    b1[4*v0+v1] = ((t0 * t0) + 1.0)',
      '  }',
      '}',
    ].join('\n'),
  )
})

test('kernels that differ in the ids of their variables alone print alike, others do not', () => {
  assert.equal(printKernel(kernel(0, 1)), printKernel(kernel(17, 3)))
  assert.equal(printKernel(kernel(0, 1)), printKernel(kernel(1, 0)))
  assert.notEqual(printKernel(kernel(0, 1)), printKernel(kernel(0, 1, 1.0000001)))
})

test('constants of unlike type or sign print unlike', () => {
  const texts = [f32(1), i32(1), f32(-0), f32(0), f32(1e30), f32(Number.NaN), f32(-Infinity)].map(printExpr)
  assert.deepEqual(texts, ['1.0', '1', '-0.0', '0.0', '1e+30', 'NaN', '-Infinity'])
})

test('an expression by itself prints its shared parts first', () => {
  const x: Expr = { kind: 'load', dtype: 'f32', buffer: 2, index: addConstant(variable(5, 9), -1), guarded: true }
  const t = unary('tanh', x)
  assert.equal(printExpr(binary('sub', t, binary('max', t, f32(0.5)))), 't0 = tanh(b2[v5-1]?)\n(t0 - max(t0, 0.5))')
  assert.equal(printIndex(addConstant(variable(5, 9), -1)), 'v5-1')
})

test('a plan prints its buffers, kernels and steps', () => {
  const text = printPlan({
    kernels: [kernel(0, 1)],
    arenaBytes: 64,
    checks: [{ label: 'class', size: 10 }],
    buffers: [
      { dtype: 'f32', length: 12, place: { kind: 'argument', position: 0, access: 'read', resident: true } },
      { dtype: 'f32', length: 12, place: { kind: 'arena', offset: 0 } },
    ],
    steps: [[{ kernel: 0, buffers: [0, 1], size: null }]],
  })
  assert.match(
    text,
    /buffer 0: f32\[12\] argument 0 read resident\nbuffer 1: f32\[12\] arena at 0\ncheck 0: class, below 10/,
  )
  assert.match(text, /step 0: kernel 0 \(0, 1\)$/)
})
