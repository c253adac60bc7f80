/** What any model must beat: the shares of the classes, or the mean, whatever the row. */
import type { Targets } from './rows.ts'

export interface MajorityModel {
  readonly kind: 'majority'
  readonly columns: number
  /** [classes]: their shares; or [1]: the mean. */
  readonly outputs: Float64Array
}

export function fitMajority(columns: number, y: Targets): MajorityModel {
  return { kind: 'majority', columns, outputs: shares(y) }
}

/** The shares of the classes [classes], or the mean [1]: the best constant for log loss and for squared error. */
export function shares(y: Targets): Float64Array {
  if (y.kind === 'numbers') return Float64Array.of(y.values.reduce((sum, value) => sum + value, 0) / y.values.length)
  const counts = new Float64Array(y.classes)
  for (const label of y.labels) counts[label] = (counts[label] as number) + 1
  return counts.map((count) => count / y.labels.length)
}

export function predictMajority({ outputs }: MajorityModel, rows: number): Float64Array {
  const out = new Float64Array(rows * outputs.length)
  for (let i = 0; i < rows; i++) out.set(outputs, i * outputs.length)
  return out
}
