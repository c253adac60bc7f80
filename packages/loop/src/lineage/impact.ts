/** `descent impact`: everything that an example touched, and what would have to be trained again if it must go. */
import type { Project } from '../project/project.ts'
import { currentAliases } from '../registry/aliases.ts'
import { findExample } from '../store/examples.ts'
import { decodeManifest } from '../versioning/manifest.ts'
import { listSnapshots } from '../versioning/snapshot.ts'
import type { Split } from '../versioning/split.ts'

export interface Impact {
  readonly example: number
  readonly id: string
  readonly source: string
  /** Null: its content is there. */
  readonly forgotten: { readonly at: string; readonly who: string; readonly why: string | null } | null
  readonly labels: readonly { readonly value: string | null; readonly labeler: string; readonly at: string }[]
  readonly snapshots: readonly { readonly number: number; readonly hash: string; readonly split: Split }[]
  /** Runs on these snapshots; `learned`: it was trained on, or decided when to stop. */
  readonly runs: readonly { readonly number: number; readonly name: string; readonly learned: boolean }[]
  readonly versions: readonly {
    readonly number: number
    readonly run: number
    readonly learned: boolean
    readonly aliases: readonly string[]
    /** Answers that it gave. */
    readonly predictions: number
  }[]
  /** Requests whose input was this very content. */
  readonly asked: number
  /** Versions to train anew if the example must go: those that learned from it; what an alias points to first. */
  readonly retrain: readonly number[]
}

/** @throws {UserError} where no example's id begins so, or several do */
export async function impact(project: Project, prefix: string): Promise<Impact> {
  const { store } = project
  const { db } = store
  const example = await findExample(store, prefix)
  const { id, path } = await db
    .selectFrom('example')
    .innerJoin('import', 'import.id', 'example.import_id')
    .select(['example.id', 'import.path'])
    .where('example.number', '=', example)
    .executeTakeFirstOrThrow()
  const labels = await db
    .selectFrom('label')
    .select(['value', 'labeler', 'at'])
    .where('example', '=', example)
    .orderBy('number')
    .execute()
  const snapshots = await snapshotsWith(project, id)
  const splitOf = new Map(snapshots.map(({ hash, split }) => [hash, split]))
  const runs = (await db.selectFrom('run').select(['number', 'name', 'snapshot']).orderBy('number').execute()).flatMap(
    ({ number, name, snapshot }) => {
      const split = splitOf.get(snapshot)
      return split === undefined ? [] : [{ number, name, learned: split !== 'test' }]
    },
  )
  const learned = new Map(runs.map((run) => [run.number, run.learned]))
  const aliases = await currentAliases(project)
  const answers = new Map(
    (
      await db
        .selectFrom('prediction')
        .select(['version', ({ fn }) => fn.countAll<number>().as('count')])
        .groupBy('version')
        .execute()
    ).map(({ version, count }) => [version, Number(count)]),
  )
  const versions = (await db.selectFrom('version').select(['number', 'run']).orderBy('number').execute()).flatMap(
    ({ number, run }) => {
      const learnedIt = learned.get(run)
      if (learnedIt === undefined) return []
      const names = aliases.filter(({ version }) => version === number).map(({ name }) => name)
      return [{ number, run, learned: learnedIt, aliases: names, predictions: answers.get(number) ?? 0 }]
    },
  )
  const { asked } = await db
    .selectFrom('prediction')
    .select(({ fn }) => fn.countAll<number>().as('asked'))
    .where('content', '=', id)
    .executeTakeFirstOrThrow()
  const retrain = versions
    .filter((version) => version.learned)
    .sort((a, b) => b.aliases.length - a.aliases.length || b.number - a.number)
    .map(({ number }) => number)
  const forgotten = await db
    .selectFrom('forgotten')
    .select(['at', 'who', 'why'])
    .where('example', '=', example)
    .executeTakeFirst()
  return {
    example,
    id,
    source: path,
    forgotten: forgotten ?? null,
    labels,
    snapshots,
    runs,
    versions,
    asked: Number(asked),
    retrain,
  }
}

async function snapshotsWith(project: Project, id: string): Promise<Impact['snapshots']> {
  const found: { number: number; hash: string; split: Split }[] = []
  for (const { number, hash } of await listSnapshots(project)) {
    const { entries } = decodeManifest(Buffer.from(await project.store.files.get(hash)).toString())
    const entry = entries.find((one) => one.id === id)
    if (entry) found.push({ number, hash, split: entry.split })
  }
  return found
}
