/** The loss over the learning rate, from a sweep: what to take, and drawings for a terminal and a page. */

/** A rate that was tried. */
export interface LearningRatePoint {
  readonly lr: number
  /** Of the batch, before the step with this rate. */
  readonly loss: number
  /** A mean over the neighbours, weighted by their nearness. */
  readonly smoothed: number
}

/** By how many standard deviations of the noise the loss has to fall, so that its fall says something. */
const CLEAR = 2
/** Neighbours count by a normal distribution of this width, as a share of the sweep. */
const WIDTH = 0.03
const COLUMNS = 64
const ROWS = 14

/** What `findLearningRate` found: the losses over the rates, a suggestion, and both drawn. */
export class LearningRateCurve {
  readonly points: readonly LearningRatePoint[]
  /** Whether the loss ran away before the last rate was reached. */
  readonly diverged: boolean
  /** Where the smoothed loss falls most steeply over log(rate); null where it does not fall beyond its noise. */
  readonly suggestion: number | null

  constructor(tried: readonly { readonly lr: number; readonly loss: number }[], planned: number, diverged: boolean) {
    const smoothed = smooth(
      tried.map(({ loss }) => loss),
      Math.max(1, planned * WIDTH),
    )
    this.points = tried.map((point, i) => ({ ...point, smoothed: smoothed[i] as number }))
    this.diverged = diverged
    this.suggestion = suggest(this.points)
  }

  /** The curve, drawn with the dots of Braille letters, and the suggestion. */
  toString(): string {
    const { points, suggestion } = this
    const view = viewOf(points)
    if (!view) return 'Learning rates: too few steps to draw.'
    const dots = Array.from({ length: ROWS }, () => new Array<number>(COLUMNS).fill(0))
    const set = (x: number, y: number) => {
      const [column, row] = [Math.floor(x / 2), Math.floor(y / 4)]
      const line = dots[row]
      // The dots of a Braille letter are numbered down the left side, then the right, and then the last row.
      if (line && column < COLUMNS)
        line[column] = (line[column] as number) | ([1, 8, 2, 16, 4, 32, 64, 128][2 * (y % 4) + (x % 2)] as number)
    }
    const place = ({ lr, smoothed }: LearningRatePoint): readonly [number, number] => [
      view.x(lr) * (2 * COLUMNS - 1),
      (1 - view.y(smoothed)) * (4 * ROWS - 1),
    ]
    for (let i = 1; i < points.length; i++) {
      const [from, to] = [place(points[i - 1] as LearningRatePoint), place(points[i] as LearningRatePoint)]
      const length = Math.ceil(Math.max(Math.abs(to[0] - from[0]), Math.min(Math.abs(to[1] - from[1]), 4 * ROWS), 1))
      for (let part = 0; part <= length; part++) {
        const [x, y] = [0, 1].map((axis) =>
          Math.round((from[axis] as number) + (((to[axis] as number) - (from[axis] as number)) * part) / length),
        ) as [number, number]
        if (y >= 0) set(x, y)
      }
    }
    const marked = suggestion === null ? -1 : Math.floor((view.x(suggestion) * (2 * COLUMNS - 1)) / 2)
    const labels = [view.high, (view.high + view.low) / 2, view.low].map(short)
    const width = Math.max(...labels.map((label) => label.length))
    const rows = dots.map((line, row) => {
      const label = row === 0 ? labels[0] : row === Math.floor(ROWS / 2) ? labels[1] : row === ROWS - 1 ? labels[2] : ''
      const cells = line.map((bits, c) => (bits > 0 ? String.fromCharCode(0x2800 + bits) : c === marked ? '┊' : ' '))
      return `${(label as string).padStart(width)} ┤${cells.join('')}`.trimEnd()
    })
    const axis = new Array<string>(COLUMNS).fill('─')
    const numbers = new Array<string>(COLUMNS + 8).fill(' ')
    for (const lr of view.decades) {
      const column = Math.floor((view.x(lr) * (2 * COLUMNS - 1)) / 2)
      axis[column] = '┬'
      for (const [i, letter] of [...short(lr)].entries()) numbers[column + i] = letter
    }
    return [
      `${'loss'.padStart(width)}`,
      ...rows,
      `${' '.repeat(width)} └${axis.join('')}`,
      `${' '.repeat(width + 2)}${numbers.join('').trimEnd()}  learning rate`,
      this.#word(),
    ].join('\n')
  }

