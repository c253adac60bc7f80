/**
 * What people said about predictions becomes labels, each with the prediction that prompted it. Feedback stays as it came; it
 * is noted which label event it became.
 */

import { UserError } from '../errors.ts'
import { addLabeler, appendLabel } from '../labeling/events.ts'
import { checkLabel, labelSet } from '../labeling/label-set.ts'
import type { Project } from '../project/project.ts'
import { keepTraffic } from './traffic-examples.ts'

export interface FeedbackReport {
  /** Label events that were appended. */
  readonly labels: number
  /** Feedback whose request is gone (retention, or forgotten), and feedback that is no label of this project. */
  readonly gone: number
  readonly refused: number
  /** The first refusal, in words. */
  readonly refusal: string | null
}

/** Turns all feedback that has not become a label yet into labels. */
export async function feedbackLabels(project: Project): Promise<FeedbackReport> {
  const { store } = project
  const waiting = await store.db
    .selectFrom('feedback')
    .select(['number', 'prediction', 'value', 'who', 'at'])
    .where('label', 'is', null)
    .orderBy('number')
    .execute()
  const kept = await keepTraffic(store, [...new Set(waiting.map(({ prediction }) => prediction))])
  const exampleOf = new Map(kept.map(({ prediction, example }) => [prediction, example]))
  const set = await labelSet(project)
  const report = { labels: 0, gone: 0, refused: 0, refusal: null as string | null }
  await store.transaction(async (db) => {
    for (const who of new Set(waiting.map(({ who }) => who))) await addLabeler(db, who, 'person')
    for (const { number, prediction, value, who, at } of waiting) {
      const example = exampleOf.get(prediction)
      if (example === undefined) {
        report.gone++
        continue
      }
      try {
        const label = checkLabel(set, String(JSON.parse(value)))
        const event = appendLabel(store, { example, value: label, labeler: who, at, prediction })
        await db.updateTable('feedback').set({ label: event }).where('number', '=', number).execute()
        report.labels++
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        report.refused++
        report.refusal ??= `feedback ${number} by ${who}: ${error.message}`
      }
    }
  })
  return report
}
