/** GEMM: C = A·B into memory that is there, square and in the shapes that networks have. */
import { compile, noGrad, tensor, zeros } from 'descent'
import { type Step, sequence, type Workload } from '../workload.ts'

export interface Product {
  readonly m: number
  readonly k: number
  readonly n: number
}

const products: readonly (readonly [string, Product])[] = [
  ...[256, 512, 1024, 2048].map((n) => [`GEMM_${n}`, { m: n, k: n, n }] as const),
  ['GEMM_256x784x128', { m: 256, k: 784, n: 128 }],
  ['GEMM_32x784x128', { m: 32, k: 784, n: 128 }],
  ['GEMM_64x784x128', { m: 64, k: 784, n: 128 }],
  ['GEMM_1024x128x512', { m: 1024, k: 128, n: 512 }],
  ['GEMM_256x1024x2048', { m: 256, k: 1024, n: 2048 }],
  ['GEMM_1x784x128', { m: 1, k: 784, n: 128 }],
  ['GEMM_1x2048x2048', { m: 1, k: 2048, n: 2048 }],
]

export const gemms: readonly (Workload & { readonly product: Product })[] = products.map(([name, product]) => ({
  name,
  about: `[${product.m}, ${product.k}] × [${product.k}, ${product.n}]`,
  flops: 2 * product.m * product.k * product.n,
  // A row times a matrix reads the whole matrix for one multiply-add an element; a small one stays in the caches.
  bytes: product.m === 1 && product.k * product.n >= 2 ** 20 ? 4 * product.k * product.n : 0,
  product,
}))

export function prepare({ m, k, n }: Product): Step {
  const a = tensor(sequence(m * k), { shape: [m, k] })
  const b = tensor(sequence(k * n, 2), { shape: [k, n] })
  const c = zeros([m, n])
  const multiply = compile(() => {
    c.copy_(a.matmul(b))
  })
  return () => noGrad(() => multiply())
}
