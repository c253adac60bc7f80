/** What is known of a source before its first row is kept: its hash, its encoding, what its columns are. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import { encodingName, examineText } from './encoding.ts'
import type { LabelRule } from './label-rule.ts'
import type { Layout } from './layout.ts'
import { type Plan, planTable, type TableOptions } from './plan-table.ts'
import type { ReadTask } from './read.ts'
import { sampleTable } from './sample.ts'
import type { Source } from './source.ts'

export interface Prepared {
  readonly task: ReadTask
  readonly hash: string
  readonly layout: Layout | null
  readonly fields: Plan['fields']
  readonly notes: readonly string[]
}

export interface PrepareOptions extends TableOptions {
  readonly label?: string | undefined
  readonly delimiter?: string | undefined
}

/** @throws {UserError} where the source cannot be imported; nothing was kept then */
export async function prepare(project: Project, source: Source, options: PrepareOptions): Promise<Prepared> {
  const { format, files, path: name } = source
  const label: LabelRule = { fixed: options.label ?? null, classes: project.config.classes ?? null }
  const [file] = files
  if (!file) throw new UserError(`${name} holds nothing to import.`)
  if (format === 'images' || format === 'text' || format === 'idx') {
    const { target, group, time, text } = options
    for (const [option, given] of Object.entries({ target, group, time, text }))
      if (given !== undefined) throw new UserError(`--${option} names a column, and ${name} has none (${format}).`)
    const hash = await hashOfList(source)
    return { task: { what: format, name, files, label }, hash, layout: null, fields: [], notes: [] }
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
