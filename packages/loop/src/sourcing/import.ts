/**
 * `descent import`: from files to examples and labels in the project.
 *
 * What must hold: identical content is one example; importing again adds nothing; every batch is kept whole or not at all
 * together with where the import is, so that the same command goes on after a stop; an import that fails, because of what its
 * file holds, leaves nothing behind.
 */
import { UserError } from '../errors.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { type Begun, begin, release } from './begin.ts'
import { examine } from './findings/examine.ts'
import type { TableOptions } from './plan-table.ts'
import { type Prepared, prepare } from './prepare.ts'
import { ReadError, readInThread } from './read.ts'
import { rejectPath } from './reject-file.ts'
import { columnsOfFile, type ImportReport, makeReport, placeName, type SourceReport } from './report.ts'
import { settingsOf } from './settings.ts'
import { type Format, findSources, type Source } from './source.ts'
import { undoImport } from './undo.ts'
import { Writer } from './write.ts'

export interface ImportOptions extends TableOptions, Work {
  /** Puts the examples into this split, whatever the project's shares are. */
  readonly split?: 'train' | 'validation' | 'test' | undefined
  /** Who gave the labels: a person's name; where not given, they are the file's. */
  readonly labeler?: string | undefined
  /** The label of everything that is imported. */
  readonly label?: string | undefined
  /** Where names do not tell. */
  readonly format?: Format | undefined
  /** Between the fields of CSV: one character. Default: a comma, or what gives columns. */
  readonly delimiter?: string | undefined
}

/** Bad rows are counted against the limit from this many rows on, and at the end. */
const rowsBeforeCheck = 300
const defaultMaxBadShare = 0.05

/**
 * Imports files and folders: CSV, TSV, JSON, JSON Lines and Parquet (rows of a table, or texts in a column), IDX pairs and folders
 * of PNG or JPEG files (images), folders of text files. A folder's subfolders name the classes. Identical examples are kept
 * once, importing again adds nothing, and an import that was stopped goes on when it is called again.
 * @example
 * ```ts
 * import { importFiles, initProject } from '@descent/loop'
 *
 * const project = await initProject('imported', 'tabular')
 * const report = await importFiles(project, ['penguins.jsonl'], { target: 'Species' })
 * console.log(report.added, report.sources[0]?.classes) // → 344 { Adelie: 152, Chinstrap: 68, Gentoo: 124 }
 * await project.close()
 * ```
 * @throws {UserError} where a file is missing, empty or no text, its columns are not those of the project, or too many of its
 * rows are bad: nothing of that file is kept then
 * @throws {StoppedError} where `signal` asked to stop: what was read is kept
 */
export async function importFiles(
  project: Project,
  paths: readonly string[],
  options: ImportOptions = {},
): Promise<ImportReport> {
  checkOptions(project, options)
  const sources: SourceReport[] = []
  for (const source of await findSources(project.config.kind, paths, options.format)) {
    try {
      sources.push(await importSource(project, source, options))
    } catch (error) {
      if (error instanceof UserError && sources.length > 0)
        error.message += ` Before it, ${sources.map(({ path }) => path).join(', ')} ${sources.length === 1 ? 'was' : 'were'} imported.`
      throw error
    }
  }
  const sum = (of: (source: SourceReport) => number) => sources.reduce((total, source) => total + of(source), 0)
  return {
    rows: sum((source) => source.rows),
    added: sum((source) => source.added),
    duplicates: sum(({ duplicates }) => duplicates.within + duplicates.before),
    bad: sum((source) => source.bad),
    sources,
  }
}

function checkOptions({ config: { classes } }: Project, { delimiter, label }: ImportOptions): void {
  if (
    delimiter !== undefined &&
    (delimiter.length !== 1 || delimiter.charCodeAt(0) > 127 || '\r\n"'.includes(delimiter))
  ) {
    throw new UserError(`The delimiter must be one ASCII character, not ${JSON.stringify(delimiter)}.`)
  }
  if (label !== undefined && classes && !classes.includes(label)) {
    throw new UserError(
      `The label ${JSON.stringify(label)} is none of the project's classes (${classes.join(', ')}). Nothing was imported.`,
    )
  }
}

async function importSource(project: Project, source: Source, options: ImportOptions): Promise<SourceReport> {
  const prepared = await prepare(project, source, options)
  const { hash, layout, fields } = prepared
  const labeler = options.labeler ?? 'file'
  const begun = await begin(project.store, source, {
    hash,
    settings: JSON.stringify(settingsOf(options, layout)),
    columns: layout?.columns.length ?? 0,
    bringsFields: fields.length > 0,
    labeler: { name: labeler, kind: options.labeler === undefined ? 'file' : 'person' },
  })
  try {
    return await run(project, source, { ...options, labeler }, prepared, begun)
  } finally {
    release(begun.counts)
  }
}

async function run(
  { store, config }: Project,
  source: Source,
  options: ImportOptions & { readonly labeler: string },
  { task, layout, fields, notes }: Prepared,
  { id, counts, resumed, notes: begunNotes }: Begun,
): Promise<SourceReport> {
  const began = performance.now()
  const { labeler, split = null } = options
  const rejectFile = rejectPath(store, id)
  const writer = new Writer({ store, importId: id, fields, labeler, split, rejectFile }, counts)
  const limit = config.maxBadShare ?? defaultMaxBadShare
  let read = 0
  let bad = 0
  const refuseTooMany = (): void => {
    if (bad <= limit * read) return
    const [first] = counts.rejects
    const example = first ? ` The first: ${placeName(source, first.place, first.name)}: ${first.reason}.` : ''
    const types = task.what === 'table' ? ' Where a column was taken for the wrong type, say so in columns there.' : ''
    throw new ReadError(
      `${source.path}: ${bad} of the first ${read} rows are bad, more than the limit of ${100 * limit} % (maxBadShare in descent.config.ts).${types}${example} They are in ${rejectFile}. Nothing was imported.`,
    )
  }
  try {
    for await (const batch of readInThread(task)) {
      read += batch.rows
      bad += batch.rejects.length
      if (read >= rowsBeforeCheck && bad > limit * read) await writer.reject(batch)
      if (read >= rowsBeforeCheck) refuseTooMany()
      await writer.write(batch)
      options.onProgress?.({ what: `importing ${source.path}`, done: counts.rows, total: null, unit: 'rows' })
      if (options.signal?.aborted) {
        await store.db.updateTable('import').set({ status: 'stopped' }).where('id', '=', id).execute()
        throw new StoppedError(
          `Stopped after ${counts.rows} rows of ${source.path}, which are kept: the same command goes on from there.`,
        )
      }
    }
    refuseTooMany()
  } catch (error) {
    if (error instanceof ReadError) await undoImport(store, id, error.message)
    throw error
  }
  await writer.finish()
  const kind = config.kind === 'tabular' ? 'row' : config.kind
  const { from, to } = counts
  const findings =
    counts.added === 0
      ? null
      : await examine({ store, importId: id, from, to, kind, columns: columnsOfFile(layout) }, options)
  const seconds = (performance.now() - began) / 1000
  const allNotes = [...begunNotes, ...notes]
  const report = makeReport({ id, source, layout, counts, resumed, seconds, rejectFile, notes: allNotes, findings })
  await store.transaction((db) =>
    db
      .updateTable('import')
      .set({ status: 'done', finished_at: new Date().toISOString(), report: JSON.stringify(report) })
      .where('id', '=', id)
      .execute(),
  )
  return report
}
