/** Losses for predictions that are classes. */
export * from './binary.ts'
export * from './cross-entropy.ts'
export * from './margin.ts'
