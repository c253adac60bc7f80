/** What the gate found, for a terminal. */
import type { GateReport } from '../registry/gate-report.ts'
import { paint, table } from './terminal.ts'

/** What the gate found, a line a check. */
export function gateLines({ challenger, champion, checks }: GateReport): string {
  const mark = (passed: boolean | null) =>
    passed === null ? paint('gray', '–') : passed ? paint('green', 'passed') : paint('red', 'refused')
  const against = champion === null ? '' : ` against the champion, version ${champion}`
  const rows = checks.map(({ check, passed, sentence }) => [`  ${check}`, mark(passed), sentence])
  return `Version ${challenger}${against}:\n${table(rows, { heading: false })}`
}
