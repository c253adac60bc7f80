/**
 * Keeps the log within an age and a size. Predictions beyond either are removed, the oldest first, a few at a time so that new ones
 * are not kept waiting. Those that feedback, a label, an alarm's queue or a person refers to stay, without their input.
 */
import type { Store } from '../../store/store.ts'
import type { Keep } from './entry.ts'

/** Removed in one transaction. */
const portion = 2000
/** What a row needs beside its input, in bytes: measured with ten classes, indexes included. */
const rowBytes = 640

export class Retention {
  readonly #store: Store
  readonly #keep: Keep
  /** Null until it was counted. */
  #bytes: number | null = null

  constructor(store: Store, keep: Keep) {
    this.#store = store
    this.#keep = keep
  }

  /** Rows were added with so many bytes of inputs. */
  added(rows: number, bytes: number): void {
    if (this.#bytes !== null) this.#bytes += bytes + rows * rowBytes
  }

  /** Removes one portion of what is too old or too much; how many predictions. */
  async step(now: number): Promise<number> {
    this.#bytes ??= await this.#count()
    const oldest = new Date(now - this.#keep.days * 24 * 3600_000).toISOString()
    const excess = this.#bytes - this.#keep.megabytes * 1e6
    const { db } = this.#store
    const candidates = await db
      .selectFrom('prediction')
      .select(['number', 'id', 'at', (b) => b.fn<number>('length', ['body']).as('bytes')])
      .where('number', '>', await this.#place())
      .orderBy('number')
      .limit(portion)
      .execute()
    let [count, bytes] = [0, 0]
    for (const row of candidates) {
      if (row.at >= oldest && bytes >= excess) break
      bytes += Number(row.bytes ?? 0) + rowBytes
      count++
    }
    if (count === 0) return 0
    const going = candidates.slice(0, count)
    const kept = await this.#remove(
      going.map(({ number }) => number),
      going.map(({ id }) => id),
    )
    this.#bytes -= bytes
    return count - kept
  }

  /** Removes these, but keeps those that something refers to, without their input. How many are kept. */
  #remove(numbers: readonly number[], ids: readonly string[]): Promise<number> {
    return this.#store.transaction(async (db) => {
      const named = new Set<string | null>()
      const refer = (rows: readonly { prediction: string | null }[]) => {
        for (const { prediction } of rows) named.add(prediction)
      }
      refer(await db.selectFrom('feedback').select('prediction').where('prediction', 'in', ids).execute())
      refer(await db.selectFrom('label').select('prediction').where('prediction', 'in', ids).execute())
      refer(await db.selectFrom('queued').select('prediction').where('prediction', 'in', ids).execute())
      const [going, staying]: [number[], number[]] = [[], []]
      for (const [i, number] of numbers.entries()) (named.has(ids[i] as string) ? staying : going).push(number)
      if (going.length > 0) await db.deleteFrom('prediction').where('number', 'in', going).execute()
      if (staying.length > 0)
        await db.updateTable('prediction').set({ body: null }).where('number', 'in', staying).execute()
      await db
        .insertInto('meta')
        .values({ key: placeKey, value: String(numbers.at(-1)) })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: String(numbers.at(-1)) }))
        .execute()
      return staying.length
    })
  }

  /** The number up to which everything was looked at: what stays there stays for good. */
  async #place(): Promise<number> {
    const row = await this.#store.db.selectFrom('meta').select('value').where('key', '=', placeKey).executeTakeFirst()
    return Number(row?.value ?? 0)
  }

  async #count(): Promise<number> {
    const row = await this.#store.db
      .selectFrom('prediction')
      .select((b) => [b.fn.countAll().as('rows'), b.fn.sum(b.fn('length', ['body'])).as('bytes')])
      .executeTakeFirst()
    return Number(row?.bytes ?? 0) + Number(row?.rows ?? 0) * rowBytes
  }
}

const placeKey = 'retentionPlace'
