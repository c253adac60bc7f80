/** Learning curves drawn with letters: the share of the training examples to the right, the score upwards. */
import type { Curve } from '../baselines/learning-curve.ts'
import { shareText } from '../baselines/learning-curve.ts'
import { count, paint } from './terminal.ts'

const HEIGHT = 12
/** Columns between one share and the next. */
const STEP = 12
/** More dotted lines than this could not be told apart. */
const JOINED = 2

export interface PlotOptions {
  /** A score as it stands at the axis. */
  readonly show: (score: number) => string
}

/** Curves are marked by capital letters; where two meet, by the first one's. Dots join those of the first two curves. */
export function plotCurves(curves: readonly Curve[], { show }: PlotOptions): string {
  const shares = [...new Set(curves.flatMap(({ points }) => points.map(({ share }) => share)))].sort((a, b) => a - b)
  const scores = curves.flatMap(({ points }) => points.map(({ score }) => score)).filter(Number.isFinite)
  if (shares.length < 2 || scores.length === 0) return ''
  // R² may be far below 0 where there is little data: that part says no more than that it is useless.
  const low = Math.max(Math.min(...scores), Math.min(0, Math.max(...scores)))
  const high = Math.max(...scores)
  const width = STEP * (shares.length - 1) + 1
  const cells = Array.from({ length: HEIGHT }, () => Array.from({ length: width }, () => ' '))
  const rowOf = (score: number) =>
    high === low ? 0 : Math.round(((high - Math.max(score, low)) / (high - low)) * (HEIGHT - 1))
  const marks = marksOf(curves)
  const put = (row: number, column: number, mark: string, over: boolean) => {
    const line = cells[row] as string[]
    if (over ? line[column] === ' ' || line[column] === '·' : line[column] === ' ') line[column] = mark
  }
  for (const [i, { points }] of curves.entries())
    for (const { share, score } of points) put(rowOf(score), STEP * shares.indexOf(share), marks[i] as string, true)
  for (const { points } of curves.slice(0, JOINED)) {
    for (const [i, { share, score }] of points.entries()) {
      const next = points[i + 1]
      if (!next) continue
      const [from, to] = [STEP * shares.indexOf(share), STEP * shares.indexOf(next.share)]
      for (let x = from + 2; x < to; x += 2)
        put(rowOf(score + ((x - from) / (to - from)) * (next.score - score)), x, '·', false)
    }
  }
  const labels = cells.map((_, row) =>
    row % 4 === 0 || row === HEIGHT - 1 ? show(high - (row / (HEIGHT - 1)) * (high - low)) : '',
  )
  const margin = Math.max(...labels.map((text) => text.length))
  const lines = cells.map((line, row) =>
    `${(labels[row] as string).padStart(margin)} ${labels[row] ? '┤' : '│'} ${line.join('')}`.trimEnd(),
  )
  const under = (text: (share: number) => string) =>
    `${' '.repeat(margin + 3)}${shares.map((share) => text(share).padEnd(STEP)).join('')}`.trimEnd()
  const examples = new Map(curves.flatMap(({ points }) => points.map((point) => [point.share, point.examples])))
  return [
    ...lines,
    `${' '.repeat(margin)} └─${'─'.repeat(width)}`,
    under(shareText),
    paint(
      'gray',
      under((share) => count(examples.get(share) ?? 0)),
    ),
    curves.map(({ name }, i) => `${marks[i]} ${name}`).join('   '),
  ].join('\n')
}

/** The first letter of each name that no curve before has taken. */
function marksOf(curves: readonly Curve[]): string[] {
  const taken = new Set<string>()
  return curves.map(({ name, kind }) => {
    const letters =
      kind === 'network' ? ['N'] : [...name.toUpperCase().replaceAll(/[^A-Z]/g, ''), ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
    const mark = letters.find((letter) => !taken.has(letter)) ?? '?'
    taken.add(mark)
    return mark
  })
}
