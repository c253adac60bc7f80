/** Takes an import back: what it brought goes, and what others have said about it since keeps what they spoke of. */
import { rm } from 'node:fs/promises'
import type { Store } from '../store/store.ts'

/** Removes the import's labels and examples; `why` is kept as its report. Only for an import that has not ended well. */
export async function undoImport(store: Store, importId: number, why: string): Promise<void> {
  const files = await store.transaction(async (db) => {
    await db.deleteFrom('label').where('import_id', '=', importId).execute()
    const spoken = db
      .selectFrom('label')
      .select('example')
      .union(db.selectFrom('skip').select('example'))
      .union(db.selectFrom('frozen').select('example'))
    const gone = await db
      .deleteFrom('example')
      .where('import_id', '=', importId)
      .where('number', 'not in', spoken)
      .returning('file')
      .execute()
    const left = await db.selectFrom('example').select('number').limit(1).executeTakeFirst()
    if (!left) await db.deleteFrom('field').execute()
    await db
      .updateTable('import')
      .set({
        status: 'stopped',
        finished_at: new Date().toISOString(),
        content_hash: null,
        rows: 0,
        added: 0,
        duplicates: 0,
        report: JSON.stringify({ failed: why }),
      })
      .where('id', '=', importId)
      .execute()
    // Another import that was stopped may have counted on these examples: it begins anew.
    await db
      .updateTable('import')
      .set({ content_hash: null })
      .where('status', '!=', 'done')
      .where('id', '!=', importId)
      .execute()
    const names = gone.flatMap(({ file }) => (file === null ? [] : [file]))
    const unused: string[] = []
    for (const name of names) {
      const other = await db.selectFrom('example').select('number').where('file', '=', name).limit(1).executeTakeFirst()
      if (!other) unused.push(name)
    }
    return unused
  })
  for (const name of files) await rm(store.files.path(name), { force: true })
}
