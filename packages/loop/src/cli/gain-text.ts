/** What labels bought, for a terminal. */
import type { Gain } from '../feedback/round.ts'
import type { Comparison } from '../registry/gate-report.ts'
import { count, counted } from './terminal.ts'

/** What the labels bought: a line for traffic, one for the test set, where they could be compared. */
export function gainLines({ labels, test, traffic }: Gain): string {
  const lines = [gainLine(traffic, 'recent traffic', labels), gainLine(test, 'the test set', labels)].filter(
    (line) => line !== null,
  )
  const bought =
    labels === 0 ? 'What training again bought, without new labels' : `What ${counted(labels, 'new label')} bought`
  return lines.length === 0
    ? `${bought} cannot be told: there is nothing that both models can be held against.`
    : `${bought}:\n${lines.join('\n')}`
}

function gainLine(comparison: Comparison | null, where: string, labels: number): string | null {
  if (!comparison) return null
  const { figure, champion, challenger, difference, examples } = comparison
  const { estimate, low, high } = difference
  const classes = figure === 'accuracy'
  const level = (value: number) => (classes ? `${(100 * value).toFixed(1)} %` : short(value))
  const change = (value: number) =>
    `${value < 0 ? '−' : '+'}${classes ? (100 * Math.abs(value)).toFixed(1) : short(Math.abs(value))}`
  const hundred = labels === 0 ? '' : `, ${change((100 * estimate) / labels)} a hundred labels`
  return `  on ${where} (${count(examples)}): ${classes ? '' : 'mean absolute error '}${level(champion)} → ${level(challenger)}, ${change(estimate)}${classes ? ' points' : ''} (${change(low)} to ${change(high)})${hundred}`
}

const short = (value: number) => String(Number(value.toPrecision(3)))
