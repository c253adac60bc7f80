/** The bench's table: one line a workload, Descent's time and share of the limit, each peer's time and ratio. */
import { type Limits, limitMs } from './limits.ts'
import type { Measured } from './measure.ts'
import type { Workload } from './workload.ts'

/** What came out for one contender: times, or why there are none. */
export type Outcome = Measured | string

export function formatMs(ms: number): string {
  if (ms >= 100) return ms.toFixed(0)
  return ms >= 10 ? ms.toFixed(1) : ms.toPrecision(2)
}

export const headings = (peers: readonly string[]): string[] => ['', 'descent', 'min', 'limit', 'share', ...peers]

export function row(workload: Workload, own: Outcome, peers: readonly Outcome[], limits: Limits): string[] {
  const least = limitMs(workload, limits)
  const share = typeof own === 'string' || least === 0 ? '–' : `${Math.round((100 * least) / own.median)} %`
  return [
    workload.name,
    typeof own === 'string' ? own : formatMs(own.median),
    typeof own === 'string' ? '–' : formatMs(own.min),
    least === 0 ? '–' : formatMs(least),
    share,
    ...peers.map((peer) => cell(own, peer)),
  ]
}

function cell(own: Outcome, peer: Outcome): string {
  if (typeof peer === 'string') return peer
  if (typeof own === 'string') return formatMs(peer.median)
  const ratio = peer.median / own.median
  return `${formatMs(peer.median)} (${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}×)`
}

export function layout(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  const lines = rows.map((cells) =>
    cells
      .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  return lines.join('\n')
}
