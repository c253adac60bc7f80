/** The 150 irises of `iris.csv`, measurements made comparable: each with mean 0 and standard deviation 1. */
import { readFileSync } from 'node:fs'
import { FormatError, type Tensor, tensor } from 'descent'

export const species = ['setosa', 'versicolor', 'virginica'] as const
export type Species = (typeof species)[number]

export interface Irises {
  /** [N, 4] */
  readonly x: Tensor
  /** i32 [N]: a species by its number. */
  readonly y: Tensor
}

/** All irises, or those of some species. Throws FormatError for a line that is no iris. */
export function readIrises(wanted: readonly Species[] = species): Irises {
  const [, ...lines] = readFileSync(new URL('iris.csv', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const rows = lines.map((line, i) => {
    const cells = line.split(',')
    const numbers = cells.slice(0, 4).map(Number)
    const kind = species.find((name) => name === cells[4])
    if (cells.length !== 5 || numbers.some(Number.isNaN) || !kind)
      throw new FormatError(`iris.csv, line ${i + 2}: "${line}" is not four numbers and a species.`)
    return { numbers, kind }
  })
  const chosen = rows.filter(({ kind }) => wanted.includes(kind))
  const x = tensor(chosen.map(({ numbers }) => numbers))
  return {
    x: x.center(0).div(x.std(0, { correction: 0 })),
    y: tensor(
      chosen.map(({ kind }) => wanted.indexOf(kind)),
      { dtype: 'i32' },
    ),
  }
}
