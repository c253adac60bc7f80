/**
 * `descent import`: from files to examples and labels in the project.
 *
 * What must hold: identical content is one example; importing again adds nothing; every batch is kept whole or not at all
 * together with where the import is, so that the same command goes on after a stop; an import with too many bad rows leaves
 * nothing behind.
 */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import { addLabeler } from '../labeling/events.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import type { Store } from '../store/store.ts'
import { type Counts, newCounts } from './counts.ts'
import { encodingName, examineText } from './encoding.ts'
import type { LabelRule } from './label-rule.ts'
import type { Layout } from './layout.ts'
import { type Plan, planTable, type TableOptions } from './plan-table.ts'
import { type ReadTask, readInThread } from './read.ts'
import { rejectPath } from './reject-file.ts'
import type { ImportReport, SourceReport } from './report.ts'
import { sampleTable } from './sample.ts'
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
/** A process that has written nothing for this long, in milliseconds, does not run. */
const longestBeat = 10 * 60_000

/**
 * Imports files and folders: CSV, TSV, JSON Lines and Parquet (rows of a table, or texts in a column), IDX pairs and folders
 * of PNG or JPEG files (images), folders of text files. A folder's subfolders name the classes. Identical examples are kept
 * once, importing again adds nothing, and an import that was stopped goes on when it is called again.
 * @example
 * ```ts
 * import { importFiles, openProject } from '@descent/loop'
 * const project = await openProject('penguins')
 * const report = await importFiles(project, ['penguins.jsonl'], { target: 'Species' })
 * console.log(report.added)
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
  const { delimiter } = options
  if (
    delimiter !== undefined &&
    (delimiter.length !== 1 || delimiter.charCodeAt(0) > 127 || '\r\n"'.includes(delimiter))
  ) {
    throw new UserError(`The delimiter must be one ASCII character, not ${JSON.stringify(delimiter)}.`)
  }
  const { classes } = project.config
  if (options.label !== undefined && classes && !classes.includes(options.label)) {
    throw new UserError(
      `The label ${JSON.stringify(options.label)} is none of the project's classes (${classes.join(', ')}).`,
    )
  }
  const sources: SourceReport[] = []
  for (const source of await findSources(project.config.kind, paths, options.format)) {
    sources.push(await importSource(project, source, options))
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

/** What is known of a source before it is read for good. */
interface Prepared {
  readonly task: ReadTask
  readonly hash: string
  readonly layout: Layout | null
  readonly fields: Plan['fields']
  readonly notes: readonly string[]
}

async function importSource(project: Project, source: Source, options: ImportOptions): Promise<SourceReport> {
  const { store, config } = project
  const began = performance.now()
  const prepared = await prepare(project, source, options)
  const { task, hash, layout, fields } = prepared
  const labeler = options.labeler ?? 'file'
  await addLabeler(store.db, labeler, options.labeler === undefined ? 'file' : 'person')
  const settings = JSON.stringify({
    target: layout?.target?.name ?? null,
    group: layout?.group?.name ?? null,
    time: layout?.time?.name ?? null,
    text: layout?.content === 'text' ? layout.columns[0]?.name : null,
    split: options.split ?? null,
    label: options.label ?? null,
    labeler,
  })
  const { id, counts, resumed } = await begin(store, source, hash, settings, layout?.columns.length ?? 0)
  const rejects = rejectPath(store, id)
  const writer = new Writer(
    { store, importId: id, fields, labeler, split: options.split ?? null, rejectPath: rejects },
    counts,
  )
  const limit = config.maxBadShare ?? defaultMaxBadShare
  let read = 0
  let badRead = 0
  const tooMany = () => badRead > limit * read
  const giveUp = async () => {
    const [first] = counts.rejects
    const example = first ? ` The first: ${placeName(source, first.place, first.name)}: ${first.reason}.` : ''
    const message = `${source.path}: ${badRead} of the first ${read} rows are bad, more than the limit of ${limit * 100} % (maxBadShare in descent.config.ts).${example} All of them are in ${rejects}. Nothing was imported.`
    await undoImport(store, id, message)
    throw new UserError(message)
  }
  try {
    for await (const batch of readInThread(task)) {
      read += batch.rows
      badRead += batch.rejects.length
      if (read >= rowsBeforeCheck && tooMany()) {
        await writer.reject(batch)
        await giveUp()
      }
      await writer.write(batch)
      options.onProgress?.({ what: `importing ${source.path}`, done: counts.rows, total: null, unit: 'rows' })
      if (options.signal?.aborted) {
        await store.db.updateTable('import').set({ status: 'stopped' }).where('id', '=', id).execute()
        throw new StoppedError(
          `Stopped after ${counts.rows} rows of ${source.path}, which are kept: the same command goes on from there.`,
        )
      }
    }
    if (read > 0 && tooMany()) await giveUp()
  } catch (error) {
    if (error instanceof UserError && counts.rows === 0) await undoImport(store, id, error.message)
    throw error
  }
  const report = makeReport(source, prepared, {
    id,
    counts,
    resumed,
    seconds: (performance.now() - began) / 1000,
    rejects,
  })
  await store.db
    .updateTable('import')
    .set({ status: 'done', finished_at: new Date().toISOString(), report: JSON.stringify(report) })
    .where('id', '=', id)
    .execute()
  return report
}

