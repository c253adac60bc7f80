/** Reading examples back from the store. */
import { UserError } from '../errors.ts'
import { type Content, decodeContent } from './content.ts'
import type { Store } from './store.ts'

/** An example with its content. */
export interface Example {
  readonly number: number
  readonly id: string
  readonly content: Content
  /** The file's path within its import, where there is one. */
  readonly name: string | null
}

/** How many examples are read at once. */
const batch = 500

/** The examples with these numbers, in the order asked for, without holding more than a batch of them. */
export async function* readExamples(store: Store, numbers: Iterable<number>): AsyncGenerator<Example> {
  let chunk: number[] = []
  for (const number of numbers) {
    chunk.push(number)
    if (chunk.length === batch) {
      yield* readChunk(store, chunk)
      chunk = []
    }
  }
  if (chunk.length > 0) yield* readChunk(store, chunk)
}

/** One example by its number. */
export async function readExample(store: Store, number: number): Promise<Example> {
  for await (const example of readChunk(store, [number])) return example
  throw new UserError(`There is no example number ${number}.`)
}

/**
 * The number of the example whose id begins so.
 * @throws {UserError} where none does, or several do
 */
export async function findExample(store: Store, prefix: string): Promise<number> {
  if (!/^[0-9a-f]+$/.test(prefix))
    throw new UserError(`'${prefix}' is no example id: ids are hexadecimal, such as 3fa9c1.`)
  const found = await store.db
    .selectFrom('example')
    .select(['number', 'id'])
    .where('id', '>=', prefix)
    .where('id', '<', `${prefix}g`)
    .orderBy('id')
    .limit(2)
    .execute()
  const [first, second] = found
  if (!first) throw new UserError(`No example's id begins with ${prefix}.`)
  if (second)
    throw new UserError(
      `Several examples' ids begin with ${prefix}, such as ${first.id} and ${second.id}: write more of it.`,
    )
  return first.number
}

async function* readChunk(store: Store, numbers: readonly number[]): AsyncGenerator<Example> {
  const rows = await store.db
    .selectFrom('example')
    .select(['number', 'id', 'media', 'body', 'file', 'name'])
    .where('number', 'in', numbers)
    .execute()
  const byNumber = new Map(rows.map((row) => [row.number, row]))
  for (const number of numbers) {
    const row = byNumber.get(number)
    if (!row) throw new UserError(`There is no example number ${number}.`)
    const { media, file, id, name } = row
    const body = row.body ?? (file === null ? null : await store.files.get(file))
    if (body === null)
      throw new UserError(`The content of example ${id} was removed for good (\`descent forget\`): it cannot be shown.`)
    yield { number, id, name, content: decodeContent({ media, body }) }
  }
}
