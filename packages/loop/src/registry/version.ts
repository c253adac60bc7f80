/** Model versions as they are recorded: found by number or alias, listed, and where their files lie. */
import { join } from 'node:path'
import type { Selectable } from 'kysely'
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import type { Tables } from '../store/tables.ts'
import { currentVersion } from './aliases.ts'
import type { VersionMetrics } from './metrics.ts'
import type { VersionSignature } from './served-model.ts'

export interface Version {
  readonly number: number
  /** The run that it was made of. */
  readonly run: number
  readonly createdAt: string
  readonly message: string | null
  /** SHA-256 of each of its files but the card, by name. */
  readonly files: Readonly<Record<string, string>>
  readonly signature: VersionSignature
  readonly metrics: VersionMetrics
  /** Of these files. */
  readonly bytes: number
}

/** Where a version keeps its files: `.descent/models/3`. */
export function versionFolder({ store }: Pick<Project, 'store'>, number: number): string {
  return join(store.folder, 'models', String(number))
}

/** All versions, the oldest first. */
export async function listVersions({ store }: Pick<Project, 'store'>): Promise<Version[]> {
  return (await store.db.selectFrom('version').selectAll().orderBy('number').execute()).map(versionOf)
}

/**
 * A version by its number, or by the alias that points to it.
 * @throws {UserError} where there is none
 */
export async function findVersion(project: Pick<Project, 'store'>, reference: number | string): Promise<Version> {
  const byNumber = typeof reference === 'number' || /^\d+$/.test(reference)
  const number = byNumber ? Number(reference) : await currentVersion(project, String(reference))
  if (number === null)
    throw new UserError(
      `The alias '${reference}' points to no version: \`descent aliases\` lists those that do, \`descent versions\` the versions.`,
    )
  const row = await project.store.db.selectFrom('version').selectAll().where('number', '=', number).executeTakeFirst()
  if (row) return versionOf(row)
  const any = await project.store.db.selectFrom('version').select('number').limit(1).executeTakeFirst()
  throw new UserError(
    any
      ? `There is no version ${number}: \`descent versions\` lists them.`
      : 'There is no model version yet: make one of a run with `descent register`.',
  )
}

function versionOf(row: Selectable<Tables['version']>): Version {
  return {
    number: row.number,
    run: row.run,
    createdAt: row.created_at,
    message: row.message,
    files: JSON.parse(row.files) as Version['files'],
    signature: JSON.parse(row.signature) as VersionSignature,
    metrics: JSON.parse(row.metrics) as VersionMetrics,
    bytes: row.bytes,
  }
}
