/**
 * The parts that read written cells, for programs that bring rows somewhere else than into tables: bytes of a file, rows of
 * CSV, values of fields, types of columns. Light to load: none of it needs tensors. `import { CsvScanner } from 'descent/cells'`.
 */
export { byteStream } from './byte-stream.ts'
export type { ColumnType } from './column-builder.ts'
export { CsvScanner, FAULTY, INCOMPLETE, undouble } from './csv-scanner.ts'
export { booleanOf, dateOf, numberOf } from './field.ts'
export { inferType } from './infer.ts'
