/**
 * Labelling in a terminal: one example, one key an answer. `s` skips, `u` takes back, `+` writes a label, `q` or Ctrl-C ends.
 * What goes in: keys; what comes out: calls of the session, and the screen.
 */
import { UserError } from '../errors.ts'
import { checkLabel, keysFor, type LabelSet } from '../labeling/label-set.ts'
import type { LabelingSession } from '../labeling/session.ts'
import type { Project } from '../project/project.ts'
import { readExample } from '../store/examples.ts'
import type { Keys } from './keys.ts'
import { coloursOf } from './picture.ts'
import { exampleLines } from './show-example.ts'
import { count, paint } from './terminal.ts'

export interface Screen {
  readonly project: Project
  readonly session: LabelingSession
  readonly set: LabelSet
  readonly keys: Keys
  readonly out: NodeJS.WriteStream
  /** Shown with the first example. */
  readonly note?: string | undefined
}

/** Asks until the queue is empty or the person ends it. */
export async function labelInTerminal({ project, session, set, keys, out, note: first = '' }: Screen): Promise<void> {
  const classes = set.task === 'class' ? [...set.classes] : []
  let keyOf = keysFor(classes, project.config.keys)
  let note = first
  let shown: number | null = null
  for (;;) {
    const choice = session.present
    if (!choice) return
    if (out.isTTY || choice.example !== shown || note !== '') {
      await draw({ project, session, set, out, keyOf, note, again: choice.example === shown })
      shown = choice.example
      note = ''
    }
    const key = await keys.next()
    if (key === null || key === 'q') return
    const name = keyOf.get(key)
    if (name !== undefined) await session.answer(name)
    else if (key === 's') await session.skip()
    else if (key === 'u') note = (await session.undo()) ? '' : 'There is nothing to take back in this session.'
    else if (key === 'enter') continue
    else if (key === '+' || (set.task === 'number' && /[-+.\d]/.test(key))) {
      const text = await typed(
        keys,
        out,
        set.task === 'number' ? 'number: ' : 'label: ',
        set.task === 'number' ? key : '',
      )
      if (text === null) continue
      try {
        const value = checkLabel(set, text)
        if (set.task === 'class' && !classes.includes(String(value))) {
          classes.push(String(value))
          keyOf = keysFor(classes, project.config.keys)
        }
        await session.answer(value)
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        note = error.message
      }
    } else note = `There is no key '${key}' here.`
  }
}

interface Drawing {
  readonly project: Project
  readonly session: LabelingSession
  readonly set: LabelSet
  readonly out: NodeJS.WriteStream
  readonly keyOf: ReadonlyMap<string, string>
  readonly note: string
  /** Whether this example is on the screen already. */
  readonly again: boolean
}

async function draw({ project, session, set, out, keyOf, note, again }: Drawing): Promise<void> {
  const { example, reason } = session.present as { example: number; reason: string }
  const { labelled, skipped, left, labelsAnHour } = session.state
  // A terminal that does not know its size says 0.
  const columns = Math.min(100, out.columns || 80)
  const done = labelled + skipped
  const rate = labelled >= 3 ? ` · ${count(Math.round(labelsAnHour))} labels an hour` : ''
  const lines = [
    `${paint('bold', `${done + 1} of ${done + left}`)} · ${session.labeler}${rate} · ${paint('gray', reason)}`,
    '',
  ]
  if (!again || out.isTTY) {
    const { content, name } = await readExample(project.store, example)
    if (name) lines.push(paint('gray', name))
    lines.push(
      ...(await exampleLines(content, { columns, rows: Math.max(8, (out.rows || 40) - 9), colours: coloursOf(out) })),
      '',
    )
  }
  lines.push(...keyLines(set, keyOf, columns))
  if (note) lines.push(paint('yellow', note))
  out.write(`${out.isTTY ? '\x1b[H\x1b[2J' : ''}${lines.join('\n')}\n`)
}

function keyLines(set: LabelSet, keyOf: ReadonlyMap<string, string>, columns: number): string[] {
  const answers =
    set.task === 'number'
      ? ['type the number, then Enter']
      : [...keyOf].map(([key, name]) => (key === name ? paint('cyan', key) : `${paint('cyan', key)} ${name}`))
  if (set.task === 'class' && set.open) answers.push(`${paint('cyan', '+')} another`)
  const plain = set.task === 'number' ? [27] : [...keyOf].map(([key, name]) => (key === name ? 1 : name.length + 2))
  const lines: string[] = []
  let line = ''
  let width = 0
  answers.forEach((answer, i) => {
    const size = (plain[i] ?? 9) + 3
    if (width + size > columns && line) {
      lines.push(line)
      line = ''
      width = 0
    }
    line += `${answer}   `
    width += size
  })
  return [...lines, line.trimEnd(), paint('gray', 's skip   u take back   q end')]
}

/** A line of text from keys; null where the person gave it up with Escape. */
async function typed(keys: Keys, out: NodeJS.WriteStream, prompt: string, start: string): Promise<string | null> {
  let text = start
  for (;;) {
    if (out.isTTY) out.write(`\r\x1b[K${prompt}${text}`)
    const key = await keys.next()
    if (key === null || key === 'escape') return null
    if (key === 'enter') return text
    text = key === 'backspace' ? text.slice(0, -1) : text + key
  }
}
