/**
 * L-BFGS (Liu and Nocedal 1989): the minimum of a smooth function from its values and gradients, with steps that
 * satisfy the weak Wolfe conditions, found by bisection (Lewis and Overton 2013).
 */
import type { Pace } from './pace.ts'

export interface Point {
  readonly value: number
  readonly gradient: Float64Array
}

export interface Minimum {
  readonly at: Float64Array
  readonly value: number
  /** The largest absolute element of the gradient there. */
  readonly gradient: number
  readonly iterations: number
}

export interface MinimizeOptions {
  /** It stops where no element of the gradient is larger. */
  readonly tolerance: number
  readonly maxIterations: number
  /** The relative error of a value: smaller differences say nothing, and the slope decides alone. */
  readonly noise: number
}

const MEMORY = 12

/** Minimises `evaluate` from `start`. */
export async function minimize(
  evaluate: (at: Float64Array) => Promise<Point>,
  start: Float64Array,
  options: MinimizeOptions,
  pace: Pace,
): Promise<Minimum> {
  let at = start
  let point = await evaluate(at)
  const first = largest(point.gradient)
  const steps: Float64Array[] = []
  const changes: Float64Array[] = []
  let iterations = 0
  while (largest(point.gradient) > options.tolerance && iterations < options.maxIterations) {
    const direction = descentDirection(point.gradient, steps, changes)
    let slope = dot(direction, point.gradient)
    if (!(slope < 0)) {
      steps.length = 0
      changes.length = 0
      direction.set(point.gradient.map((g) => -g))
      slope = dot(direction, point.gradient)
    }
    const length = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(direction, direction))) : 1
    const next = await wolfeStep(evaluate, at, point, direction, slope, length, options.noise)
    if (!next) break
    const step = next.at.map((value, i) => value - (at[i] as number))
    const before = point.gradient
    const change = next.point.gradient.map((value, i) => value - (before[i] as number))
    if (dot(step, change) > 1e-300) {
      steps.push(step)
      changes.push(change)
      if (steps.length > MEMORY) {
        steps.shift()
        changes.shift()
      }
    }
    at = next.at
    point = next.point
    iterations++
    // Convergence is linear in the logarithm of the gradient, more or less.
    if (pace.due()) await pace.rest(Math.log(first / largest(point.gradient)) / Math.log(first / options.tolerance))
  }
  return { at, value: point.value, gradient: largest(point.gradient), iterations }
}

/** −H g by the two-loop recursion, with H from the last steps and changes of the gradient. */
function descentDirection(gradient: Float64Array, steps: Float64Array[], changes: Float64Array[]): Float64Array {
  const direction = gradient.map((g) => -g)
  const weights: number[] = []
  for (let i = steps.length - 1; i >= 0; i--) {
    const [step, change] = [steps[i] as Float64Array, changes[i] as Float64Array]
    const weight = dot(step, direction) / dot(step, change)
    weights[i] = weight
    addScaled(direction, change, -weight)
  }
  const [step, change] = [steps.at(-1), changes.at(-1)]
  if (step && change) {
    const scale = dot(step, change) / dot(change, change)
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) * scale
  }
  for (let i = 0; i < steps.length; i++) {
    const [step, change] = [steps[i] as Float64Array, changes[i] as Float64Array]
    const weight = dot(change, direction) / dot(step, change)
    addScaled(direction, step, (weights[i] as number) - weight)
  }
  return direction
}

/** A step along `direction` that lowers the value and flattens the slope, or null where rounding hides any. */
async function wolfeStep(
  evaluate: (at: Float64Array) => Promise<Point>,
  at: Float64Array,
  point: Point,
  direction: Float64Array,
  slope: number,
  length: number,
  noise: number,
): Promise<{ readonly at: Float64Array; readonly point: Point } | null> {
  let low = 0
  let high = Infinity
  let step = length
  const slack = noise * Math.abs(point.value)
  for (let trial = 0; trial < 40; trial++) {
    const there = at.map((value, i) => value + step * (direction[i] as number))
    const found = await evaluate(there)
    const newSlope = dot(found.gradient, direction)
    if (!(found.value <= point.value + 1e-4 * step * slope + slack)) high = step
    else if (newSlope < 0.9 * slope) low = step
    else if (newSlope > -0.9 * slope && found.value > point.value + 1e-4 * step * slope) high = step
    else return { at: there, point: found }
    step = high === Infinity ? 2 * low : (low + high) / 2
    if (high - low < 1e-14 * high) return null
  }
  return null
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

function addScaled(into: Float64Array, from: Float64Array, scale: number): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + scale * (from[i] as number)
}

/** The largest absolute element. */
export function largest(values: Float64Array): number {
  let most = 0
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] as number))
  return most
}
