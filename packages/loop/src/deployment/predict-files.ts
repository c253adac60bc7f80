/**
 * Predictions for files, without a server: the rows of a table, images, or texts go in, and CSV comes out, one line an input in
 * their order. An input that cannot be predicted keeps its line, with the reason in it.
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { UserError } from '../errors.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { loadVersion } from '../registry/load-version.ts'
import type { Answer, ServedModel } from '../registry/served-model.ts'
import { decodeText } from '../sourcing/encoding.ts'
import { toCell, WrongCell } from '../sourcing/object-rows.ts'
import { findSources, type Source } from '../sourcing/source.ts'
import type { Cell, Content } from '../store/content.ts'
import { rounded } from './answers.ts'
import { columnsOf } from './columns.ts'
import { fileContent, type InputSchema } from './inputs.ts'
import { RequestError } from './request-error.ts'
import { type TableRow, tableRows } from './table-rows.ts'

export interface PredictOptions extends Work {
  /** A number or an alias. Default: champion. */
  readonly version?: number | string | undefined
  /** Hears the text of the output, piece by piece. */
  readonly write: (text: string) => void | Promise<void>
}

export interface PredictReport {
  readonly version: number
  readonly predicted: number
  /** Inputs that could not be predicted; the first of them in words. */
  readonly failed: number
  readonly failures: readonly string[]
}

/** An input with what its line begins with. */
interface Item {
  readonly before: readonly string[]
  readonly content: Content | null
  /** Why there is no content. */
  readonly fault: string
}

interface Listing {
  readonly header: readonly string[]
  readonly items: AsyncIterable<Item>
}

const batch = 256
const failuresShown = 5

/**
 * Predicts what the files hold.
 * @throws {UserError} where there is no such version, or a file is of another kind than the project
 */
export async function predictFiles(
  project: Project,
  paths: readonly string[],
  { version = 'champion', write, onProgress, signal }: PredictOptions,
): Promise<PredictReport> {
  const model = await loadVersion(project, version)
  const sources = await findSources(project.config.kind, paths, undefined)
  const others = await columnsOf(project)
  let [predicted, failed] = [0, 0]
  const failures: string[] = []
  let header = ''
  for (const source of sources) {
    const listing = await list(source, { input: model.signature.input, others }, project.config.target)
    const line = csvLine([...listing.header, ...outputNames(model)])
    if (header === '') await write(`${line}\n`)
    else if (line !== header)
      throw new UserError(`${source.path} has other columns than the file before it: predict it by itself.`)
    header = line
    for await (const items of groups(listing.items)) {
      if (signal?.aborted) throw new StoppedError(`Stopped after ${predicted + failed} inputs.`)
      const answers = await answersOf(model, items)
      for (const answer of answers) {
        if (typeof answer === 'string') {
          failed++
          if (failures.length < failuresShown) failures.push(answer)
        } else predicted++
      }
      const lines = items.map(({ before }, i) =>
        csvLine([...before, ...outputCells(model, answers[i] as Answer | string)]),
      )
      await write(`${lines.join('\n')}\n`)
      onProgress?.({ what: `predicting ${source.path}`, done: predicted + failed, total: null, unit: 'inputs' })
    }
  }
  return { version: model.version, predicted, failed, failures }
}

function outputNames({ signature: { output } }: ServedModel): string[] {
  return output.task === 'class'
    ? ['predicted', 'probability', 'uncertainty', 'version', 'error']
    : ['predicted', 'version', 'error']
}

function outputCells({ signature: { output }, version }: ServedModel, answer: Answer | string): string[] {
  if (typeof answer === 'string') return output.task === 'class' ? ['', '', '', '', answer] : ['', '', answer]
  if ('value' in answer) return [String(answer.value), String(version), '']
  const probability = Math.max(...answer.probabilities)
  return [answer.label, String(rounded(probability)), String(rounded(answer.uncertainty)), String(version), '']
}

