/** The frozen test set: once it is there, it is the test set of every later snapshot. */
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import type { SnapshotEntry } from './snapshot.ts'

/**
 * Freezes the test examples among the entries.
 * @throws {UserError} where a test set is frozen already, or there is none to freeze
 */
export async function freezeTest({ store }: Project, entries: readonly SnapshotEntry[]): Promise<void> {
  const test = entries.filter(({ split }) => split === 'test')
  await store.transaction(async (db) => {
    const before = await db.selectFrom('frozen').select('frozen_at').limit(1).executeTakeFirst()
    if (before) {
      throw new UserError(
        `The test set was frozen on ${before.frozen_at.slice(0, 10)} and stays as it is: leave --freeze out.`,
      )
    }
    if (test.length === 0)
      throw new UserError('There is no test example to freeze: label more, or give split.test a larger share.')
    const frozen_at = new Date().toISOString()
    for (let i = 0; i < test.length; i += 1000) {
      const rows = test.slice(i, i + 1000).map(({ number }) => ({ example: number, frozen_at }))
      await db.insertInto('frozen').values(rows).execute()
    }
  })
}
