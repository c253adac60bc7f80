/** Curves as text: each column of characters is a range of x, each row a range of y on a logarithmic scale. */

export interface Curve {
  /** One character that stands for it. */
  readonly mark: string
  /** Values above 0, the first at x = 0. */
  readonly values: readonly number[]
}

/** Lines of a plot `columns` wide and `rows` high, with an axis at the left; a later curve is drawn over earlier ones. */
export function plot(curves: readonly Curve[], columns: number, rows: number): string[] {
  const all = curves.flatMap(({ values }) => values).filter((value) => value > 0 && Number.isFinite(value))
  const [low, high] = [Math.log(Math.min(...all)), Math.log(Math.max(...all))]
  const rowOf = (value: number): number =>
    high === low ? 0 : Math.round(((high - Math.log(value)) / (high - low)) * (rows - 1))
  const cells = Array.from({ length: rows }, () => new Array<string>(columns).fill(' '))
  for (const { mark, values } of curves) {
    let above: number | null = null
    for (let column = 0; column < columns; column++) {
      const value = values[Math.round((column / (columns - 1)) * (values.length - 1))] as number
      if (!(value > 0) || !Number.isFinite(value)) continue
      const row = rowOf(value)
      // Steep parts are drawn without gaps.
      const [from, to] = above === null || Math.abs(above - row) <= 1 ? [row, row] : [Math.min(above, row) + 1, row]
      for (let r = Math.min(from, to); r <= Math.max(from, to); r++) (cells[r] as string[])[column] = mark
      above = row
    }
  }
  return cells.map((line, row) => {
    const value = Math.exp(high - (row / Math.max(rows - 1, 1)) * (high - low))
    const label = row === 0 || row === rows - 1 || row % 4 === 0 ? value.toFixed(3) : ''
    return `${label.padStart(7)} │${line.join('').trimEnd()}`
  })
}
