/**
 * Label Studio's JSON (https://labelstud.io/guide/export#Label-Studio-JSON-format-of-annotated-tasks): a list of tasks, each with
 * `data` and `annotations`. Written with the example's id, so that what comes back finds its example; files from elsewhere are
 * matched by content. Every annotation becomes the label event of its annotator; importing again adds nothing.
 */
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import { type Content, encodeContent, exampleId } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import { asPicture } from '../store/pixels.ts'
import { addLabeler, appendLabel, type LabelValue, presentEvents } from './events.ts'
import { checkLabel, labelSet } from './label-set.ts'

/** Writes all examples as tasks, with everyone's present labels as annotations. Yields the text in pieces. */
export async function* exportLabelStudio(project: Project): AsyncGenerator<string> {
  const { store } = project
  const annotations = await annotationsOf(project)
  const numbers = (await store.db.selectFrom('example').select('number').orderBy('number').execute()).map(
    (row) => row.number,
  )
  let separator = '[\n'
  for await (const { number, id, content, name } of readExamples(store, numbers)) {
    const task = {
      id: number,
      data: { ...(await taskData(content)), descent_id: id, ...(name && { name }) },
      annotations: annotations.get(number) ?? [],
    }
    yield separator + JSON.stringify(task)
    separator = ',\n'
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n'
}

/** The labelling settings for Label Studio that fit the exported tasks. */
export async function labelStudioConfig(project: Project): Promise<string> {
  const set = await labelSet(project)
  const { kind } = project.config
  const show = {
    image: '<Image name="example" value="$image"/>',
    text: '<Text name="example" value="$text"/>',
    tabular: '<Text name="example" value="$row"/>',
  }[kind]
  const quoted = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
  const choices =
    set.task === 'class' ? set.classes.map((name) => `    <Choice value="${quoted(name)}"/>`).join('\n') : ''
  const control =
    set.task === 'number'
      ? '  <Number name="label" toName="example"/>'
      : `  <Choices name="label" toName="example" choice="single">\n${choices}\n  </Choices>`
  return `<View>\n  ${show}\n${control}\n</View>\n`
}

export interface LabelStudioImport {
  readonly tasks: number
  readonly added: number
  /** Labels that were there already. */
  readonly known: number
  /** Tasks whose example is not in this project. */
  readonly unmatched: readonly string[]
}

/**
 * Takes over the annotations of a Label Studio export.
 * @throws {UserError} where it is none, or a label does not fit; then nothing was taken over
 */
export async function importLabelStudio(project: Project, json: string, source: string): Promise<LabelStudioImport> {
  const tasks = parse(json, source)
  const set = await labelSet(project)
  const { store } = project
  const known = await presentOf(project)
  const ids = new Map(
    (await store.db.selectFrom('example').select(['id', 'number']).execute()).map((row) => [row.id, row.number]),
  )
  const named = await store.db.selectFrom('example').select(['name', 'number']).where('name', 'is not', null).execute()
  const names = new Map(named.map(({ name, number }) => [name as string, number]))
  const unmatched: string[] = []
  let [added, same] = [0, 0]
  await store.transaction(async (db) => {
    for (const [index, task] of tasks.entries()) {
      const at = `${source}, task ${task.id ?? index + 1}`
      const example = match(task, ids, names)
      if (example === undefined) {
        unmatched.push(at)
        continue
      }
      for (const annotation of task.annotations ?? []) {
        if (annotation.was_cancelled) continue
        const value = labelOf(annotation, at)
        if (value === null) continue
        const label = checkValue(() => checkLabel(set, String(value)), at)
        const labeler = annotatorOf(annotation)
        if (known.has(`${example} ${labeler} ${JSON.stringify(label)}`)) {
          same++
          continue
        }
        await addLabeler(db, labeler, 'person')
        appendLabel(store, {
          example,
          value: label,
          labeler,
          ...(annotation.created_at && { at: new Date(annotation.created_at).toISOString() }),
          seconds: annotation.lead_time ?? null,
        })
        added++
      }
    }
  })
  return { tasks: tasks.length, added, known: same, unmatched }
}

interface Annotation {
  readonly result?: readonly { readonly type?: string; readonly value?: Readonly<Record<string, unknown>> }[]
  readonly completed_by?: string | number | { readonly email?: string; readonly id?: number }
  readonly created_at?: string
  readonly lead_time?: number
  readonly was_cancelled?: boolean
}

interface Task {
  readonly id?: number
  readonly data?: Readonly<Record<string, unknown>>
  readonly annotations?: readonly Annotation[]
}

function parse(json: string, source: string): Task[] {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new UserError(`${source} is no JSON: ${(error as Error).message}`)
  }
  if (!Array.isArray(value) || !value.every((task) => typeof task === 'object' && task !== null && 'data' in task)) {
    throw new UserError(
      `${source} is no Label Studio export: that is a list of tasks with \`data\` and \`annotations\`.`,
    )
  }
  return value as Task[]
}

