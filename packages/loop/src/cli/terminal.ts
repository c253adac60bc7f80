/** What commands print: colours where the terminal has them, tables, durations, a line of progress that is written over. */
import { stripVTControlCharacters, styleText } from 'node:util'
import type { Progress } from '../progress.ts'

type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'gray' | 'bold'

/** Coloured where standard output is a terminal that shows colours (and NO_COLOR does not say otherwise). */
export function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout })
}

/** 1234567 as 1,234,567. */
export function count(number: number): string {
  return number.toLocaleString('en')
}

/** `1 row`, `2 rows`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`
}

/** A time for people: 0.42 s, 12.3 s, 4 min 05 s, 2 h 03 min. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${two((seconds % 3600) / 60)} min`
}

/** Rows in columns, the first row as a heading; columns of numbers to the right. */
export function table(rows: readonly (readonly string[])[], { heading = true } = {}): string {
  const width = Math.max(...rows.map((row) => row.length), 0)
  const length = (text: string) => [...stripVTControlCharacters(text)].length
  const columns = Array.from({ length: width }, (_, c) => ({
    width: Math.max(...rows.map((row) => length(row[c] ?? ''))),
    right: rows
      .slice(heading ? 1 : 0)
      .every((row) => /^[-−+±]?[\d.,]+( ?(%|s|ms|µs|KB|MB|J))?$|^[-–—]?$/.test(stripVTControlCharacters(row[c] ?? ''))),
  }))
  return rows
    .map((row, r) => {
      const cells = columns.map(({ width, right }, c) => {
        const text = row[c] ?? ''
        const space = ' '.repeat(width - length(text))
        return right ? space + text : text + space
      })
      const line = cells.join('  ').trimEnd()
      return heading && r === 0 ? paint('bold', line) : line
    })
    .join('\n')
}

let began = performance.now()
let what = ''
let shown = false
let last = 0

/** Shows how far the work is, at most ten times a second: done, rate, time left. */
export function progressLine(progress: Progress): void {
  if (!process.stderr.isTTY) return
  const now = performance.now()
  if (progress.what !== what) {
    what = progress.what
    began = now
    last = 0
  }
  if (now - last < 100 && progress.done !== progress.total) return
  last = now
  const seconds = (now - began) / 1000
  const rate = seconds > 0.5 ? progress.done / seconds : 0
  const { done, total, unit } = progress
  const parts = [total === null ? `${count(done)} ${unit}` : `${count(done)} of ${count(total)} ${unit}`]
  if (rate > 0) parts.push(`${rate >= 100 ? count(Math.round(rate)) : rate.toFixed(1)}/s`)
  if (rate > 0 && total !== null && done < total) parts.push(`${duration((total - done) / rate)} left`)
  const line = `${what}: ${parts.join(', ')}`
  process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`)
  shown = true
}

/** Takes the line of progress away, so that something else can be printed. */
export function clearProgress(): void {
  if (shown) process.stderr.write('\r\x1b[K')
  shown = false
  what = ''
}
