/** The activations as functions. */
export * from './bounded.ts'
export * from './gated.ts'
export * from './rectified.ts'
