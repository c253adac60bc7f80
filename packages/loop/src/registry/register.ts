/** `descent register`: makes a model version of a run: its files, gathered, judged and hashed, in a folder that stays. */
import { randomUUID } from 'node:crypto'
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { evaluateRun } from '../evaluation/evaluate.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { type Example, readExamples } from '../store/examples.ts'
import { writeWhole } from '../store/files.ts'
import { codeName, readSignature } from '../training/files.ts'
import { loadTrained, runPredictions, type TrainedModel } from '../training/load-run.ts'
import { findRun, type Run, runFolder } from '../training/run.ts'
import { readSnapshot, type SnapshotEntry } from '../versioning/snapshot.ts'
import { answersOf } from './answers.ts'
import { calibrationOf } from './calibration.ts'
import { modelCard } from './card.ts'
import { cardName, hashFolder, type VersionFiles } from './files.ts'
import { type Golden, goldenCount, makeGolden } from './golden.ts'
import { lineageOf } from './lineage.ts'
import { versionMetrics } from './metrics.ts'
import type { OutputSignature } from './served-model.ts'
import { signatureOf } from './signature.ts'
import { findVersion, type Version, versionFolder } from './version.ts'

export interface RegisterOptions extends Work {
  /** What it is, in a few words. */
  readonly message?: string | undefined
}

/** What a run's folder has that a version keeps as it is; the first must be there. */
const copied = ['model.safetensors', 'model.json', codeName] as const

const draftPrefix = '.draft-'

/**
 * Makes a version of a run: the latest that is done, where no number is given. A run that has a version already keeps it
 * (`made` is false).
 *
 * @example
 * ```ts
 * import { loadVersion, makeSnapshot, openProject, registerRun, trainRun } from '@descent/loop'
 * const project = await openProject('penguins')
 * await makeSnapshot(project)
 * const run = await trainRun(project, { seed: 3, epochs: 10 })
 * const { version } = await registerRun(project, run.number, { message: 'a beginning' })
 * const model = await loadVersion(project, version.number)
 * const [answer] = await model.predict([{ kind: 'row', values: { 'Beak Depth (mm)': 15, 'Body Mass (g)': 5400 } }])
 * console.log('label' in answer && answer.label) // → Gentoo
 * await project.close()
 * ```
 * @throws {UserError} where there is no such run, it is not done, or there is nothing to judge it by
 */
export async function registerRun(
  project: Project,
  number?: number,
  { message, onProgress, signal }: RegisterOptions = {},
): Promise<{ version: Version; made: boolean }> {
  const run = await findRun(project, number)
  const before = await versionOfRun(project, run.number)
  if (before !== null) return { version: await findVersion(project, before), made: false }
  const from = runFolder(project, run.number)
  const kept = await readSignature(from)
  const { target, predictions } = await runPredictions(project, run.number)
  if (!kept) throw new UserError(`The folder of run ${run.number}, ${from}, is gone: put it back, or train again.`)
  const step = (what: string, done: number) => {
    if (signal?.aborted) throw new StoppedError('Stopped: nothing was registered.')
    onProgress?.({ what: `registering run ${run.number}: ${what}`, done, total: 3, unit: 'steps' })
  }
  step('its figures', 0)
  const evaluation = await evaluateRun(project, { run: run.number })
  const { snapshot, entries } = await readSnapshot(project, run.snapshot)

  const models = join(project.store.folder, 'models')
  await mkdir(models, { recursive: true })
  await sweepDrafts(models)
  const draft = join(models, `${draftPrefix}${randomUUID()}`)
  await mkdir(draft)
  try {
    await copyFiles(run, from, draft)
    const trained = await loadTrained(project, draft, kept.signature, kept.features)
    const signature = signatureOf(kept.features, trained.features.layout, target)
    const calibration = calibrationOf(predictions, target)
    step('its golden predictions', 1)
    const golden = await goldenOf(project, trained, entries, signature.output, calibration.temperature)
    const files: VersionFiles = {
      'settings.json': kept.signature,
      'features.json': kept.features,
      'signature.json': signature,
      'calibration.json': calibration,
      'golden.json': golden,
      'lineage.json': lineageOf(run, snapshot),
    }
    for (const [name, content] of Object.entries(files))
      await writeWhole(join(draft, name), `${JSON.stringify(content, null, name === 'features.json' ? 0 : 2)}\n`)

    step('its files', 2)
    const metrics = versionMetrics(evaluation)
    const facts = {
      project: project.name,
      run,
      recipe: kept.signature.recipe,
      snapshot,
      signature,
      metrics,
      calibration,
    }
    const version = await project.store.transaction(async (db) => {
      const other = await db.selectFrom('version').select('number').where('run', '=', run.number).executeTakeFirst()
      if (other) throw new UserError(`Run ${run.number} became version ${other.number} meanwhile.`)
      const createdAt = new Date().toISOString()
      const row = {
        run: run.number,
        created_at: createdAt,
        message: message ?? null,
        signature: JSON.stringify(signature),
        metrics: JSON.stringify(metrics),
      }
      const { number } = await db
        .insertInto('version')
        .values({ ...row, files: '{}', bytes: 0 })
        .returning('number')
        .executeTakeFirstOrThrow()
      const { notes } = trained.features
      const { files, bytes } = await hashFolder(draft)
      const card = modelCard({ ...facts, version: number, message: message ?? null, createdAt, notes })
      await writeWhole(join(draft, cardName), card)
      await db
        .updateTable('version')
        .set({ files: JSON.stringify(files), bytes })
        .where('number', '=', number)
        .execute()
      const folder = versionFolder(project, number)
      // A folder of this number without a row is what a process left that was killed between rename and commit.
      await rm(folder, { recursive: true, force: true })
      await rename(draft, folder)
      return number
    })
    return { version: await findVersion(project, version), made: true }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Removes what killed processes left more than a day ago. */
async function sweepDrafts(models: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(models)) {
    if (!name.startsWith(draftPrefix)) continue
    const { mtimeMs } = await stat(join(models, name)).catch(() => ({ mtimeMs: now }))
    if (now - mtimeMs > 24 * 3600_000) await rm(join(models, name), { recursive: true, force: true })
  }
}

async function versionOfRun({ store }: Project, run: number): Promise<number | null> {
  const row = await store.db.selectFrom('version').select('number').where('run', '=', run).executeTakeFirst()
  return row?.number ?? null
}

async function copyFiles(run: Run, from: string, to: string): Promise<void> {
  for (const name of copied) {
    await copyFile(join(from, name), join(to, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && name !== copied[0]) return
      throw new UserError(`${join(from, name)} of run ${run.number} cannot be copied: ${error.message}.`)
    })
  }
}

/** Test examples, or others where there are none, spread evenly over the ids, which are in no order of meaning. */
async function goldenOf(
  project: Project,
  trained: TrainedModel,
  entries: readonly SnapshotEntry[],
  output: OutputSignature,
  temperature: number,
): Promise<Golden> {
  const splits = ['test', 'validation', 'train'] as const
  const pool = splits.map((split) => entries.filter((entry) => entry.split === split)).find(({ length }) => length > 0)
  const sorted = [...(pool ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1))
  const count = Math.min(goldenCount, sorted.length)
  const chosen = Array.from({ length: count }, (_, i) => sorted[Math.floor((i * sorted.length) / count)])
  const examples: Example[] = []
  const numbers = chosen.map((entry) => (entry as SnapshotEntry).number)
  for await (const example of readExamples(project.store, numbers)) examples.push(example)
  const rows = await trained.predict(examples.map(({ content }) => content))
  return makeGolden(examples, answersOf(rows, output, temperature))
}
