/** Decides what the columns of a table file are, before the first row is kept. */
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import {
  type Column,
  canonicalOrder,
  type FieldType,
  headerChanged,
  type Layout,
  type Place,
  type Target,
} from './layout.ts'
import { asText } from './object-rows.ts'
import { inferredType, type Sample } from './sample.ts'
import type { Settings } from './settings.ts'

export interface TableOptions {
  /** The column that holds the label. Default: the config's, or that of the last import. */
  readonly target?: string | undefined
  /** The column whose values stay together in splits. Default: the config's. */
  readonly group?: string | undefined
  /** The column by which splits by time go. Default: the config's. */
  readonly time?: string | undefined
  /** In a project of texts: the column that is the text. */
  readonly text?: string | undefined
}

export interface Plan {
  readonly layout: Layout
  /** Columns to remember, where the project has none yet. */
  readonly fields: readonly { readonly name: string; readonly type: FieldType; readonly position: number }[]
  readonly notes: readonly string[]
}

/** More different whole numbers than this are a number to predict, fewer are classes. */
const mostNumberClasses = 20

/** @throws {UserError} where a column that was asked for is not there, or the columns are not the project's */
export async function planTable(project: Project, file: string, sample: Sample, options: TableOptions): Promise<Plan> {
  const { config, store } = project
  const { names } = sample
  const known = await store.db.selectFrom('field').select(['name', 'type']).execute()
  const find = (name: string, what: string): Place => {
    const at = names.indexOf(name)
    if (at >= 0) return { name, at }
    throw new UserError(`${file} has no column '${name}' (${what}). It has: ${names.join(', ')}. Nothing was imported.`)
  }
  const target = await targetOf()
  const group = keyed(options.group, config.split?.group, '--group', 'split.group')
  const time = keyed(options.time, config.split?.time, '--time', 'split.time')
  const beside = new Set([target?.name])
  if (config.kind === 'text') {
    const text = textColumn()
    const left = names.filter((name) => ![text.name, target?.name].includes(name))
    const columns: Column[] = [{ ...text, type: 'text', loose: false }]
    return {
      layout: { content: 'text', width: names.length, names, columns, target, group, time, left },
      fields: [],
      notes: hints(left),
    }
  }
  checkConfigColumns()
  const types = new Map(known.map(({ name, type }) => [name, type]))
  const isIgnored = (name: string) => config.columns?.[name] === 'ignore' && !types.has(name)
  const kept = names.filter((name) => !beside.has(name) && !isIgnored(name))
  if (known.length > 0) {
    const missing = [...types.keys()].filter((name) => !kept.includes(name))
    const added = kept.filter((name) => !types.has(name))
    if (missing.length + added.length > 0) throw headerChanged(file, missing, added)
  }
  if (kept.length === 0) throw new UserError(`${file} has no column beside the label. Nothing was imported.`)
  const columnOf = (name: string): Column => {
    const at = names.indexOf(name)
    const wanted = config.columns?.[name]
    const stored = types.get(name)
    const loose = stored !== undefined && (wanted === 'category' || wanted === 'text')
    const type = stored ?? (wanted === undefined || wanted === 'ignore' ? inferredType(sample, at) : wanted)
    return { name, at, type, loose }
  }
  const columns = canonicalOrder(kept).map(columnOf)
  const fields = known.length > 0 ? [] : kept.map((name, position) => ({ name, type: columnOf(name).type, position }))
  const left = names.filter((name) => isIgnored(name))
  return {
    layout: { content: 'row', width: names.length, names, columns, target, group, time, left },
    fields,
    notes: [],
  }

  async function targetOf(): Promise<Target | null> {
    if (options.target !== undefined) return withMeaning(find(options.target, '--target'))
    const name = config.target ?? (await lastTarget(project))
    if (name === null) return null
    const isFirst = known.length === 0 && config.kind === 'tabular'
    if (!names.includes(name) && !isFirst) return null
    return withMeaning(
      find(name, config.target === undefined ? 'the label in earlier imports' : 'target in descent.config.ts'),
    )
  }

  async function withMeaning(place: Place): Promise<Target> {
    if (config.classes || config.task === 'class') return { ...place, as: 'class' }
    if (config.task === 'number') return { ...place, as: 'number' }
    const before = await store.db
      .selectFrom('label')
      .innerJoin('labeler', 'labeler.name', 'label.labeler')
      .select('value')
      .where('value', 'is not', null)
      .where('labeler.kind', 'in', ['file', 'person'])
      .orderBy('number')
      .limit(1)
      .executeTakeFirst()
    if (before?.value) return { ...place, as: typeof JSON.parse(before.value) === 'number' ? 'number' : 'class' }
    if (inferredType(sample, place.at) !== 'number') return { ...place, as: 'class' }
    const values = new Set(sample.rows.map((row) => asText(row[place.at])).filter((text) => text !== null))
    const whole = [...values].every((text) => Number.isInteger(Number(text)))
    return { ...place, as: whole && values.size <= mostNumberClasses ? 'class' : 'number' }
  }

  function keyed(option: string | undefined, setting: string | undefined, flag: string, key: string): Place | null {
    if (option !== undefined) return find(option, flag)
    return setting === undefined ? null : find(setting, `${key} in descent.config.ts`)
  }

  function textColumn(): Place {
    if (options.text !== undefined) return find(options.text, '--text')
    const others = names.filter((name) => name !== target?.name)
    const named =
      others.find((name) => /^(text|content|message|body)$/i.test(name)) ??
      (others.length === 1 ? others[0] : undefined)
    if (named !== undefined) return find(named, 'the text')
    throw new UserError(
      `${file}: which column is the text? Say it with --text: ${others.join(', ')}. Nothing was imported.`,
    )
  }

  function hints(left: readonly string[]): string[] {
    if (left.length === 0) return []
    const hint = target === null ? ` (--target ${JSON.stringify(left[0])} would make it the label)` : ''
    return [`not kept: ${left.join(', ')}${hint}`]
  }

  function checkConfigColumns(): void {
    const all = new Set([...names, ...known.map(({ name }) => name)])
    const unknown = Object.keys(config.columns ?? {}).filter((name) => !all.has(name))
    if (unknown.length > 0) {
      throw new UserError(
        `descent.config.ts: columns names ${unknown.join(', ')}, which ${file} does not have. It has: ${names.join(', ')}. Nothing was imported.`,
      )
    }
  }
}

/** The label's column in the last import that had one. */
async function lastTarget({ store }: Project): Promise<string | null> {
  const imports = await store.db
    .selectFrom('import')
    .select('options')
    .where('content_hash', 'is not', null)
    .orderBy('id', 'desc')
    .execute()
  for (const { options } of imports) {
    const { target } = JSON.parse(options) as Partial<Settings>
    if (typeof target === 'string') return target
  }
  return null
}
