/**
 * The bench's table: one line a workload. First Descent: its first device with median, minimum and share of the limit,
 * its others with median and share. Then the peers. Ratios say how many times as long as Descent's first device.
 */
import { type Limits, limitMs } from './limits.ts'
import type { Measured } from './measure.ts'
import type { Workload } from './workload.ts'

/** What came out for one contender: times, or why there are none. */
export type Outcome = Measured | string

export function formatMs(ms: number): string {
  if (ms >= 100) return ms.toFixed(0)
  return ms >= 10 ? ms.toFixed(1) : ms.toPrecision(2)
}

export function headings([first, ...others]: readonly string[], peers: readonly string[]): string[] {
  return ['', 'limit', first ?? '', 'min', 'share', ...others.flatMap((device) => [device, 'share']), ...peers]
}

/** `own` has an outcome for each of Descent's devices. */
export function row(workload: Workload, own: readonly Outcome[], peers: readonly Outcome[], limits: Limits): string[] {
  const [first, ...others] = own as readonly [Outcome, ...Outcome[]]
  const least = limitMs(workload, limits)
  const share = (outcome: Outcome): string =>
    typeof outcome === 'string' || least === 0 ? '–' : `${Math.round((100 * least) / outcome.median)} %`
  return [
    workload.name,
    least === 0 ? '–' : formatMs(least),
    typeof first === 'string' ? first : formatMs(first.median),
    typeof first === 'string' ? '–' : formatMs(first.min),
    share(first),
    ...others.flatMap((outcome) => [cell(first, outcome), share(outcome)]),
    ...peers.map((peer) => cell(first, peer)),
  ]
}

function cell(own: Outcome, other: Outcome): string {
  if (typeof other === 'string') return other
  if (typeof own === 'string') return formatMs(other.median)
  const ratio = other.median / own.median
  return `${formatMs(other.median)} (${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}×)`
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
