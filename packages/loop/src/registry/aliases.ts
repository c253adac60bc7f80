/**
 * Aliases: names that point to model versions, such as `champion`. Changes are appended, never overwritten, so that it can
 * be told who changed what, when and why, and what a name pointed to at any time.
 */
import { userInfo } from 'node:os'
import type { Selectable } from 'kysely'
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import type { Tables } from '../store/tables.ts'
import type { GateReport } from './gate-report.ts'

export interface AliasChange {
  /** Counts up over all aliases. */
  readonly number: number
  readonly name: string
  /** Null: from here on the name points to nothing. */
  readonly version: number | null
  readonly at: string
  readonly who: string
  readonly why: string | null
  readonly how: 'promoted' | 'forced' | 'rolled back' | 'set' | 'removed'
  /** What the gate found, where it was asked. */
  readonly gate: GateReport | null
}

export interface AliasOptions {
  /** Who changes it. Default: the user of this system. */
  readonly who?: string | undefined
  readonly why?: string | null | undefined
  /** Default: set, or removed where it is to point to nothing. */
  readonly how?: AliasChange['how'] | undefined
  readonly gate?: GateReport | null | undefined
  /** Fails where the alias no longer points to this version: someone else has changed it since it was looked at. */
  readonly expected?: number | null | undefined
}

type Stored = Pick<Project, 'store'>

/**
 * Points a name to a version; to none, where it is null.
 * @throws {UserError} where there is no such version, the name is none, or it points there already
 */
export async function setAlias(
  { store }: Stored,
  name: string,
  version: number | null,
  options: AliasOptions = {},
): Promise<AliasChange> {
  requireName(name)
  const { who = userInfo().username, why = null, how = version === null ? 'removed' : 'set', gate = null } = options
  if (who.trim() === '') throw new UserError('Whoever changes an alias needs a name.')
  return store.transaction(async (db) => {
    if (version !== null) {
      const known = await db.selectFrom('version').select('number').where('number', '=', version).executeTakeFirst()
      if (!known) throw new UserError(`There is no version ${version}: \`descent versions\` lists them.`)
    }
    const before = await pointsTo(db, name)
    if (options.expected !== undefined && options.expected !== before)
      throw new UserError(
        `${name} has changed meanwhile: it points to ${before === null ? 'no version' : `version ${before}`} now. Look at \`descent aliases\`, then try again.`,
      )
    if (before === version)
      throw new UserError(
        version === null ? `${name} points to no version as it is.` : `${name} is version ${version} already.`,
      )
    const row = await db
      .insertInto('alias')
      .values({
        name,
        version,
        at: new Date().toISOString(),
        who,
        why,
        how,
        gate: gate === null ? null : JSON.stringify(gate),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return changeOf(row)
  })
}

/** The version that a name points to now; null for none. */
export async function currentVersion({ store }: Stored, name: string): Promise<number | null> {
  return pointsTo(store.db, name)
}

async function pointsTo(db: Project['store']['db'], name: string): Promise<number | null> {
  const row = await db
    .selectFrom('alias')
    .select('version')
    .where('name', '=', name)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.version ?? null
}

/** All that point to a version now, by name. */
export async function currentAliases(project: Stored): Promise<AliasChange[]> {
  return latestOf(await aliasHistory(project))
}

/** The changes of one name, or of all, the oldest first. */
export async function aliasHistory({ store }: Stored, name?: string): Promise<AliasChange[]> {
  const query = store.db.selectFrom('alias').selectAll().orderBy('number')
  return (await (name === undefined ? query : query.where('name', '=', name)).execute()).map(changeOf)
}

/**
 * What each name pointed to at the end of a day in UTC (`2026-11-25`), or at a moment (`2026-11-25T10:00:00Z`), by name.
 * @throws {UserError} for what is no date
 */
export async function aliasesOn(project: Stored, when: string): Promise<AliasChange[]> {
  const end = endOf(when)
  return latestOf((await aliasHistory(project)).filter(({ at }) => at <= end))
}

/** The champion at the end of a day, or at a moment; null for none. */
export async function championOn(project: Stored, when: string): Promise<number | null> {
  return (await aliasesOn(project, when)).find(({ name }) => name === 'champion')?.version ?? null
}

/** The version to which a rollback of this name would go; null where there is none before. */
export async function versionBefore(project: Stored, name: string): Promise<number | null> {
  // A rollback goes further back each time, not to and fro: what it left is not come back to.
  const stack: number[] = []
  for (const { version, how } of await aliasHistory(project, name)) {
    if (version === null) continue
    if (how === 'rolled back') while (stack.length > 0 && stack.at(-1) !== version) stack.pop()
    if (stack.at(-1) !== version) stack.push(version)
  }
  const now = await currentVersion(project, name)
  return (now === null ? stack.at(-1) : stack.at(-2)) ?? null
}

function latestOf(changes: readonly AliasChange[]): AliasChange[] {
  const latest = new Map(changes.map((change) => [change.name, change]))
  return [...latest.values()].filter(({ version }) => version !== null).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The last moment that is meant, as times are written. */
function endOf(when: string): string {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(when)
  const time = new Date(day ? `${when}T23:59:59.999Z` : when)
  if (Number.isNaN(time.getTime()) || (day && time.toISOString().slice(0, 10) !== when))
    throw new UserError(`'${when}' is no date: write it as 2026-11-25, or as 2026-11-25T10:00:00Z.`)
  return time.toISOString()
}

function requireName(name: string): void {
  if (!/^[a-z][a-z0-9._-]{0,63}$/i.test(name))
    throw new UserError(
      `'${name}' is no name for an alias: it begins with a letter, and has letters, digits, '.', '_' and '-', at most 64.`,
    )
}

function changeOf({ gate, ...row }: Selectable<Tables['alias']>): AliasChange {
  return { ...row, gate: gate === null ? null : (JSON.parse(gate) as GateReport) }
}
