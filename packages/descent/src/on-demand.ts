/**
 * What is loaded when a training begins, or when data or models are first read: public functions that are `async` anyway
 * are thin and import their work from here. It is one piece, so that a page asks once, and so that bundlers do not cut
 * what is loaded at once into small pieces too.
 */
export { batchServer } from './data/batch-server.ts'
export { csvTables, readCsvFile } from './data/csv-file.ts'
export { openImages } from './data/image-dataset.ts'
export { jsonlTables, readJsonlFile } from './data/jsonl-file.ts'
export { openModule } from './data/module-dataset.ts'
export { parquetTables, readParquetFile } from './data/parquet-file.ts'
export { streamBatches } from './data/stream-batches.ts'
export { WorkerPool } from './data/worker-pool.ts'
export { readModel, writeModel } from './io/model-folder.ts'
export { readZip, writeZip } from './io/zip.ts'
export { balancedWeights } from './train/count-classes.ts'
export { evaluator } from './train/evaluator.ts'
export { Board } from './train/history/event-board.ts'
export { appendReport, openHistory, readReports } from './train/history/jsonl-file.ts'
export { sweep } from './train/learning-rate-sweep.ts'
export { Training } from './train/training.ts'
