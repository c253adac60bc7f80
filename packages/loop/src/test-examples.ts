/** For tests: puts contents into a project directly, as an import would. */

import { addLabeler, appendLabel, type LabelValue } from './labeling/events.ts'
import type { Project } from './project/project.ts'
import { type Content, encodeContent, exampleId } from './store/content.ts'
import type { SnapshotColumn } from './versioning/manifest.ts'

export interface TestExample {
  readonly content: Content
  readonly label?: LabelValue | null | undefined
  readonly name?: string
  readonly split?: string
}

/** Adds the examples, and their labels as words of the labeler; gives the examples' numbers. */
export async function addExamples(
  project: Project,
  examples: Iterable<TestExample>,
  labeler = 'file',
): Promise<number[]> {
  const { store } = project
  return store.transaction(async (db) => {
    await addLabeler(db, labeler, labeler === 'file' ? 'file' : 'person')
    const { id: importId } = await db
      .insertInto('import')
      .values({
        path: 'test',
        format: 'test',
        options: '{}',
        started_at: '',
        status: 'done',
        rows: 0,
        added: 0,
        duplicates: 0,
        bad: 0,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    const numbers: number[] = []
    let place = 0
    for (const { content, label = null, name = null, split = null } of examples) {
      const stored = encodeContent(content)
      const id = exampleId(stored)
      await db
        .insertInto('example')
        .values({
          ...stored,
          id,
          bytes: stored.body.length,
          import_id: importId,
          place: ++place,
          name,
          given_split: split,
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
      const { number } = await db.selectFrom('example').select('number').where('id', '=', id).executeTakeFirstOrThrow()
      if (label !== null) appendLabel(store, { example: number, value: label, labeler })
      numbers.push(number)
    }
    return numbers
  })
}

/** Says what columns the rows of the project have. */
export async function addColumns({ store }: Project, columns: readonly SnapshotColumn[]): Promise<void> {
  await store.transaction(async (db) => {
    for (const [position, { name, type }] of columns.entries())
      await db.insertInto('field').values({ name, type, position }).execute()
  })
}

export function texts(...lines: readonly string[]): TestExample[] {
  return lines.map((text) => ({ content: { kind: 'text', text } }))
}
