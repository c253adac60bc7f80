/** Data: files, datasets, batches. */

export {
  type Augmentation,
  augmentation,
  compose,
  cutOut,
  featureDropout,
  gaussianNoise,
  mixUp,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotate,
  randomShift,
} from './augment.ts'
export type { AugmentStep } from './augment-step.ts'
export type { ColumnType, TableColumn } from './column-builder.ts'
export type { Column } from './columns.ts'
export { type CsvOptions, parseCsv, readCsv } from './csv.ts'
export { ArrayDataset, type Batch, column, type Dataset, images, TensorDataset } from './dataset.ts'
export type { Feature, Rows } from './features.ts'
export type { FileSource } from './file-source.ts'
export { fromArrays, fromRows } from './from-arrays.ts'
export { type DatasetModule, fromModule } from './from-module.ts'
export { type IdxArray, parseIdx, readIdx } from './idx.ts'
export type { ImageFolder } from './image-dataset.ts'
export { type ImageFile, type ImageOptions, imageFolder } from './image-folder.ts'
export { readJsonl } from './jsonl.ts'
export { DataLoader, type LoaderOptions, type NumberedBatch } from './loader.ts'
export { type Example, type ExampleValue, MapDataset, type MapOptions } from './map-dataset.ts'
export type { ModuleDataset } from './module-dataset.ts'
export { readParquet } from './parquet.ts'
export { permutation } from './permutation.ts'
export {
  Preprocessing,
  type PreprocessingOptions,
  type PreprocessingState,
  TableDataset,
  type Target,
} from './preprocessing.ts'
export type { BadExample, BatchPlace, RawArray, RawBatch, RawExamples, SkippedRows, Source, Transform } from './raw.ts'
export { type BadReason, type OnBadRow, RowError, type Skipped } from './row-error.ts'
export { balancedWeights, type Sampler, WeightedRandomSampler } from './sampler.ts'
export { serveBatches } from './serve-batches.ts'
export type { SplitOptions } from './split.ts'
export type { RowStream } from './stream-batches.ts'
export { StreamLoader, type StreamLoaderOptions } from './stream-loader.ts'
export { ConcatDataset, randomSplit, Subset, stratifiedSplit } from './subset.ts'
export { Table } from './table.ts'
export type { TableOptions } from './table-builder.ts'
export { csvStream, jsonlStream, parquetStream, TableStream } from './table-stream.ts'
export type { TableValue } from './table-value.ts'
export type { WorkerFactory, WorkerLike } from './worker-pool.ts'
