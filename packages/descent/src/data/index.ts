/** Data: files, datasets, batches. */
export { ArrayDataset, type Batch, type Column, column, type Dataset, images, TensorDataset } from './dataset.ts'
export { type IdxArray, parseIdx, readIdx } from './idx.ts'
export { DataLoader, type LoaderOptions, type NumberedBatch } from './loader.ts'
export { permutation } from './permutation.ts'
