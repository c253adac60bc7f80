/** The order in which the steps of a plan run: those of a loop come again and again, bound to other parts of their buffers. */
import type { Launch, Part, Plan } from './kernel.ts'

/** One run of a step. */
export interface Turn {
  readonly step: readonly Launch[]
  /** Of its loop, from 0; 0 outside of loops. */
  readonly iteration: number
}

export function turnsOf({ steps, loops = [] }: Plan): Turn[] {
  const turns: Turn[] = []
  let next = 0
  const run = (from: number, to: number, iteration: number): void => {
    for (const step of steps.slice(from, to)) turns.push({ step, iteration })
  }
  for (const { first, length, count } of loops) {
    run(next, first, 0)
    for (let iteration = 0; iteration < count; iteration++) run(first, first + length, iteration)
    next = first + length
  }
  run(next, steps.length, 0)
  return turns
}

/** The element of its buffer at which a part begins. */
export function startOf(part: Part | undefined, iteration: number): number {
  if (!part) return 0
  const { start, stride, period } = part
  return start + stride * (period === null ? iteration : iteration % period)
}

/** Whether a launch is bound differently from one iteration to the next. */
export function moves({ parts }: Launch): boolean {
  return parts?.some((part) => part.stride !== 0) ?? false
}
