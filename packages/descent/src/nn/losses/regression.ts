/** Losses for predictions that are quantities: distances, counts, measurements, distributions. */
export * from './distance.ts'
export * from './likelihood.ts'
