/** How often answers were right, by what people said about them; the random slice apart, as it alone is without bias. */

import type { Interval } from '../evaluation/interval.ts'
import { wilson } from '../evaluation/wilson.ts'
import type { Project } from '../project/project.ts'

export interface FeedbackAccuracy {
  /** Null where nobody said anything. */
  readonly all: CountedInterval | null
  readonly random: CountedInterval | null
}

export interface CountedInterval extends Interval {
  readonly count: number
}

/** Of one version's answers; what was said last about each counts. Only for classes: of numbers nothing is simply right. */
export async function accuracyFromFeedback({ store }: Project, version: number): Promise<FeedbackAccuracy> {
  const rows = await store.db
    .selectFrom('feedback')
    .innerJoin('prediction', 'prediction.id', 'feedback.prediction')
    .select(['feedback.prediction', 'feedback.value', 'prediction.output', 'prediction.random'])
    .where('prediction.version', '=', version)
    .orderBy('feedback.number')
    .execute()
  const last = [...new Map(rows.map((row) => [row.prediction, row])).values()].flatMap(({ value, output, random }) => {
    const { label } = JSON.parse(output) as { label?: string }
    return label === undefined ? [] : [{ right: label === String(JSON.parse(value)), random: random === 1 }]
  })
  return { all: shareOf(last), random: shareOf(last.filter(({ random }) => random)) }
}

function shareOf(said: readonly { readonly right: boolean }[]): CountedInterval | null {
  if (said.length === 0) return null
  return { ...wilson(said.filter(({ right }) => right).length, said.length), count: said.length }
}
