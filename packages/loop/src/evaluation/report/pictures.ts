/** The pictures of a report, as SVG: learning curves, reliability, confusion, intervals of classes and slices, predicted against true. */
import type { Reliability } from '../calibration.ts'
import type { Confusion } from '../confusion.ts'
import type { EpochPoint } from '../evaluation.ts'
import { escaped, linear, marks, plot, short } from './svg.ts'

/** Training and validation loss over epochs. */
export function learningCurve(epochs: readonly EpochPoint[]): string {
  const losses = epochs.flatMap(({ loss, validation }) => [loss, ...(validation === null ? [] : [validation])])
  const box = {
    width: 460,
    height: 260,
    x: [1, Math.max(2, epochs.length)],
    y: [Math.min(0, ...losses), Math.max(...losses)],
    xLabel: 'epoch',
    yLabel: 'loss',
    description: 'Training and validation loss over the epochs',
  } as const
  return plot(box, (x, y) => {
    const line = (name: string, values: readonly (readonly [number, number])[]) =>
      `<polyline class="curve ${name}" points="${values.map(([e, v]) => `${x(e).toFixed(1)},${y(v).toFixed(1)}`).join(' ')}"/>`
    const validated = epochs.flatMap(({ epoch, validation }) =>
      validation === null ? [] : [[epoch, validation] as const],
    )
    return (
      line(
        'a',
        epochs.map(({ epoch, loss }) => [epoch, loss]),
      ) + line('b', validated)
    )
  })
}

/** Accuracy against certainty: on the diagonal, certainty can be taken at its word. */
export function reliabilityDiagram(before: Reliability, after: Reliability | null): string {
  const box = {
    width: 460,
    height: 300,
    x: [0, 1],
    y: [0, 1],
    xLabel: 'certainty',
    yLabel: 'share that is right',
    description: 'How often the network is right, for each certainty',
  } as const
  return plot(box, (x, y) => {
    const dots = ({ bins }: Reliability, name: string) =>
      bins
        .filter(({ count }) => count > 0)
        .map(({ confidence, accuracy, count }) => {
          const radius = (2.5 + 1.2 * Math.log10(count)).toFixed(1)
          const hover = `${count} examples: ${(100 * confidence).toFixed(1)} % certain, ${(100 * accuracy.estimate).toFixed(1)} % right`
          return `<line class="whisker ${name}" x1="${x(confidence)}" x2="${x(confidence)}" y1="${y(accuracy.low)}" y2="${y(accuracy.high)}"/><circle class="${name}" cx="${x(confidence)}" cy="${y(accuracy.estimate)}" r="${radius}"><title>${hover}</title></circle>`
        })
        .join('')
    return `<line class="diagonal" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>${dots(before, 'a')}${after ? dots(after, 'b') : ''}`
  })
}

/** Rows are true classes, columns what was said; the darker, the more of the row. */
export function confusionMap({ matrix }: Confusion, classes: readonly string[]): string {
  const longest = Math.max(...classes.map((name) => name.length))
  const cell = Math.max(22, Math.min(46, Math.floor(560 / classes.length)))
  const [left, top] = [24 + 7 * Math.min(18, longest), 30 + 6 * Math.min(14, longest)]
  const name = (text: string, most: number) => escaped(text.length > most ? `${text.slice(0, most - 1)}…` : text)
  const cells = matrix.flatMap((row, t) => {
    const support = row.reduce((sum, count) => sum + count, 0)
    return row.map((count, s) => {
      const share = support === 0 ? 0 : count / support
      const [cx, cy] = [left + s * cell, top + t * cell]
      const hover = `${escaped(classes[t] as string)} taken for ${escaped(classes[s] as string)}: ${count} (${(100 * share).toFixed(1)} %)`
      const label =
        count === 0
          ? ''
          : `<text x="${cx + cell / 2}" y="${cy + cell / 2 + 4}" text-anchor="middle"${share > 0.55 ? ' class="on"' : ''}>${count}</text>`
      return `<rect class="${t === s ? 'right' : 'wrong'}" x="${cx}" y="${cy}" width="${cell - 1}" height="${cell - 1}" fill-opacity="${(0.04 + 0.96 * share ** 0.6).toFixed(3)}"><title>${hover}</title></rect>${label}`
    })
  })
  const rows = classes.map(
    (text, t) =>
      `<text x="${left - 6}" y="${top + t * cell + cell / 2 + 4}" text-anchor="end">${name(text, 18)}</text>`,
  )
  const columns = classes.map(
    (text, s) =>
      `<text transform="translate(${left + s * cell + cell / 2 + 4} ${top - 6}) rotate(-60)">${name(text, 14)}</text>`,
  )
  const size = classes.length * cell
  return `<svg viewBox="0 0 ${left + size + 40} ${top + size + 4}" width="${left + size + 40}" height="${top + size + 4}" role="img"><title>Confusion: true classes down, what was said across</title>${[...cells, ...rows, ...columns].join('')}</svg>`
}

export interface IntervalLine {
  readonly name: string
  readonly estimate: number
  readonly low: number
  readonly high: number
  readonly note: string
  readonly marked?: boolean
}

/** Estimates with their intervals, one a line, on one scale. */
export function intervalPlot(lines: readonly IntervalLine[], label: string): string {
  const shown = lines.filter(({ estimate }) => Number.isFinite(estimate))
  const [low, high] = [Math.min(...shown.map((line) => line.low)), Math.max(...shown.map((line) => line.high))]
  const left = 20 + 7 * Math.min(34, Math.max(...lines.map(({ name }) => name.length)))
  const [width, height] = [left + 460, lines.length * 22 + 36]
  const x = linear([low, high], [left, left + 330])
  const grid = marks(low, high).map(
    (value) =>
      `<line class="grid" x1="${x(value)}" x2="${x(value)}" y1="4" y2="${height - 30}"/><text x="${x(value)}" y="${height - 16}" text-anchor="middle">${short(value)}</text>`,
  )
  const rows = lines.map(({ name, estimate, low, high, note, marked }, i) => {
    const y = 16 + i * 22
    const text = `<text x="${left - 10}" y="${y + 4}" text-anchor="end">${escaped(name.length > 34 ? `${name.slice(0, 33)}…` : name)}</text>`
    if (!Number.isFinite(estimate)) return text
    const colour = marked ? 'b' : 'a'
    return `${text}<line class="whisker ${colour}" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/><circle class="${colour}" cx="${x(estimate)}" cy="${y}" r="4.5"/><text x="${left + 342}" y="${y + 4}">${escaped(note)}</text>`
  })
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"><title>${escaped(label)}</title>${grid.join('')}${rows.join('')}<text x="${left + 165}" y="${height - 2}" text-anchor="middle">${escaped(label)}</text></svg>`
}

/** Each point an example: on the diagonal, it was predicted exactly. */
export function scatter(points: readonly (readonly [number, number])[]): string {
  const all = points.flat()
  const range = [Math.min(...all), Math.max(...all)] as const
  const box = {
    width: 460,
    height: 420,
    x: range,
    y: range,
    xLabel: 'true value',
    yLabel: 'predicted',
    description: 'Predicted against true values',
  }
  return plot(box, (x, y) => {
    const dots = points.map(
      ([t, p]) => `<circle class="a faint" cx="${x(t).toFixed(1)}" cy="${y(p).toFixed(1)}" r="3"/>`,
    )
    return `<line class="diagonal" x1="${x(range[0])}" y1="${y(range[0])}" x2="${x(range[1])}" y2="${y(range[1])}"/>${dots.join('')}`
  })
}
