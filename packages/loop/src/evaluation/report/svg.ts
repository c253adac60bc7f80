/** The little that the report's pictures share: escaped text, scales, axes with round marks. */

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Maps a range of values to a range of pixels. */
export type Scale = (value: number) => number

export function linear([from, to]: readonly [number, number], [start, end]: readonly [number, number]): Scale {
  const span = to - from || 1
  return (value) => start + ((value - from) / span) * (end - start)
}

/** Round numbers within a range, about `count` of them. */
export function marks(from: number, to: number, count = 5): number[] {
  const raw = (to - from || 1) / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= raw) as number) * power
  const first = Math.ceil(from / step - 1e-9)
  const last = Math.floor(to / step + 1e-9)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step)
}

/** A number in few digits. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}

export interface Plot {
  readonly width: number
  readonly height: number
  readonly x: readonly [number, number]
  readonly y: readonly [number, number]
  readonly xLabel: string
  readonly yLabel: string
  /** What the picture shows, for those who do not see it. */
  readonly description: string
}

const margin = { left: 52, right: 12, top: 10, bottom: 40 }

/** A frame with grid and labels, and what `inside` draws on its scales. */
export function plot(
  { width, height, x, y, xLabel, yLabel, description }: Plot,
  inside: (x: Scale, y: Scale) => string,
): string {
  const [left, right, top, bottom] = [margin.left, width - margin.right, margin.top, height - margin.bottom]
  const [sx, sy] = [linear(x, [left, right]), linear(y, [bottom, top])]
  const across = marks(...x, width / 80).map(
    (value) =>
      `<line class="grid" x1="${sx(value)}" x2="${sx(value)}" y1="${top}" y2="${bottom}"/><text x="${sx(value)}" y="${bottom + 16}" text-anchor="middle">${short(value)}</text>`,
  )
  const up = marks(...y, height / 50).map(
    (value) =>
      `<line class="grid" x1="${left}" x2="${right}" y1="${sy(value)}" y2="${sy(value)}"/><text x="${left - 6}" y="${sy(value) + 4}" text-anchor="end">${short(value)}</text>`,
  )
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"><title>${escaped(description)}</title>
${[...across, ...up].join('')}
${inside(sx, sy)}
<text x="${(left + right) / 2}" y="${height - 6}" text-anchor="middle">${escaped(xLabel)}</text>
<text transform="translate(13 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text></svg>`
}
