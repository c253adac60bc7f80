/** A thread that prepares batches: the library's own worker. */
import { batchServer } from './batch-server.ts'
import { listen } from './serve-batches.ts'

listen(batchServer)
