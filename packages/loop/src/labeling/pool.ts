/** Who is to be asked about what: the examples that a labeler could label next. */
import type { Project } from '../project/project.ts'
import { presentEvents } from './events.ts'

export interface PoolOptions {
  /** The person who will be asked; what they have labelled or skipped is not asked again. */
  readonly labeler?: string | undefined
  /** Also what others have labelled already: second opinions. */
  readonly again?: boolean | undefined
}

/**
 * Numbers of the examples to choose from, in order. Rules and models do not count: what only they labelled is still in it.
 * Forgotten examples are not.
 */
export async function labelingPool(
  { store }: Project,
  { labeler, again = false }: PoolOptions = {},
): Promise<number[]> {
  const { db } = store
  const skipped = await db
    .selectFrom('skip')
    .select('example')
    .where('labeler', '=', labeler ?? '')
    .execute()
  const out = new Set(skipped.map(({ example }) => example))
  for (const { example, labeler: who, kind } of await presentEvents(store)) {
    if (who === labeler || (!again && (kind === 'person' || kind === 'file'))) out.add(example)
  }
  const all = await db
    .selectFrom('example')
    .leftJoin('forgotten', 'forgotten.example', 'example.number')
    .select('example.number')
    .where('forgotten.at', 'is', null)
    .orderBy('example.number')
    .execute()
  return all.flatMap(({ number }) => (out.has(number) ? [] : [number]))
}

/** Numbers of the examples that a person or a file has labelled, in order. */
export async function labelledExamples({ store }: Project): Promise<number[]> {
  const gone = await store.db.selectFrom('forgotten').select('example').execute()
  const forgotten = new Set(gone.map(({ example }) => example))
  const labelled = (await presentEvents(store)).filter(({ kind }) => kind === 'person' || kind === 'file')
  return [...new Set(labelled.map(({ example }) => example))].filter((example) => !forgotten.has(example))
}
