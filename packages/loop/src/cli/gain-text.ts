/** What labels bought, for a terminal. */
import type { Gain } from '../feedback/round.ts'
import type { Comparison } from '../registry/gate-report.ts'

/** What the labels bought. */
export function gainLines({ labels, test, traffic }: Gain): string {
  const lines = [gainLine(traffic, 'recent traffic', labels), gainLine(test, 'the test set', labels)].filter(
    (line) => line !== null,
  )
  return lines.length === 0
    ? `What ${labels} new labels bought cannot be told: there is nothing that both models can be held against.`
    : `What ${labels} new labels bought:\n${lines.join('\n')}`
}

function gainLine(comparison: Comparison | null, where: string, labels: number): string | null {
  if (!comparison) return null
  const { figure, champion, challenger, difference, examples } = comparison
  const hundred = (100 * difference.estimate) / Math.max(1, labels)
  if (figure === 'accuracy') {
    const percent = (value: number) => `${(100 * value).toFixed(1)} %`
    const points = (value: number) => `${value < 0 ? '−' : '+'}${(100 * Math.abs(value)).toFixed(1)}`
    return `  on ${where} (${examples}): ${percent(champion)} → ${percent(challenger)}, ${points(difference.estimate)} points (${points(difference.low)} to ${points(difference.high)}), ${points(hundred)} a hundred labels`
  }
  const short = (value: number) => String(Number(value.toPrecision(3)))
  return `  on ${where} (${examples}): mean absolute error ${short(champion)} → ${short(challenger)}, ${short(difference.estimate)} (${short(difference.low)} to ${short(difference.high)}), ${short(hundred)} a hundred labels`
}
