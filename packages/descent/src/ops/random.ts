/**
 * Random bits from a counter: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * Element i of draw c under key (k0, k1) is the first word of Philox at counter (i, c, 0, 0): the same bits on every
 * device, for any number of threads.
 */
import type { Shape } from '../dtype.ts'
import { contiguousStrides } from '../dtype.ts'
import * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { OpDef } from './op.ts'

const M0 = 0xd2511f53 | 0
const M1 = 0xcd9e8d57 | 0
const W0 = 0x9e3779b9 | 0
const W1 = 0xbb67ae85 | 0

/** inputs: key i32 [2], draw i32 []. Result: 32 random bits an element, as i32. */
export const randomBits: OpDef<{ shape: Shape }> = {
  name: 'randomBits',
  infer: (_inputs, { shape }) => ({ shape, dtype: 'i32' }),
  lower: (_inputs, { shape }) => ({
    kind: 'map',
    form: 'movement',
    cost: 120,
    inMemory: [],
    value: (at, context) => {
      const element = E.indexValue(I.dot(at, contiguousStrides(shape)))
      const key: [E.Expr, E.Expr] = [context.read(0, [I.constant(0)]), context.read(0, [I.constant(1)])]
      return philox([element, context.read(1, []), E.i32(0), E.i32(0)], key)
    },
  }),
}

type Block = [E.Expr, E.Expr, E.Expr, E.Expr]

function philox(counter: Block, key: [E.Expr, E.Expr]): E.Expr {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const high0 = E.binary('mulhi', c0, E.i32(M0))
    const high1 = E.binary('mulhi', c2, E.i32(M1))
    const low0 = E.binary('mul', c0, E.i32(M0))
    const low1 = E.binary('mul', c2, E.i32(M1))
    c0 = E.binary('xor', E.binary('xor', high1, c1), k0)
    c1 = low1
    c2 = E.binary('xor', E.binary('xor', high0, c3), k1)
    c3 = low0
    k0 = E.binary('add', k0, E.i32(W0))
    k1 = E.binary('add', k1, E.i32(W1))
  }
  return c0
}

/** 32 random bits to a float in [0, 1): the top 24 bits times 2⁻²⁴. */
export const unitFloat: OpDef<Record<string, never>> = {
  name: 'unitFloat',
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: 'f32' }),
  lower: () => ({
    kind: 'map',
    form: 'pointwise',
    cost: 3,
    inMemory: [],
    value: (at, context) =>
      E.binary('mul', E.cast('f32', E.binary('shr', context.read(0, at), E.i32(8))), E.f32(2 ** -24)),
  }),
}