/** By the id that we wrote, else by content, else by the file's name. */
function match(
  { data = {} }: Task,
  ids: ReadonlyMap<string, number>,
  names: ReadonlyMap<string, number>,
): number | undefined {
  if (typeof data.descent_id === 'string') return ids.get(data.descent_id)
  if (typeof data.text === 'string') {
    const byText = ids.get(exampleId(encodeContent({ kind: 'text', text: data.text })))
    if (byText !== undefined) return byText
  }
  for (const value of Object.values(data)) {
    if (typeof value !== 'string') continue
    const path = decodeURIComponent(value.replace(/^.*[?&]d=/, ''))
    for (let rest = path; rest !== ''; rest = rest.includes('/') ? rest.slice(rest.indexOf('/') + 1) : '') {
      const found = names.get(rest)
      if (found !== undefined) return found
    }
  }
  return undefined
}

function labelOf({ result = [] }: Annotation, at: string): LabelValue | null {
  for (const { value = {} } of result) {
    const { choices, number, rating } = value
    if (Array.isArray(choices) && choices.length > 1)
      throw new UserError(`${at}: several choices (${choices.join(', ')}), where an example has one label.`)
    const found = Array.isArray(choices) ? choices[0] : (number ?? rating)
    if (typeof found === 'string' || typeof found === 'number') return found
  }
  return null
}

function annotatorOf({ completed_by }: Annotation): string {
  const who = typeof completed_by === 'object' ? (completed_by.email ?? completed_by.id) : completed_by
  return who === undefined ? 'Label Studio' : typeof who === 'number' ? `Label Studio user ${who}` : who
}

function checkValue<T>(check: () => T, at: string): T {
  try {
    return check()
  } catch (error) {
    throw new UserError(`${at}: ${(error as Error).message} Nothing was taken over.`)
  }
}

async function taskData(content: Content): Promise<Record<string, unknown>> {
  switch (content.kind) {
    case 'text':
      return { text: content.text }
    case 'row':
      return {
        ...content.values,
        row: Object.entries(content.values)
          .map(([name, value]) => `${name}: ${value}`)
          .join('\n'),
      }
    case 'image': {
      const { media, bytes } = await asPicture(content)
      return { image: `data:${media};base64,${Buffer.from(bytes).toString('base64')}` }
    }
    default:
      return content satisfies never
  }
}

/** Each labeler's present word on each example, as Label Studio's annotations. */
async function annotationsOf(project: Project): Promise<Map<number, object[]>> {
  const annotations = new Map<number, object[]>()
  for (const { number, example, value, labeler, at, seconds } of await presentEvents(project.store)) {
    const label = JSON.parse(value) as LabelValue
    const result =
      typeof label === 'number'
        ? { type: 'number', value: { number: label } }
        : { type: 'choices', value: { choices: [label] } }
    const annotation = {
      id: number,
      completed_by: { email: labeler },
      created_at: at,
      ...(seconds !== null && { lead_time: seconds }),
      result: [{ id: `label-${number}`, from_name: 'label', to_name: 'example', ...result }],
    }
    annotations.set(example, [...(annotations.get(example) ?? []), annotation])
  }
  return annotations
}

async function presentOf(project: Project): Promise<Set<string>> {
  return new Set(
    (await presentEvents(project.store)).map(({ example, labeler, value }) => `${example} ${labeler} ${value}`),
  )
}
