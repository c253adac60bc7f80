/** Along which columns a model is looked at: those of rows, the length of texts, the brightness of images, and the source. */
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import { decodePixels } from '../store/pixels.ts'
import type { SnapshotColumn } from '../versioning/manifest.ts'
import type { Column } from './columns.ts'

/** Categories of more values than this say nothing in slices. */
const mostValues = 50

/** The columns of the examples with these numbers, in their order. */
export async function sliceColumnsOf(
  project: Project,
  examples: readonly number[],
  columns: readonly SnapshotColumn[],
): Promise<Column[]> {
  const measured = new Map<string, (string | number | null)[]>()
  const put = (name: string, row: number, value: string | number | null) => {
    const values = measured.get(name) ?? Array.from<null>({ length: examples.length }).fill(null)
    values[row] = value
    measured.set(name, values)
  }
  let row = 0
  for await (const { content } of readExamples(project.store, examples)) {
    for (const [name, value] of await measuresOf(content, columns)) put(name, row, value)
    row++
  }
  for (const [row, source] of (await sourcesOf(project, examples)).entries()) put('source', row, source)
  return [...measured].flatMap(([name, values]) => {
    const column = asColumn(name, values)
    if (!column) return []
    const isDate = columns.some((known) => known.name === name && known.type === 'date')
    return [isDate ? { ...column, write: day } : column]
  })
}

const day = (time: number) => new Date(time).toISOString().slice(0, 10)

/** What is looked at of one content, by name; dates as milliseconds. */
export async function measuresOf(
  content: Content,
  columns: readonly SnapshotColumn[],
): Promise<[string, string | number | null][]> {
  switch (content.kind) {
    case 'row':
      return columns.flatMap(({ name, type }): [string, string | number | null][] => {
        if (type === 'text') return []
        const value = content.values[name] ?? null
        if (type === 'date') return [[name, value === null ? null : Date.parse(String(value))]]
        return [[name, value === null || type === 'number' ? (value as number | null) : String(value)]]
      })
    case 'text':
      return [['length in characters', content.text.length]]
    case 'image': {
      const { bytes } = await decodePixels(content)
      let sum = 0
      for (const byte of bytes) sum += byte
      return [['brightness', Math.round(sum / bytes.length)]]
    }
    default:
      return content satisfies never
  }
}

async function sourcesOf({ store }: Project, examples: readonly number[]): Promise<string[]> {
  const sources = new Map<number, string>()
  for (let i = 0; i < examples.length; i += 1000) {
    const rows = await store.db
      .selectFrom('example')
      .innerJoin('import', 'import.id', 'example.import_id')
      .select(['example.number', 'import.path'])
      .where('example.number', 'in', examples.slice(i, i + 1000))
      .execute()
    for (const { number, path } of rows) sources.set(number, path)
  }
  return examples.map((number) => sources.get(number) ?? '')
}

/** Null where there is nothing to compare. */
function asColumn(name: string, values: readonly (string | number | null)[]): Column | null {
  const distinct = new Set(values)
  if (distinct.size < 2) return null
  if (values.every((value) => typeof value !== 'string')) {
    return { name, values: Float64Array.from(values, (value) => (value === null ? Number.NaN : (value as number))) }
  }
  return distinct.size > mostValues
    ? null
    : { name, values: values.map((value) => (value === null ? null : String(value))) }
}
