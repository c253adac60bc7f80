/** Batched matrix product [...B, M, K] × [...B, K, N]. */
import type { Meta } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { type OpDef, requireDType, shapeText } from './op.ts'

export const matmul: OpDef<Record<string, never>> = {
  name: 'matmul',
  infer: ([x, y]) => {
    const [a, b] = [x as Meta, y as Meta]
    requireDType('matmul', a, 'f32')
    requireDType('matmul', b, 'f32')
    const [k, inner] = [a.shape.at(-1) as number, b.shape.at(-2) as number]
    if (k !== inner) {
      const turned = b.shape.at(-1) === k ? ' Did you mean b.transpose(-2, -1)?' : ''
      throw new ShapeError(
        `matmul: ${shapeText(a.shape)} × ${shapeText(b.shape)}: inner sizes ${k} and ${inner} differ.${turned}`,
      )
    }
    return { shape: [...a.shape.slice(0, -1), b.shape.at(-1) as number], dtype: 'f32' }
  },
  vjp: (g, [x, y]) => {
    const [a, b] = [x as Tensor, y as Tensor]
    return [
      a.requiresGrad ? g.matmul(b.transpose(-2, -1)) : null,
      b.requiresGrad ? a.transpose(-2, -1).matmul(g) : null,
    ]
  },
  lower: ([a, b]) => ({
    kind: 'gemm',
    operands: [0, 1],
    batch: (a as Meta).shape.slice(0, -2),
    m: (a as Meta).shape.at(-2) as number,
    n: (b as Meta).shape.at(-1) as number,
    k: (a as Meta).shape.at(-1) as number,
    a: (batch, m, k) => [...batch, m, k],
    b: (batch, k, n) => [...batch, k, n],
    out: (batch, m, n) => [...batch, m, n],
  }),
}
