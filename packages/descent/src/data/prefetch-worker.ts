/** A thread that prepares batches: the library's own worker. */
import { serveBatches } from './serve-batches.ts'

serveBatches()
