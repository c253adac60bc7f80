/** An example as lines of text for a terminal. */
import type { Content } from '../store/content.ts'
import { decodePixels } from '../store/pixels.ts'
import { type Colours, pictureLines } from './picture.ts'
import { paint } from './terminal.ts'

export interface Room {
  readonly columns: number
  readonly rows: number
  readonly colours: Colours
}

export async function exampleLines(content: Content, room: Room): Promise<string[]> {
  switch (content.kind) {
    case 'image':
      return pictureLines(await decodePixels(content), room.columns, room.rows, room.colours)
    case 'text':
      return shorten(wrap(content.text, room.columns), room.rows)
    case 'row': {
      const entries = Object.entries(content.values)
      const width = Math.min(30, Math.max(0, ...entries.map(([name]) => name.length)))
      const lines = entries.map(
        ([name, value]) => `${paint('gray', name.padEnd(width))}  ${String(value).slice(0, room.columns - width - 2)}`,
      )
      return shorten(lines, room.rows)
    }
    default:
      return content satisfies never
  }
}

/** What cannot be shown (control characters) is left out, so that a text cannot steer the terminal. */
function wrap(text: string, columns: number): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const plain = text.replaceAll('\t', '  ').replaceAll(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '')
  return plain.split('\n').flatMap((line) => {
    const lines: string[] = []
    let rest = line.trimEnd()
    while (rest.length > columns) {
      const space = rest.lastIndexOf(' ', columns)
      const end = space > columns / 2 ? space : columns
      lines.push(rest.slice(0, end))
      rest = rest.slice(end).trimStart()
    }
    return [...lines, rest]
  })
}

function shorten(lines: readonly string[], rows: number): string[] {
  return lines.length <= rows
    ? [...lines]
    : [...lines.slice(0, rows - 1), paint('gray', `… ${lines.length - rows + 1} more lines`)]
}