/** An answer, or a sentence in its place. */
async function answersOf(model: ServedModel, items: readonly Item[]): Promise<(Answer | string)[]> {
  const contents = items.flatMap(({ content }) => content ?? [])
  let answers: (Answer | string)[]
  try {
    answers = await model.predict(contents)
  } catch {
    answers = []
    for (const content of contents)
      answers.push(...(await model.predict([content]).catch((error: Error) => [error.message])))
  }
  let next = 0
  return items.map(({ content, fault }) => (content === null ? fault : (answers[next++] as Answer | string)))
}

async function* groups(items: AsyncIterable<Item>): AsyncGenerator<Item[]> {
  let group: Item[] = []
  for await (const item of items) {
    group.push(item)
    if (group.length < batch) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}

async function list(source: Source, schema: InputSchema, target: string | undefined): Promise<Listing> {
  switch (source.format) {
    case 'csv':
    case 'tsv':
    case 'jsonl':
    case 'json':
    case 'parquet': {
      const { names, rows } = await tableRows(source)
      const textColumn = schema.input.kind === 'text' ? textColumnOf(source, names, target) : null
      const items = contentsOfRows(rows, (row) =>
        textColumn === null ? rowContent(schema, row) : textOf(row[textColumn]),
      )
      return { header: names, items }
    }
    case 'images':
      return { header: ['file'], items: contentsOfFiles(source, (bytes) => fileContent(bytes, '')) }
    case 'text':
      return { header: ['file'], items: contentsOfFiles(source, textOfBytes) }
    case 'idx':
      throw new UserError(`${source.path}: IDX files are imported, not predicted: give images.`)
    default:
      return source.format satisfies never
  }
}

async function* contentsOfRows(
  rows: AsyncIterable<TableRow>,
  read: (row: Readonly<Record<string, unknown>>) => Content,
): AsyncGenerator<Item> {
  for await (const { values, texts, fault, place } of rows)
    yield fault === null
      ? attempt(texts, `line ${place}`, () => read(values))
      : { before: texts, content: null, fault: `line ${place}: ${fault}` }
}

async function* contentsOfFiles(source: Source, read: (bytes: Buffer) => Content): AsyncGenerator<Item> {
  for (const { path, name } of source.files) {
    const bytes = await readFile(path)
    yield attempt([name], basename(name), () => read(bytes))
  }
}

function attempt(before: readonly string[], where: string, read: () => Content): Item {
  try {
    return { before, content: read(), fault: '' }
  } catch (error) {
    if (!(error instanceof UserError || error instanceof RequestError)) throw error
    return { before, content: null, fault: `${where}: ${error.message}` }
  }
}

/** The row's cells that the project knows; others are left out. */
function rowContent({ input, others }: InputSchema, row: Readonly<Record<string, unknown>>): Content {
  const values: Record<string, Cell> = {}
  let inputs = 0
  for (const [known, fields] of [
    [true, input.kind === 'row' ? input.fields : []],
    [false, others],
  ] as const) {
    for (const { name, type } of fields) {
      if (!Object.hasOwn(row, name)) continue
      const cell = toCell(type, row[name])
      if (cell instanceof WrongCell) throw new UserError(`'${name}': ${cell.what}.`)
      values[name] = cell
      if (known) inputs++
    }
  }
  if (inputs === 0) throw new UserError('it has none of the columns that the model takes.')
  return { kind: 'row', values }
}

function textOf(cell: unknown): Content {
  if (typeof cell !== 'string' || cell.trim() === '') throw new UserError('there is no text.')
  return { kind: 'text', text: cell }
}

function textOfBytes(bytes: Buffer): Content {
  const decoded = decodeText(bytes)
  if (typeof decoded === 'string') throw new UserError(`${decoded}.`)
  return textOf(decoded.text)
}

/** The column that holds the text: the one called so, or the only one that is not what is predicted. */
function textColumnOf({ path }: Source, names: readonly string[], target: string | undefined): string {
  const left = names.filter((name) => name !== target)
  const found = left.find((name) => name.toLowerCase() === 'text') ?? (left.length === 1 ? left[0] : undefined)
  if (found === undefined)
    throw new UserError(`${path} has the columns ${names.join(', ')}: call the one with the texts 'text'.`)
  return found
}

/** RFC 4180. */
function csvLine(cells: readonly string[]): string {
  return cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')
}
