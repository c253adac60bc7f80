/**
 * `descent promote` and `descent rollback`: who becomes champion. Either is one appended alias row, which a running server
 * notices: requests that are under way are answered by the version that took them.
 */
import { UserError } from '../errors.ts'
import type { Work } from '../progress.ts'
import type { Project } from '../project/project.ts'
import { type AliasChange, currentVersion, setAlias, versionBefore } from './aliases.ts'
import { askGate } from './gate.ts'
import type { GateReport } from './gate-report.ts'

export interface PromoteOptions extends Work {
  readonly who?: string | undefined
  readonly why?: string | undefined
  /** Also where the gate refuses. Needs `why`; what the gate found is kept. */
  readonly force?: boolean | undefined
  readonly seed?: number | undefined
}

export interface Promotion {
  readonly report: GateReport
  /** Null where the gate refused. */
  readonly change: AliasChange | null
}

/**
 * Makes a version champion where the gate lets it through.
 * @throws {UserError} where there is no such version, it is champion already, or force has no reason
 */
export async function promote(
  project: Project,
  reference: number | string,
  { who, why, force = false, ...options }: PromoteOptions = {},
): Promise<Promotion> {
  if (force && (why === undefined || why.trim() === ''))
    throw new UserError('To go past the gate needs a reason, which is kept: --force --why "…".')
  const report = await askGate(project, reference, options)
  if (!report.passed && !force) return { report, change: null }
  return { report, change: await crown(project, report, { who, why }) }
}

/**
 * Makes the version of the report champion, whatever the report says. It is challenger no longer: a server that shadows the
 * challenger would ask one model twice.
 */
export async function crown(
  project: Pick<Project, 'store'>,
  report: GateReport,
  { who, why }: { readonly who?: string | undefined; readonly why?: string | undefined },
): Promise<AliasChange> {
  const change = await setAlias(project, 'champion', report.challenger, {
    who,
    why,
    how: report.passed ? 'promoted' : 'forced',
    gate: report,
    expected: report.champion,
  })
  if ((await currentVersion(project, 'challenger')) === report.challenger)
    await setAlias(project, 'challenger', null, { who, why: 'it is champion' })
  return change
}

/**
 * Makes the champion before the present one champion again. Called again, it goes further back.
 * @throws {UserError} where there was none before
 */
export async function rollback(
  project: Pick<Project, 'store'>,
  { who, why }: { readonly who?: string | undefined; readonly why?: string | undefined } = {},
): Promise<AliasChange> {
  const now = await currentVersion(project, 'champion')
  const before = await versionBefore(project, 'champion')
  if (before === null)
    throw new UserError(
      now === null
        ? 'There is no champion, and was none: choose one with `descent promote`.'
        : `There was no champion before version ${now} to go back to.`,
    )
  return setAlias(project, 'champion', before, { who, why, how: 'rolled back', expected: now })
}
