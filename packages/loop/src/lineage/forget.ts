/**
 * `descent forget`: removes an example's content for good: from the store, from the log of requests, from the golden examples of
 * versions, from reports and caches of runs. Its row and hash stay, so that snapshots still say what they were made of, and so
 * that the same content, imported again, does not come back unnoticed. What learned from it is not changed by this: the
 * report says what must be trained anew.
 */
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Project } from '../project/project.ts'
import { removeGolden } from '../registry/golden-removal.ts'
import { findExample } from '../store/examples.ts'
import { runFolder } from '../training/run.ts'
import { type Impact, impact } from './impact.ts'
import { influenceName } from './influence.ts'

export interface ForgetOptions {
  readonly who?: string | undefined
  readonly why?: string | undefined
}

export interface Forgotten {
  readonly impact: Impact
  /** Logged requests whose input was removed. */
  readonly requests: number
  /** Versions of which a golden example was removed. */
  readonly golden: readonly number[]
  /** Copies of the database, made before it was brought to a newer schema, that may still hold the content. */
  readonly backups: readonly string[]
}

/** Where `descent evaluate` draws an example. */
const drawn = ['report.html', influenceName]

/**
 * Forgets the example whose id begins so. Called again, it finishes what was interrupted.
 * @throws {UserError} where no example's id begins so, or several do
 */
export async function forget(project: Project, prefix: string, { who, why }: ForgetOptions = {}): Promise<Forgotten> {
  const { store } = project
  const example = await findExample(store, prefix)
  const touched = await impact(project, prefix)
  for (const { number } of touched.runs)
    for (const name of drawn) await rm(join(runFolder(project, number), name), { force: true })
  const golden: number[] = []
  for (const { number } of touched.versions) if (await removeGolden(project, number, touched.id)) golden.push(number)
  const requests = await store.erase(async (db) => {
    const row = await db.selectFrom('example').select('file').where('number', '=', example).executeTakeFirstOrThrow()
    const now = new Date().toISOString()
    await db
      .insertInto('forgotten')
      .values({ example, at: now, who: who ?? userInfo().username, why: why ?? null })
      .onConflict((conflict) => conflict.column('example').doNothing())
      .execute()
    await db
      .updateTable('example')
      .set({ body: null, file: null, bytes: 0, name: null, group_key: null, time_key: null })
      .where('number', '=', example)
      .execute()
    await db
      .updateTable('queued')
      .set({ closed_at: now })
      .where('example', '=', example)
      .where('closed_at', 'is', null)
      .execute()
    const { numUpdatedRows } = await db
      .updateTable('prediction')
      .set({ body: null })
      .where('content', '=', touched.id)
      .where('body', 'is not', null)
      .executeTakeFirst()
    // A file that another example shares stays. Removed within the transaction: a kill in between can be made good by calling again.
    if (row.file !== null) {
      const { file } = row
      const other = await db.selectFrom('example').select('number').where('file', '=', file).executeTakeFirst()
      if (!other) await rm(store.files.path(file), { force: true })
    }
    return Number(numUpdatedRows)
  })
  return { impact: touched, requests, golden, backups: await backupsOf(store.folder) }
}

async function backupsOf(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return []
  return (await readdir(folder)).filter((name) => /\.before-version-/.test(name)).map((name) => join(folder, name))
}
