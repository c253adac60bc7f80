/**
 * What people said about predictions becomes labels, each with the prediction that prompted it. Feedback stays as it came; it
 * is noted which label event it became. The other way, a label that a person gave to a request of the random slice is
 * feedback too: both tell how often the model is right.
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
  const kept = await keepTraffic(project, [...new Set(waiting.map(({ prediction }) => prediction))])
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

/** Notes labels on requests of the random slice as feedback on their predictions. How many. */
export async function labelsAsFeedback({ store }: Project): Promise<number> {
  return store.transaction(async (db) => {
    const rows = await db
      .selectFrom('label')
      .innerJoin('prediction', 'prediction.id', 'label.prediction')
      .innerJoin('labeler', 'labeler.name', 'label.labeler')
      .leftJoin('feedback', 'feedback.label', 'label.number')
      .leftJoin('label as undo', 'undo.undoes', 'label.number')
      .select(['label.number', 'label.prediction', 'label.value', 'label.at', 'label.labeler'])
      .where('prediction.random', '=', 1)
      .where('labeler.kind', '=', 'person')
      .where('label.value', 'is not', null)
      .where('feedback.number', 'is', null)
      .where('undo.number', 'is', null)
      .orderBy('label.number')
      .execute()
    for (const { number, prediction, value, at, labeler } of rows)
      await db
        .insertInto('feedback')
        .values({ prediction: prediction as string, value: value as string, at, who: labeler, label: number })
        .execute()
    return rows.length
  })
}
