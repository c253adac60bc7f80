/**
 * Random bits from a counter: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * Block b of draw c under key (k0, k1) is Philox at counter (b, c, 0, 0): the same bits on every device, for any number
 * of threads.
 */
import type { DType, Shape } from '../dtype.ts'
import { contiguousStrides } from '../dtype.ts'
import * as E from '../kernel/expr.ts'
import * as I from '../kernel/index-expr.ts'
import type { OpDef } from './op.ts'

const M0 = 0xd2511f53 | 0
const M1 = 0xcd9e8d57 | 0
const W0 = 0x9e3779b9 | 0
const W1 = 0xbb67ae85 | 0

type Attrs = { readonly shape: Shape }

/**
 * inputs: key i32 [2], draw i32 []. `value` gives an element from the number of the element and the random words of any
 * block of the draw.
 */
function random(
  name: string,
  dtype: DType,
  cost: number,
  value: (element: E.Expr, words: (block: E.Expr) => Block) => E.Expr,
): OpDef<Attrs> {
  return {
    name,
    infer: (_inputs, { shape }) => ({ shape, dtype }),
    lower: (_inputs, { shape }) => ({
      kind: 'map',
      form: 'movement',
      cost,
      inMemory: [],
      value: (at, context) => {
        const element = E.indexValue(I.dot(at, contiguousStrides(shape)))
        const key: [E.Expr, E.Expr] = [context.read(0, [I.constant(0)]), context.read(0, [I.constant(1)])]
        return value(element, (block) => philox([block, context.read(1, []), E.i32(0), E.i32(0)], key))
      },
    }),
  }
}

/** Element i is word i mod 4 of block ⌊i / 4⌋. */
function ownWord(element: E.Expr, words: (block: E.Expr) => Block): E.Expr {
  const [first, second, third, fourth] = words(E.binary('shr', element, E.i32(2)))
  const place = E.binary('and', element, E.i32(3))
  const is = (number: number): E.Expr => E.binary('eq', place, E.i32(number))
  return E.select(is(0), first, E.select(is(1), second, E.select(is(2), third, fourth)))
}

/** 32 random bits an element, as i32. */
export const randomBits = random('randomBits', 'i32', 120, ownWord)

/** Uniform in [0, 1). */
export const randomUniform = random('randomUniform', 'f32', 123, (element, words) => unit(ownWord(element, words)))

/** Standard normal by Box and Muller's transform of two words of the element's own block. */
export const randomNormal = random('randomNormal', 'f32', 170, (element, words) => {
  const [first, second] = words(element)
  const radius = E.unary('sqrt', E.binary('mul', E.unary('log', E.binary('sub', E.f32(1), unit(first))), E.f32(-2)))
  return E.binary('mul', radius, E.unary('cos', E.binary('mul', unit(second), E.f32(2 * Math.PI))))
})

/** The top 24 bits times 2⁻²⁴. */
function unit(word: E.Expr): E.Expr {
  return E.binary('mul', E.cast('f32', E.binary('shr', word, E.i32(8))), E.f32(2 ** -24))
}

type Block = [E.Expr, E.Expr, E.Expr, E.Expr]

function philox(counter: Block, key: [E.Expr, E.Expr]): Block {
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
  return [c0, c1, c2, c3]
}