  #word(): string {
    if (this.suggestion === null) return 'No suggestion: the loss does not fall beyond its noise.'
    return `Suggestion: ${short(this.suggestion)}, where the loss falls most steeply.`
  }

  /** The curve as a picture of 640 × 360: losses of the batches grey, the smoothed curve blue, the suggestion red. */
  toSvg(): string {
    const view = viewOf(this.points)
    const [left, right, top, bottom] = [64, 624, 24, 312]
    const x = (lr: number) => fixed(left + (view?.x(lr) ?? 0) * (right - left))
    const y = (loss: number) => fixed(Math.max(bottom - (view?.y(loss) ?? 0) * (bottom - top), top))
    const text = (at: readonly [number, number], anchor: string, words: string, more = '') =>
      `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}"${more}>${words}</text>`
    const line = (from: readonly [number, number], to: readonly [number, number], colour: string, more = '') =>
      `<line x1="${from[0]}" y1="${from[1]}" x2="${to[0]}" y2="${to[1]}" stroke="${colour}"${more}/>`
    const parts = !view
      ? [text([320, 180], 'middle', 'Too few steps to draw.')]
      : [
          ...view.decades.flatMap((lr) => [
            line([x(lr), top], [x(lr), bottom], '#ddd'),
            text([x(lr), bottom + 18], 'middle', short(lr)),
          ]),
          ...[0, 1, 2, 3, 4].flatMap((i) => {
            const loss = view.low + ((view.high - view.low) * i) / 4
            return [line([left, y(loss)], [right, y(loss)], '#ddd'), text([left - 8, y(loss) + 4], 'end', short(loss))]
          }),
          ...this.points
            .filter(({ loss }) => loss <= view.high)
            .map(({ lr, loss }) => `<circle cx="${x(lr)}" cy="${y(loss)}" r="1.5" fill="#aaa"/>`),
          `<polyline fill="none" stroke="#2563eb" stroke-width="2" points="${this.points
            .filter(({ smoothed }, i) => smoothed <= view.high || (this.points[i - 1]?.smoothed ?? 0) <= view.high)
            .map(({ lr, smoothed }) => `${x(lr)},${y(smoothed)}`)
            .join(' ')}"/>`,
          ...(this.suggestion === null
            ? []
            : [
                line([x(this.suggestion), top], [x(this.suggestion), bottom], '#dc2626', ' stroke-dasharray="4 3"'),
                text([x(this.suggestion) + 6, top + 12], 'start', short(this.suggestion), ' fill="#dc2626"'),
              ]),
        ]
    return [
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360" font-family="sans-serif" font-size="12" fill="#333">',
      '<rect width="640" height="360" fill="#fff"/>',
      ...parts,
      text([(left + right) / 2, 348], 'middle', 'learning rate'),
      text([16, 16], 'start', 'loss'),
      '</svg>\n',
    ].join('\n')
  }
}

function smooth(losses: readonly number[], width: number): number[] {
  return losses.map((_, at) => {
    let sum = 0
    let weights = 0
    for (const [i, loss] of losses.entries()) {
      const weight = Math.exp(-0.5 * ((i - at) / width) ** 2)
      sum += weight * loss
      weights += weight
    }
    return sum / weights
  })
}

function suggest(points: readonly LearningRatePoint[]): number | null {
  const losses = points.map(({ smoothed }) => smoothed)
  const lowest = losses.indexOf(Math.min(...losses))
  const before = points.slice(0, lowest + 1)
  if (before.length < 3) return null
  const noise = Math.sqrt(before.reduce((sum, { loss, smoothed }) => sum + (loss - smoothed) ** 2, 0) / before.length)
  if (!(Math.max(...losses.slice(0, lowest + 1)) - (losses[lowest] as number) > CLEAR * noise)) return null
  let steepest = 1
  const fall = (i: number) => (losses[i - 1] as number) - (losses[i + 1] as number)
  for (let i = 1; i < lowest; i++) if (fall(i) > fall(steepest)) steepest = i
  return (points[steepest] as LearningRatePoint).lr
}

/** From rates and losses to 0…1. The steep end of a sweep that diverged is cut: it would hide the rest. */
function viewOf(points: readonly LearningRatePoint[]) {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last || first.lr === last.lr) return null
  const losses = points.map(({ smoothed }) => smoothed)
  const low = Math.min(...points.map(({ loss, smoothed }) => Math.min(loss, smoothed)))
  const before = Math.max(...losses.slice(0, losses.indexOf(Math.min(...losses)) + 1))
  const high = before > low ? before + 0.3 * (before - low) : Math.max(...losses, low + 1e-9)
  const log = Math.log(last.lr / first.lr)
  const decades: number[] = []
  for (let power = Math.ceil(Math.log10(first.lr)); power <= Math.log10(last.lr); power++)
    decades.push(Number(`1e${power}`))
  return {
    low,
    high,
    decades,
    x: (lr: number) => Math.log(lr / first.lr) / log,
    y: (loss: number) => (loss - low) / (high - low),
  }
}

const fixed = (value: number) => Number(value.toFixed(1))

function short(value: number): string {
  return value !== 0 && (Math.abs(value) < 0.01 || Math.abs(value) >= 1e4)
    ? value.toExponential(1).replace('.0e', 'e').replace('e+', 'e')
    : String(Number(value.toPrecision(3)))
}
