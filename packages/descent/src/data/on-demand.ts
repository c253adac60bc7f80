/** What is loaded when data is first read from files, streams or workers: one piece, so that a page asks once. */
export { batchServer } from './batch-server.ts'
export { csvTables, readCsvFile } from './csv-file.ts'
export { openImages } from './image-dataset.ts'
export { jsonlTables, readJsonlFile } from './jsonl-file.ts'
export { openModule } from './module-dataset.ts'
export { parquetTables, readParquetFile } from './parquet-file.ts'
export { streamBatches } from './stream-batches.ts'
export { WorkerPool } from './worker-pool.ts'
