/**
 * Pictures in a terminal: half-block characters in shades of grey where colour is possible, else characters that
 * are darker or lighter. Two rows of pixels make one row of text.
 */
import type { WriteStream } from 'node:tty'

/** Whether to colour: a terminal that can, and nobody who asks not to (https://no-color.org). */
export function canColour(stream: WriteStream | NodeJS.WriteStream = process.stdout, env = process.env): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
}

const SHADES = ' .:-=+*#%@'

/** A grey picture of 28 × 28 bytes as lines, without its empty margin: 20 × 20 pixels become 10 lines of 20. */
export function digitLines(bytes: Uint8Array, colour: boolean): string[] {
  const pixel = (row: number, column: number): number => bytes[row * 28 + column] ?? 0
  const lines: string[] = []
  for (let row = 4; row < 24; row += 2) {
    let line = ''
    for (let column = 4; column < 24; column++) {
      const [upper, lower] = [pixel(row, column), pixel(row + 1, column)]
      line += colour
        ? `\x1b[38;5;${grey(upper)};48;5;${grey(lower)}m▀`
        : SHADES[Math.round(((upper + lower) / 510) * 9)]
    }
    lines.push(colour ? `${line}\x1b[0m` : line)
  }
  return lines
}

/** The 24 greys of the 256-colour palette. */
function grey(byte: number): number {
  return 232 + Math.round((byte / 255) * 23)
}

/** Pictures with captions, side by side, as many as fit. */
export function gallery(
  pictures: readonly { readonly lines: readonly string[]; readonly caption: string }[],
  columns = 80,
): string {
  const width = 24
  const perRow = Math.max(1, Math.floor(columns / width))
  const rows: string[] = []
  for (let at = 0; at < pictures.length; at += perRow) {
    const row = pictures.slice(at, at + perRow)
    rows.push(
      row
        .map(({ caption }) => caption.padEnd(width))
        .join('')
        .trimEnd(),
    )
    for (let line = 0; line < (row[0]?.lines.length ?? 0); line++) {
      rows.push(
        row
          .map(({ lines }) => `${lines[line]}    `)
          .join('')
          .trimEnd(),
      )
    }
    rows.push('')
  }
  return rows.join('\n')
}
