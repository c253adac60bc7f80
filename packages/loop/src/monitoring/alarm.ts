/**
 * Alarms with hysteresis: a measure that went too far opens one, and only when it has come well back for a while does it
 * close, so that a measure that wavers at its threshold does not ring again and again.
 */

/** What one check says: too far, well within, or neither. */
export type Reading = 'far' | 'between' | 'calm'

export interface AlarmSettings {
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
 * @throws {RangeError} where a count is not a whole number from 1
 *
 * @example
 * ```ts
 * import { nextAlarm, quiet } from '@descent/loop'
 * let state = quiet
 * for (const reading of ['far', 'far', 'between', 'calm', 'calm'] as const) {
 *   const next = nextAlarm(state, reading, { opensAfter: 2, closesAfter: 2 })
 *   if (next.change) console.log(reading, next.change)
 *   state = next.state
 * }
 * // → far opened
 * // → calm closed
 * ```
 */
export function nextAlarm(
  { open, streak }: AlarmState,
  reading: Reading,
  { opensAfter, closesAfter }: AlarmSettings,
): { state: AlarmState; change: AlarmChange } {
  for (const [name, count] of Object.entries({ opensAfter, closesAfter }))
    if (!(Number.isInteger(count) && count >= 1))
      throw new RangeError(`${name} must be a whole number from 1, not ${count}.`)
  if (reading !== (open ? 'calm' : 'far')) return { state: { open, streak: 0 }, change: null }
  if (streak + 1 < (open ? closesAfter : opensAfter)) return { state: { open, streak: streak + 1 }, change: null }
  return { state: { open: !open, streak: 0 }, change: open ? 'closed' : 'opened' }
}
