/**
 * What is measured in a window of traffic, and what each figure says. A figure is too far where it is large and cannot be
 * chance: as many are looked at, again and again, chance is given one in a million in all.
 */
import { wilson } from '../evaluation/wilson.ts'
import type { Reading } from './alarm.ts'
import { binomialTail } from './binomial.ts'
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts'
import type { Points } from './mean-discrepancy.ts'
import { columnOf, type TrafficReference } from './reference.ts'
import { columnDrift } from './stability.ts'

/** A part of the traffic, the latest. */
export interface TrafficWindow {
  readonly rows: readonly ReadonlyMap<string, string | number | null>[]
  readonly embedding: Points
  /** Empty where answers have none. */
  readonly uncertainties: readonly number[]
  /** What was said about answers of late: whether each was right. */
  readonly feedback: readonly boolean[]
}

export interface Measure {
  /** `drift:Beak Length (mm)`, `drift:embedding`, `uncertain`, `accuracy`. */
  readonly name: string
  readonly value: number
  /** Where it becomes too far. */
  readonly threshold: number
  readonly reading: Reading
  /** What it says, in words. */
  readonly detail: string
}

/** How often an alarm may be false in one check. */
const chance = 1e-6
/** A figure that chance gives this often has come back. */
const ordinary = 0.01

const limits = {
  /** Population stability index: the usual rule calls 0.1 little and 0.25 much. */
  stability: { far: 0.2, calm: 0.1 },
  /** The distance of the embedding's means, as a multiple of what chance gives. */
  embedding: { far: 3, calm: 1.5 },
  /** By how much accuracy may lie below that on the test set. */
  accuracy: { far: 0.02 },
}

export function measuresIn(window: TrafficWindow, reference: TrafficReference): Measure[] {
  return [
    embeddingMeasure(window, reference),
    ...columnMeasures(window, reference),
    ...uncertainMeasure(window, reference),
    ...accuracyMeasure(window, reference),
  ]
}

function embeddingMeasure({ embedding }: TrafficWindow, { points }: TrafficReference): Measure {
  const { distance, expected, pValue } = points.compare(embedding)
  const value = expected > 0 ? distance / expected : distance > 0 ? Number.MAX_VALUE : 1
  const { far, calm } = limits.embedding
  return {
    name: 'drift:embedding',
    value,
    threshold: far,
    reading: readingOf(value >= far && pValue < chance, value < calm || pValue > ordinary),
    detail: `what the network sees lies ${times(value)} as far from what it was tested on as chance explains`,
  }
}

function columnMeasures({ rows }: TrafficWindow, { columns }: TrafficReference): Measure[] {
  return columns.map(({ reference, numbers }): Measure => {
    const { name } = reference
    const values = columnOf(rows, name)
    const wrongType = numbers !== null && !(values instanceof Float64Array)
    const comparable = wrongType ? values.map((value) => (value === null ? Number.NaN : Number(value))) : values
    const now = wrongType ? Float64Array.from(comparable as number[]) : values
    const asText = numbers === null && now instanceof Float64Array ? Array.from(now, textOf) : now
    const { stability, pValue, moved } = columnDrift(reference, asText)
    const both = Math.min(pValue, numbers && asText instanceof Float64Array ? smirnov(numbers, asText) : 1)
    const { far, calm } = limits.stability
    const [first] = moved
    return {
      name: `drift:${name}`,
      value: stability,
      threshold: far,
      reading: readingOf(stability >= far && both < chance / columns.length, stability < calm || both > ordinary),
      detail: first
        ? `${name} ${first.value}: ${percent(first.before)} before, ${percent(first.now)} now`
        : `${name} is as before`,
    }
  })
}

const textOf = (value: number) => (Number.isNaN(value) ? null : String(value))

/** 1 where one side has no number. */
function smirnov(a: Float64Array, b: Float64Array): number {
  const some = (values: Float64Array) => values.some((value) => !Number.isNaN(value))
  return some(a) && some(b) ? kolmogorovSmirnov(a, b).pValue : 1
}

function uncertainMeasure({ uncertainties }: TrafficWindow, { uncertain }: TrafficReference): Measure[] {
  if (!uncertain || uncertainties.length === 0) return []
  const count = uncertainties.length
  const hits = uncertainties.filter((value) => value > uncertain.above).length
  // The reference's share is itself a guess: a quarter more is allowed for.
  const allowed = Math.min(1, Math.max(0.02, 1.25 * uncertain.share))
  const pValue = binomialTail(hits, count, allowed)
  return [
    {
      name: 'uncertain',
      value: hits / count,
      threshold: 2 * allowed,
      reading: readingOf(hits / count >= 2 * allowed && pValue < chance, hits / count < 1.5 * allowed),
      detail: `${percent(hits / count)} of the answers are as uncertain as ${percent(uncertain.share)} were on the test set`,
    },
  ]
}

function accuracyMeasure({ feedback }: TrafficWindow, { accuracy }: TrafficReference): Measure[] {
  if (accuracy === null || feedback.length < 20) return []
  const hits = feedback.filter(Boolean).length
  const { estimate, low, high } = wilson(hits, feedback.length, 0.9999)
  const least = accuracy - limits.accuracy.far
  return [
    {
      name: 'accuracy',
      value: estimate,
      threshold: least,
      reading: readingOf(high < least, estimate >= least),
      detail: `${percent(estimate)} of ${feedback.length} answers were called right (${percent(low)} to ${percent(high)}); on the test set ${percent(accuracy)}`,
    },
  ]
}

function readingOf(far: boolean, calm: boolean): Reading {
  return far ? 'far' : calm ? 'calm' : 'between'
}

const percent = (value: number) => `${(100 * value).toFixed(1)} %`
const times = (value: number) => `${value >= 100 ? Math.round(value) : value.toFixed(1)} times`
