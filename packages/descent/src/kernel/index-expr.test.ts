import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { contiguousStrides, sizeOf } from '../dtype.ts'
import {
  add,
  addConstant,
  constant,
  div,
  dot,
  evaluate,
  type Index,
  indexKey,
  mod,
  range,
  sameIndex,
  scale,
  strideIn,
  substitute,
  variable,
  variablesOf,
} from './index-expr.ts'

const sizes = [5, 3, 4, 1]

/** An expression beside a plain function that computes the same. */
interface Pair {
  index: Index
  value: (v: readonly number[]) => number
}

const floorMod = (a: number, b: number): number => a - b * Math.floor(a / b)

const pair: fc.Arbitrary<Pair> = fc.letrec<{ pair: Pair }>((tie) => ({
  pair: fc.oneof(
    { maxDepth: 6, depthSize: 'large', withCrossShrink: true },
    fc.nat(sizes.length - 1).map((i) => ({
      index: variable(i, sizes[i] as number),
      value: (v: readonly number[]) => v[i] as number,
    })),
    fc.integer({ min: -20, max: 20 }).map((c) => ({ index: constant(c), value: () => c })),
    fc.tuple(tie('pair'), tie('pair')).map(([a, b]) => ({
      index: add(a.index, b.index),
      value: (v: readonly number[]) => a.value(v) + b.value(v),
    })),
    fc.tuple(tie('pair'), fc.integer({ min: -6, max: 12 })).map(([a, c]) => ({
      index: scale(a.index, c),
      value: (v: readonly number[]) => a.value(v) * c,
    })),
    fc.tuple(tie('pair'), fc.integer({ min: -9, max: 9 })).map(([a, c]) => ({
      index: addConstant(a.index, c),
      value: (v: readonly number[]) => a.value(v) + c,
    })),
    fc.tuple(tie('pair'), fc.integer({ min: 1, max: 12 })).map(([a, c]) => ({
      index: div(a.index, c),
      value: (v: readonly number[]) => Math.floor(a.value(v) / c),
    })),
    fc.tuple(tie('pair'), fc.integer({ min: 1, max: 12 })).map(([a, c]) => ({
      index: mod(a.index, c),
      value: (v: readonly number[]) => floorMod(a.value(v), c),
    })),
    // x = by · (x div by) + x mod by, in pieces that have to find each other again.
    fc.tuple(tie('pair'), fc.integer({ min: 2, max: 6 }), tie('pair')).map(([a, by, b]) => ({
      index: add(add(mod(a.index, by), b.index), scale(div(a.index, by), by)),
      value: (v: readonly number[]) => a.value(v) + b.value(v),
    })),
  ),
})).pair

function* points(extents: readonly number[]): Generator<number[]> {
  const total = sizeOf(extents)
  const strides = contiguousStrides(extents)
  for (let flat = 0; flat < total; flat++) {
    yield extents.map((extent, d) => Math.floor(flat / (strides[d] as number)) % extent)
  }
}

const asMap = (v: readonly number[]): Map<number, number> => new Map(v.map((x, i) => [i, x]))

test('the normal form has the value of what was written, and its range holds every value', () => {
  fc.assert(
    fc.property(pair, ({ index, value }) => {
      const { low, high } = range(index)
      for (const v of points(sizes)) {
        const got = evaluate(index, asMap(v))
        assert.equal(got + 0, value(v) + 0, indexKey(index))
        assert.ok(low <= got && got <= high, `${got} in ${low}…${high}`)
      }
    }),
    { numRuns: 500 },
  )
})

test('substituting expressions is evaluating them first', () => {
  fc.assert(
    fc.property(pair, pair, pair, ({ index }, a, b) => {
      const replaced = substitute(
        index,
        new Map([
          [0, a.index],
          [2, b.index],
        ]),
      )
      for (const v of points(sizes)) {
        const inner = asMap(v)
        inner.set(0, a.value(v))
        inner.set(2, b.value(v))
        assert.equal(evaluate(replaced, asMap(v)) + 0, evaluate(index, inner) + 0)
      }
    }),
    { numRuns: 300 },
  )
})

test('a stride is the difference between neighbours, and a variable that is not there does not matter', () => {
  fc.assert(
    fc.property(pair, fc.nat(2), ({ index }, id) => {
      const stride = strideIn(index, id)
      const present = variablesOf(index).has(id)
      for (const v of points(sizes)) {
        const next = asMap(v)
        next.set(id, (v[id] as number) + 1)
        const step = evaluate(index, next) - evaluate(index, asMap(v))
        if (stride !== null) assert.equal(step + 0, stride + 0)
        if (!present) assert.equal(step + 0, 0)
      }
    }),
    { numRuns: 300 },
  )
})

test('the order of writing a sum does not change its normal form', () => {
  fc.assert(
    fc.property(pair, pair, pair, (a, b, c) => {
      assert.ok(sameIndex(add(a.index, b.index), add(b.index, a.index)))
      const left = add(add(a.index, b.index), c.index)
      const right = add(a.index, add(b.index, c.index))
      for (const v of points(sizes)) assert.equal(evaluate(left, asMap(v)) + 0, evaluate(right, asMap(v)) + 0)
    }),
    { numRuns: 300 },
  )
})

