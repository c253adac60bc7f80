/** The longer methods of Tensor, by family. */
export * from './arithmetic.ts'
export * from './indexing.ts'
export * from './movement.ts'
export * from './products.ts'
export * from './reduction.ts'
