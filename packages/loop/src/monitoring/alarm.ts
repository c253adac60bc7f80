/**
 * Alarms with hysteresis: a measure that went too far opens one, and only when it has come well back for a while does it
 * close, so that a measure that wavers at its threshold does not ring again and again.
 */

export interface AlarmSettings {
  /** At or beyond it a check counts as too far. */
  readonly threshold: number
  /** Below it a check counts as calm; between the two nothing changes. */
  readonly calm: number
  /** So many checks too far, one after the other, open the alarm. */
  readonly opensAfter: number
  /** So many calm checks, one after the other, close it. */
  readonly closesAfter: number
}

export interface AlarmState {
  readonly open: boolean
  /** Checks in a row that speak for a change. */
  readonly streak: number
}

export const quiet: AlarmState = { open: false, streak: 0 }

export type AlarmChange = 'opened' | 'closed' | null

/**
 * The state after one more check.
 *
 * @throws {RangeError} where `calm` is not below the threshold, or a count is not a whole number from 1
 *
 * @example
 * ```ts
 * import { nextAlarm, quiet } from '@descent/loop'
 * const settings = { threshold: 3, calm: 1, opensAfter: 2, closesAfter: 2 }
 * let state = quiet
 * const changes = [4, 4, 2, 0, 0].map((value) => {
 *   const { state: next, change } = nextAlarm(state, value, settings)
 *   state = next
 *   return change
 * })
 * console.log(changes.join(' ')) // →  opened   closed
 * ```
 */
export function nextAlarm(
  { open, streak }: AlarmState,
  value: number,
  { threshold, calm, opensAfter, closesAfter }: AlarmSettings,
): { state: AlarmState; change: AlarmChange } {
  if (!(calm < threshold)) throw new RangeError(`calm (${calm}) must lie below the threshold (${threshold}).`)
  for (const [name, count] of Object.entries({ opensAfter, closesAfter }))
    if (!(Number.isInteger(count) && count >= 1))
      throw new RangeError(`${name} must be a whole number from 1, not ${count}.`)
  const speaks = open ? value < calm : value >= threshold
  if (!speaks) return { state: { open, streak: 0 }, change: null }
  if (streak + 1 < (open ? closesAfter : opensAfter)) return { state: { open, streak: streak + 1 }, change: null }
  return { state: { open: !open, streak: 0 }, change: open ? 'closed' : 'opened' }
}
