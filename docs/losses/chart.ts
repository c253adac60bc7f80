/**
 * Line charts as SVG: panels side by side, each with axes, curves and the names of the curves. Colours follow the
 * reader's light or dark mode; curves differ in their dashes too. The same chart is always the same text.
 */

export type Point = readonly [x: number, y: number]

export interface Curve {
  readonly name: string
  readonly points: readonly Point[]
}

export interface Axis {
  readonly label: string
  readonly from: number
  readonly to: number
  /** The distance between the marks. */
  readonly step: number
}

export interface Panel {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly curves: readonly Curve[]
}

export interface Chart {
  /** What the picture shows, for those who do not see it. */
  readonly description: string
  readonly panels: readonly Panel[]
}

const width = 430
const height = 348
/** The plot within its panel. */
const plot = { left: 64, right: width - 18, top: 78, bottom: height - 52 }

const style = `
text { font: 12px system-ui, sans-serif; fill: #3d444d }
.title { font-weight: 600; font-size: 14px; fill: #1f2328 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.zero { stroke: #818b98; stroke-width: 1 }
.curve { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round }
.c0 { stroke: #0969da } .c1 { stroke: #d1570a; stroke-dasharray: 9 5 }
.c2 { stroke: #1a7f37; stroke-dasharray: 2 5 } .c3 { stroke: #8250df; stroke-dasharray: 12 4 2 4 }
@media (prefers-color-scheme: dark) {
  text { fill: #b1bac4 } .title { fill: #f0f6fc } .grid { stroke: #30363d } .zero { stroke: #6e7681 }
  .c0 { stroke: #58a6ff } .c1 { stroke: #ffa657 } .c2 { stroke: #56d364 } .c3 { stroke: #d2a8ff }
}`

export function draw({ description, panels }: Chart): string {
  const total = width * panels.length
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${height}" width="${total}" height="${height}" role="img">`,
    `<title>${escaped(description)}</title>`,
    `<style>${style}\n</style>`,
    ...panels.map((panel, i) => `<g transform="translate(${i * width} 0)">\n${drawPanel(panel, i)}\n</g>`),
    '</svg>\n',
  ].join('\n')
}

function drawPanel({ title, x, y, curves }: Panel, number: number): string {
  const across = (value: number): number => scaled(value, x, plot.left, plot.right)
  const up = (value: number): number => scaled(value, y, plot.bottom, plot.top)
  const lines: string[] = [text(plot.left, 20, title, 'class="title"')]
  for (const value of marks(x)) {
    const at = round(across(value))
    const kind = value === 0 && x.from < 0 ? 'zero' : 'grid'
    lines.push(`<path class="${kind}" d="M${at} ${plot.top}V${plot.bottom}"/>`)
    lines.push(text(at, plot.bottom + 18, shown(value), 'text-anchor="middle"'))
  }
  for (const value of marks(y)) {
    const at = round(up(value))
    lines.push(`<path class="${value === 0 ? 'zero' : 'grid'}" d="M${plot.left} ${at}H${plot.right}"/>`)
    lines.push(text(plot.left - 8, at + 4, shown(value), 'text-anchor="end"'))
  }
  lines.push(text((plot.left + plot.right) / 2, height - 12, x.label, 'text-anchor="middle"'))
  const middle = (plot.top + plot.bottom) / 2
  lines.push(text(14, middle, y.label, `text-anchor="middle" transform="rotate(-90 14 ${middle})"`))
  lines.push(
    `<clipPath id="plot${number}"><rect x="${plot.left}" y="${plot.top - 2}" width="${plot.right - plot.left}" height="${plot.bottom - plot.top + 4}"/></clipPath>`,
    `<g clip-path="url(#plot${number})">`,
    ...curves.map(({ points }, i) => {
      const places = points.map(([a, b]): Point => [across(a), limited(up(b))])
      return `<path class="curve c${i}" d="M${straightened(places)
        .map(([a, b]) => `${round(a)} ${round(b)}`)
        .join('L')}"/>`
    }),
    '</g>',
    ...legend(curves),
  )
  return lines.join('\n')
}

/** The names of the curves, in lines above the plot. */
function legend(curves: readonly Curve[]): string[] {
  let [x, y] = [plot.left, 40]
  return curves.flatMap(({ name }, i) => {
    const room = 30 + 6.6 * name.length
    if (x > plot.left && x + room > plot.right) {
      x = plot.left
      y += 18
    }
    const at = x
    x += room + 16
    return [`<path class="curve c${i}" d="M${round(at)} ${y}h24"/>`, text(round(at + 30), y + 4, name)]
  })
}

function scaled(value: number, { from, to }: Axis, low: number, high: number): number {
  return low + ((value - from) / (to - from)) * (high - low)
}

/** Far outside of the plot a place may be anywhere. */
function limited(place: number): number {
  return Math.max(-height, Math.min(2 * height, place))
}

function marks({ from, to, step }: Axis): number[] {
  const first = Math.ceil(from / step - 1e-9)
  const count = Math.floor(to / step + 1e-9) - first + 1
  // + 0: no negative zero.
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toFixed(6)) + 0)
}

/** Without the points that lie on the line between their neighbours, to a twentieth of a pixel. */
function straightened(points: readonly Point[]): Point[] {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last || points.length < 3) return [...points]
  const [dx, dy] = [last[0] - first[0], last[1] - first[1]]
  const length = Math.hypot(dx, dy) || 1
  const off = points.map(([x, y]) => Math.abs(dx * (y - first[1]) - dy * (x - first[0])) / length)
  const farthest = off.reduce((best, d, i) => (d > (off[best] as number) ? i : best), 0)
  if ((off[farthest] as number) < 0.05) return [first, last]
  return [...straightened(points.slice(0, farthest + 1)).slice(0, -1), ...straightened(points.slice(farthest))]
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes ? ` ${attributes}` : ''}>${escaped(content)}</text>`
}

function shown(value: number): string {
  return String(value).replace('-', '−')
}

/** To a tenth of a pixel: so that no computer's last digit changes the text. */
function round(value: number): number {
  return Math.round(value * 10) / 10 + 0
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
