/** Times of predictions and sizes of models for people. */

/** 8.6 µs, 420 µs, 1.3 ms */
export function microseconds(value: number): string {
  if (!Number.isFinite(value)) return ''
  if (value >= 1000) return `${two(value / 1000)} ms`
  return value < 0.1 ? '< 0.1 µs' : `${two(value)} µs`
}

/** 540 B, 65 KB, 2.7 MB, of 1,000 */
export function bytesText(value: number): string {
  if (!Number.isFinite(value)) return ''
  if (value >= 1e6) return `${two(value / 1e6)} MB`
  return value >= 1000 ? `${two(value / 1000)} KB` : `${value} B`
}

function two(value: number): string {
  return Number(value.toPrecision(value >= 100 ? 3 : 2)).toLocaleString('en')
}
