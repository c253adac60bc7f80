/** Which examples findings are drawn from: those that an import brought, and earlier ones beside them, a random part of many. */
import { type Random, seeded } from '../../random.ts'
import type { Content } from '../../store/content.ts'
import { readExamples } from '../../store/examples.ts'
import type { Store } from '../../store/store.ts'

export interface Looked {
  readonly number: number
  readonly id: string
  readonly place: number
  readonly name: string | null
  /** Whether this import brought it. */
  readonly isNew: boolean
  readonly frozen: boolean
  readonly split: string | null
  /** What this import says it is. */
  readonly label: string | number | null
  readonly content: Content
}

/** The most that are looked at of what an import brought, and of what was there. */
export const mostLooked = 20_000

interface Range {
  readonly importId: number
  /** The numbers of the first and the last example that the import brought. */
  readonly from: number
  readonly to: number
}

const seed = 1
const chunk = 500

/** Earlier examples first, those of the frozen test set before others; then what is new; each in the order of arrival. */
export async function* lookedAt(store: Store, { importId, from, to }: Range, most: number): AsyncGenerator<Looked> {
  const random = seeded(seed)
  const frozen = (await store.db.selectFrom('frozen').select('example').where('example', '<', from).execute()).map(
    ({ example }) => example,
  )
  const before = someOf(1, from - 1, most, random)
  const earlier = [...new Set([...frozen.slice(0, most), ...before])].slice(0, most).sort((a, b) => a - b)
  for (const numbers of [earlier, someOf(from, to, most, random)]) {
    for (let at = 0; at < numbers.length; at += chunk) yield* readChunk(store, importId, numbers.slice(at, at + chunk))
  }
}

/** Up to `most` different whole numbers from `from` to `to`, ascending. */
function someOf(from: number, to: number, most: number, random: Random): number[] {
  const size = to - from + 1
  if (size <= most) return Array.from({ length: Math.max(0, size) }, (_, i) => from + i)
  const chosen = new Set<number>()
  while (chosen.size < most) chosen.add(from + Math.floor(random.uniform() * size))
  return [...chosen].sort((a, b) => a - b)
}

async function* readChunk(store: Store, importId: number, numbers: readonly number[]): AsyncGenerator<Looked> {
  const heads = await store.db
    .selectFrom('example')
    .leftJoin('frozen', 'frozen.example', 'example.number')
    .select(['number', 'place', 'import_id', 'given_split', 'frozen_at'])
    .where('number', 'in', numbers)
    .execute()
  const byNumber = new Map(heads.map((head) => [head.number, head]))
  const labels = await store.db
    .selectFrom('label')
    .select(['example', 'value'])
    .where('example', 'in', numbers)
    .where('import_id', '=', importId)
    .where('value', 'is not', null)
    .orderBy('number')
    .execute()
  const said = new Map(labels.map(({ example, value }) => [example, JSON.parse(value as string) as string | number]))
  // Numbers of examples that were taken back are gone.
  const present = numbers.filter((number) => byNumber.has(number))
  for await (const { number, id, name, content } of readExamples(store, present)) {
    const head = byNumber.get(number) as (typeof heads)[0]
    yield {
      number,
      id,
      name,
      content,
      place: head.place,
      isNew: head.import_id === importId,
      frozen: head.frozen_at !== null,
      split: head.frozen_at === null ? head.given_split : 'test',
      label: said.get(number) ?? null,
    }
  }
}
