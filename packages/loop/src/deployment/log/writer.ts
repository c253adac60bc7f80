/**
 * The thread that writes the log, with a connection of its own: one message of predictions is one transaction, in the order in
 * which they come. Between them it removes what is beyond age or size.
 */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { exampleId } from '../../store/content.ts'
import { bulkStatement } from '../../store/statement.ts'
import { Store } from '../../store/store.ts'
import {
  type Feedback,
  type FromWriter,
  type KeptFeedback,
  type LogColumns,
  type LogContext,
  numberOf,
  numbersEach,
  type ToWriter,
  type WriterTask,
} from './entry.ts'
import { Retention } from './retention.ts'

const port = parentPort as MessagePort
yieldToAnswers()
const { folder, keep } = workerData as WriterTask
const store = await Store.open(folder)
const retention = new Retention(store, keep)
const say = (message: FromWriter): void => port.postMessage(message)

interface Row {
  id: string
  at: string
  version: number
  role: 'champion' | 'shadow' | 'asked'
  random: number
  shadows: string | null
  content: string
  media: string
  body: Uint8Array
  output: string
  uncertainty: number | null
  milliseconds: number
  token: string | null
}

const names = [
  'id',
  'at',
  'version',
  'role',
  'random',
  'shadows',
  'content',
  'media',
  'body',
  'output',
  'uncertainty',
  'milliseconds',
  'token',
] as const satisfies readonly (keyof Row)[]
const insert = bulkStatement<Row>(names, (rows) => store.db.insertInto('prediction').values(rows))

/** Milliseconds between two looks at age and size. */
const retentionInterval = 10_000

let queue: Promise<void> = Promise.resolve()
port.on('message', (message: ToWriter) => {
  queue = queue.then(() => handle(message))
})
let timer = setTimeout(retain, 1000)
say({ kind: 'ready' })

/** Where all processors are busy, answering comes first. Linux numbers threads like processes; elsewhere nothing changes. */
function yieldToAnswers(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), 10)
  } catch {
    // Without it the log is written all the same.
  }
}

async function handle(message: ToWriter): Promise<void> {
  switch (message.kind) {
    case 'predictions': {
      const { batch, columns } = message
      const error = await attempt(async () => {
        const rows = rowsOf(columns)
        await store.transaction(async () => store.runBulk(insert, rows))
        retention.added(rows.length, columns.bodies.length)
      })
      say({ kind: 'written', batch, error })
      break
    }
    case 'feedback': {
      let kept: KeptFeedback | null = null
      const error = await attempt(async () => {
        kept = await keepFeedback(message.feedback)
      })
      say({ kind: 'feedback', ticket: message.ticket, kept, error })
      break
    }
    case 'close':
      clearTimeout(timer)
      await store.close()
      port.close()
      break
    default:
      message satisfies never
  }
}

async function attempt(work: () => Promise<void>): Promise<string | null> {
  try {
    await work()
    return null
  } catch (error) {
    return (error as Error).message.replace(/\.$/, '')
  }
}

function rowsOf({ length, contexts, numbers, texts, bodies, shadows }: LogColumns): Row[] {
  const text = Buffer.from(texts.buffer, texts.byteOffset, texts.length)
  const shadowed = new Map(shadows)
  let [textAt, bodyAt] = [0, 0]
  return Array.from({ length }, (_, i) => {
    const number = (which: keyof typeof numberOf) => numbers[i * numbersEach + numberOf[which]] as number
    const { version, role, media, token } = contexts[number('context')] as LogContext
    const uncertainty = number('uncertainty')
    const body = bodies.subarray(bodyAt, number('bodyEnd'))
    const row = {
      id: text.toString('utf8', textAt, number('idEnd')),
      at: new Date(number('time')).toISOString(),
      version,
      role,
      random: number('random'),
      shadows: shadowed.get(i) ?? null,
      content: exampleId({ media, body }),
      media,
      body,
      output: text.toString('utf8', number('idEnd'), number('outputEnd')),
      uncertainty: Number.isNaN(uncertainty) ? null : uncertainty,
      milliseconds: number('milliseconds'),
      token,
    }
    textAt = number('outputEnd')
    bodyAt = number('bodyEnd')
    return row
  })
}

/** Null where there is no such prediction. */
function keepFeedback({ prediction, value, at, who }: Feedback): Promise<KeptFeedback | null> {
  return store.transaction(async (db) => {
    const known = await db.selectFrom('prediction').select('output').where('id', '=', prediction).executeTakeFirst()
    if (!known) return null
    const row = await db
      .insertInto('feedback')
      .values({ prediction, value, at: new Date(at).toISOString(), who })
      .returning('number')
      .executeTakeFirstOrThrow()
    return { number: row.number, output: known.output }
  })
}

function retain(): void {
  queue = queue.then(async () => {
    // A failure here (a busy or full database) is met again, and told, by the next batch that cannot be written.
    const removed = await retention.step(Date.now()).catch(() => 0)
    if (removed > 0) say({ kind: 'retained', removed })
    timer = setTimeout(retain, removed > 0 ? 100 : retentionInterval)
    timer.unref()
  })
}
