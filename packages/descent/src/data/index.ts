/** Data: files, datasets, batches. */

export type { FileSource } from './byte-stream.ts'
export type { ColumnType, TableColumn } from './column-builder.ts'
export { type CsvOptions, parseCsv, readCsv } from './csv.ts'
export { ArrayDataset, type Batch, type Column, column, type Dataset, images, TensorDataset } from './dataset.ts'
export type { Feature, Rows } from './features.ts'
export { fromArrays, fromRows } from './from-arrays.ts'
export { type IdxArray, parseIdx, readIdx } from './idx.ts'
export { readJsonl } from './jsonl.ts'
export { DataLoader, type LoaderOptions, type NumberedBatch } from './loader.ts'
export { readParquet } from './parquet.ts'
export { permutation } from './permutation.ts'
export {
  Preprocessing,
  type PreprocessingOptions,
  type PreprocessingState,
  TableDataset,
  type Target,
} from './preprocessing.ts'
export { type BadReason, type OnBadRow, RowError, type Skipped } from './row-error.ts'
export { Table } from './table.ts'
export type { TableOptions } from './table-builder.ts'
export type { TableValue } from './table-value.ts'