async function prepare(project: Project, source: Source, options: ImportOptions): Promise<Prepared> {
  const { format, files, path: name } = source
  const label: LabelRule = { fixed: options.label ?? null, classes: project.config.classes ?? null }
  const [file] = files
  if (!file) throw new UserError(`${name} holds nothing to import.`)
  if (format === 'images' || format === 'text' || format === 'idx') {
    for (const [option, given] of Object.entries({
      target: options.target,
      group: options.group,
      time: options.time,
      text: options.text,
    })) {
      if (given !== undefined) throw new UserError(`--${option} names a column, and ${name} has none (${format}).`)
    }
    return {
      task: { what: format, name, files, label },
      hash: await hashOfList(source),
      layout: null,
      fields: [],
      notes: [],
    }
  }
  const { hash, encoding } =
    format === 'parquet'
      ? { hash: await hashOfList(source), encoding: 'utf-8' as const }
      : await examineText(file.path, name)
  const sample = await sampleTable({ format, path: file.path, name, encoding, delimiter: options.delimiter })
  const { layout, fields, notes } = await planTable(project, name, sample, options)
  const said = encoding === 'utf-8' ? [] : [`read as ${encodingName(encoding)}`]
  if (sample.written && format === 'csv' && options.delimiter === undefined && sample.delimiter !== ',') {
    said.push(`fields are separated by ${JSON.stringify(sample.delimiter)}`)
  }
  return {
    task: { what: 'table', format, path: file.path, name, encoding, delimiter: sample.delimiter, layout, label },
    hash,
    layout,
    fields,
    notes: [...said, ...notes],
  }
}

/** A hash of names, sizes and times of change: enough to tell whether an import that was stopped can go on. */
async function hashOfList({ files }: Source): Promise<string> {
  const hash = createHash('sha256')
  for (const { path, name } of files) {
    const { size, mtimeMs } = await stat(path)
    hash.update(`${name}\n${size}\n${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

interface Begun {
  readonly id: number
  readonly counts: Counts
  readonly resumed: boolean
}

/** Goes on with an import of the same content and settings that has not ended, or begins one. */
async function begin(store: Store, source: Source, hash: string, settings: string, columns: number): Promise<Begun> {
  return store.transaction(async (db) => {
    const open = await db
      .selectFrom('import')
      .select(['id', 'report'])
      .where('status', 'in', ['running', 'stopped'])
      .where('content_hash', '=', hash)
      .where('format', '=', source.format)
      .where('options', '=', settings)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    const counts = open?.report ? (JSON.parse(open.report) as Counts) : newCounts(columns)
    if (open) {
      if (counts.pid !== process.pid && isAlive(counts)) {
        throw new UserError(
          `Another command is importing ${source.path} (process ${counts.pid}): wait until it has ended, or stop it. Nothing was changed.`,
        )
      }
      counts.pid = process.pid
      counts.beat = Date.now()
      await db
        .updateTable('import')
        .set({ status: 'running', report: JSON.stringify(counts) })
        .where('id', '=', open.id)
        .execute()
      return { id: open.id, counts, resumed: counts.rows > 0 }
    }
    const { id } = await db
      .insertInto('import')
      .values({
        path: source.path,
        format: source.format,
        content_hash: hash,
        options: settings,
        started_at: new Date().toISOString(),
        status: 'running',
        rows: 0,
        added: 0,
        duplicates: 0,
        bad: 0,
        report: JSON.stringify(counts),
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    return { id, counts, resumed: false }
  })
}

function isAlive({ pid, beat }: Counts): boolean {
  if (Date.now() - beat > longestBeat) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Where a bad row is, for people: `line 7`, `row 7`, or the file's name. */
export function placeName(source: { readonly format: Format }, place: number, name: string | null): string {
  if (name !== null) return name
  return source.format === 'parquet' ? `row ${place}` : source.format === 'idx' ? `image ${place}` : `line ${place}`
}

interface Outcome extends Begun {
  readonly seconds: number
  readonly rejects: string
}

function makeReport(source: Source, { layout, notes }: Prepared, outcome: Outcome): SourceReport {
  const { id, counts, resumed, seconds, rejects } = outcome
  const rowColumns = layout?.content === 'row' ? layout.columns : []
  const byPosition = rowColumns
    .map((column, c) => ({ ...column, missing: counts.missing[c] ?? 0 }))
    .sort((a, b) => a.at - b.at)
  return {
    id,
    path: source.path,
    format: source.format,
    seconds,
    resumed,
    rows: counts.rows,
    added: counts.added,
    duplicates: { within: counts.repeated, before: counts.present },
    labels: counts.labels,
    relabeled: counts.relabeled,
    bad: counts.bad,
    rejects: counts.rejects,
    rejectFile: counts.bad > 0 ? rejects : null,
    contradictions: counts.contradictions,
    splitConflicts: counts.splitConflicts,
    columns: byPosition.map(({ name, type, missing }) => ({ name, type, missing })),
    target: layout?.target?.name ?? null,
    classes: counts.classes && Object.keys(counts.classes).length > 0 ? counts.classes : null,
    notes: [...notes, ...Object.entries(counts.notes).map(([note, count]) => `${count} files ${note}`)],
  }
}
