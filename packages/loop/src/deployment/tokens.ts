/**
 * Tokens: who may ask the server. A token is 256 random bits, shown once; the project keeps its SHA-256 alone, which for so
 * many random bits is as hard to turn back as a slow hash would be.
 */
import { hash, randomBytes } from 'node:crypto'
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'

export interface Token {
  readonly name: string
  /** Requests a minute; null: no limit. */
  readonly perMinute: number | null
  readonly createdAt: string
  readonly revokedAt: string | null
}

/** A token that may still ask, with what it is recognised by. */
export interface KnownToken {
  readonly name: string
  readonly hash: string
  readonly perMinute: number | null
}

type WithStore = Pick<Project, 'store'>

export function tokenHash(token: string): string {
  return hash('sha256', token, 'hex')
}

/**
 * Makes a token. What it gives back is the only copy of it.
 * @throws {UserError} where the name is taken
 */
export async function createToken(
  { store }: WithStore,
  name: string,
  { perMinute = null }: { readonly perMinute?: number | null | undefined } = {},
): Promise<string> {
  if (!/^[\w.@-]{1,64}$/.test(name))
    throw new UserError(`A token's name has 1 to 64 letters, digits or . _ @ -, unlike '${name}'.`)
  const token = `descent_${randomBytes(32).toString('base64url')}`
  await store.transaction(async (db) => {
    const taken = await db.selectFrom('token').select('revoked_at').where('name', '=', name).executeTakeFirst()
    if (taken)
      throw new UserError(
        `There is a token '${name}'${taken.revoked_at === null ? '' : ', which was revoked'} already: take another name.`,
      )
    await db
      .insertInto('token')
      .values({ name, hash: tokenHash(token), per_minute: perMinute, created_at: new Date().toISOString() })
      .execute()
  })
  return token
}

export async function listTokens({ store }: WithStore): Promise<Token[]> {
  const rows = await store.db.selectFrom('token').selectAll().orderBy('number').execute()
  return rows.map((row) => ({
    name: row.name,
    perMinute: row.per_minute,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }))
}

/**
 * From now on the token is refused; a server that runs notices within a second.
 * @throws {UserError} where there is none of this name, or it was revoked before
 */
export async function revokeToken({ store }: WithStore, name: string): Promise<void> {
  await store.transaction(async (db) => {
    const row = await db.selectFrom('token').select('revoked_at').where('name', '=', name).executeTakeFirst()
    if (!row) throw new UserError(`There is no token '${name}': \`descent token list\` shows them.`)
    if (row.revoked_at !== null) throw new UserError(`The token '${name}' was revoked on ${row.revoked_at}.`)
    await db.updateTable('token').set({ revoked_at: new Date().toISOString() }).where('name', '=', name).execute()
  })
}

/** The tokens that were not revoked. */
export async function knownTokens({ store }: WithStore): Promise<KnownToken[]> {
  const rows = await store.db
    .selectFrom('token')
    .select(['name', 'hash', 'per_minute'])
    .where('revoked_at', 'is', null)
    .execute()
  return rows.map((row) => ({ name: row.name, hash: row.hash, perMinute: row.per_minute }))
}
