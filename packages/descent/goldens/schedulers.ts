/** The learning-rate schedules of `schedulers.json`: the rate at every step. */
import type { SchedulerCase } from './cases.ts'
import type { Verdict } from './compare.ts'
import { missing } from './operation.ts'

/** No schedule exists yet. */
export function runScheduler(_case: SchedulerCase): Verdict[] {
  return [missing]
}
