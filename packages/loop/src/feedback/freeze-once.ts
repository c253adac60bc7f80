/**
 * The test set of the version that answers is frozen, at the latest when requests of the random slice become examples: from then
 * on models are compared on one test set, and the slice is for judging alone.
 */
import type { Project } from '../project/project.ts'
import { findVersion } from '../registry/version.ts'
import { findRun } from '../training/run.ts'
import { freezeTest } from '../versioning/freeze.ts'
import { readSnapshot } from '../versioning/snapshot.ts'

/** The number of the snapshot whose test set was frozen; null where one is frozen already, or there is none. */
export async function freezeOnce(project: Project, version: number): Promise<number | null> {
  const frozen = await project.store.db.selectFrom('frozen').select('example').limit(1).executeTakeFirst()
  if (frozen) return null
  const run = await findRun(project, (await findVersion(project, version)).run)
  const { snapshot, entries } = await readSnapshot(project, run.snapshot)
  if (!entries.some(({ split }) => split === 'test')) return null
  await freezeTest(project, entries)
  return snapshot.number
}