type Step = { kind: 'reshape'; to: number[] } | { kind: 'permute'; dims: number[] } | { kind: 'flip'; dim: number }

/** What PyTorch calls a view: from the coordinates of the result back to those of the source. */
function through(step: Step, from: readonly number[], to: readonly number[], at: readonly Index[]): Index[] {
  switch (step.kind) {
    case 'reshape': {
      const flat = dot(at, contiguousStrides(to))
      const strides = contiguousStrides(from)
      return from.map((extent, d) => mod(div(flat, strides[d] as number), extent))
    }
    case 'permute':
      return from.map((_, d) => at[step.dims.indexOf(d)] as Index)
    case 'flip':
      return from.map((extent, d) => {
        const x = at[d] as Index
        return d === step.dim ? addConstant(scale(x, -1), extent - 1) : x
      })
  }
}

const factorings = [[24], [2, 12], [4, 6], [2, 3, 4], [3, 8], [6, 2, 2], [1, 24], [2, 2, 2, 3], [8, 1, 3]]

const chain: fc.Arbitrary<{ shape: number[]; steps: Step[] }> = fc
  .tuple(fc.constantFrom(...factorings), fc.array(fc.tuple(fc.nat(2), fc.nat(1000)), { maxLength: 6 }))
  .map(([start, choices]) => {
    const steps: Step[] = []
    let shape = start
    for (const [kind, choice] of choices) {
      if (kind === 0) {
        shape = factorings[choice % factorings.length] as number[]
        steps.push({ kind: 'reshape', to: shape })
      } else if (kind === 1) {
        const shift = choice % shape.length
        const dims = shape.map((_, d) => (d + shift) % shape.length)
        if (choice % 2 === 1) dims.reverse()
        shape = dims.map((d) => shape[d] as number)
        steps.push({ kind: 'permute', dims })
      } else steps.push({ kind: 'flip', dim: choice % shape.length })
    }
    return { shape: start, steps }
  })

/** The same by moving the elements of an array. */
function moved(values: readonly number[], from: readonly number[], step: Step): { values: number[]; shape: number[] } {
  if (step.kind === 'reshape') return { values: [...values], shape: step.to }
  const strides = contiguousStrides(from)
  const shape = step.kind === 'permute' ? step.dims.map((d) => from[d] as number) : [...from]
  const result = [...points(shape)].map((v) => {
    let at = 0
    for (const [d, extent] of from.entries()) {
      const x =
        step.kind === 'permute' ? v[step.dims.indexOf(d)] : d === step.dim ? extent - 1 - (v[d] as number) : v[d]
      at += (x as number) * (strides[d] as number)
    }
    return values[at] as number
  })
  return { values: result, shape }
}

test('chains of reshape, permute and flip address the elements that moving them would give', () => {
  fc.assert(
    fc.property(chain, ({ shape, steps }) => {
      let values = Array.from({ length: 24 }, (_, i) => i)
      const shapes = [shape]
      for (const step of steps) {
        const next = moved(values, shapes.at(-1) as number[], step)
        values = next.values
        shapes.push(next.shape)
      }
      const last = shapes.at(-1) as number[]
      let at = last.map((extent, d) => variable(d, extent))
      for (let s = steps.length - 1; s >= 0; s--) {
        at = through(steps[s] as Step, shapes[s] as number[], shapes[s + 1] as number[], at)
      }
      const address = dot(at, contiguousStrides(shape))
      const got = [...points(last)].map((v) => evaluate(address, asMap(v)))
      assert.deepEqual(got, values, indexKey(address))
    }),
    { numRuns: 500 },
  )
})

test('reshaping there and back gives the first address again', () => {
  for (const from of factorings) {
    for (const to of factorings) {
      const variables = from.map((extent, d) => variable(d, extent))
      const there = through({ kind: 'reshape', to: from }, to, from, variables)
      const back = through({ kind: 'reshape', to }, from, to, there)
      assert.equal(indexKey(dot(back, contiguousStrides(from))), indexKey(dot(variables, contiguousStrides(from))))
    }
  }
})

test('quotient and remainder of one expression join again', () => {
  const x = add(scale(variable(0, 7), 3), variable(1, 5))
  assert.equal(indexKey(add(scale(div(x, 4), 4), mod(x, 4))), indexKey(x))
  assert.equal(indexKey(add(scale(div(x, 4), 8), scale(mod(x, 4), 2))), indexKey(scale(x, 2)))
})

test('quotients round towards minus infinity and remainders are never negative', () => {
  const x = addConstant(variable(0, 4), -3)
  const quotients = [0, 1, 2, 3].map((v) => evaluate(div(x, 2), new Map([[0, v]])))
  const remainders = [0, 1, 2, 3].map((v) => evaluate(mod(x, 2), new Map([[0, v]])))
  assert.deepEqual(quotients, [-2, -1, -1, 0])
  assert.deepEqual(remainders, [1, 0, 1, 0])
})
