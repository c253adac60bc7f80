/**
 * One person labels, one example after the other. Every answer is in the database before the next example is shown, so that
 * nothing is lost however it ends.
 */
import type { Project } from '../project/project.ts'
import { addLabeler, appendLabel, type LabelValue, retractLabel } from './events.ts'
import type { Choice } from './queue.ts'

type Done = { readonly choice: Choice } & ({ readonly event: number } | { readonly skip: number })

export interface SessionState {
  readonly labelled: number
  readonly skipped: number
  /** How many are left in the queue, the present one among them. */
  readonly left: number
  readonly labelsAnHour: number
}

export class LabelingSession {
  readonly labeler: string
  readonly #project: Project
  readonly #queue: Choice[]
  readonly #done: Done[] = []
  readonly #clock: () => number
  readonly #began: number
  #shownAt: number

  private constructor(project: Project, labeler: string, queue: readonly Choice[], clock: () => number) {
    this.#project = project
    this.labeler = labeler
    this.#queue = [...queue]
    this.#clock = clock
    this.#began = clock()
    this.#shownAt = this.#began
  }

  /** `clock` gives milliseconds. */
  static async start(
    project: Project,
    labeler: string,
    queue: readonly Choice[],
    clock: () => number = () => performance.now(),
  ): Promise<LabelingSession> {
    await addLabeler(project.store.db, labeler, 'person')
    return new LabelingSession(project, labeler, queue, clock)
  }

  /** What is asked now; null at the end. */
  get present(): Choice | null {
    return this.#queue[0] ?? null
  }

  get state(): SessionState {
    const labelled = this.#done.filter((one) => 'event' in one).length
    const hours = (this.#clock() - this.#began) / 3_600_000
    return {
      labelled,
      skipped: this.#done.length - labelled,
      left: this.#queue.length,
      labelsAnHour: hours > 0 ? labelled / hours : 0,
    }
  }

  /** Labels the present example and goes on to the next. */
  async answer(value: LabelValue): Promise<void> {
    const choice = this.#take()
    const seconds = (this.#clock() - this.#shownAt) / 1000
    const { store } = this.#project
    const event = await store.transaction(async () =>
      appendLabel(store, { example: choice.example, value, labeler: this.labeler, seconds }),
    )
    this.#next({ choice, event })
  }

  /** Passes over the present example: it is not asked of this person again. */
  async skip(): Promise<void> {
    const choice = this.#take()
    const { number } = await this.#project.store.db
      .insertInto('skip')
      .values({ example: choice.example, labeler: this.labeler, at: new Date().toISOString() })
      .returning('number')
      .executeTakeFirstOrThrow()
    this.#next({ choice, skip: number })
  }

  /** Takes back the last answer or skip of this session and asks again. False where there is none. */
  async undo(): Promise<boolean> {
    const last = this.#done.pop()
    if (!last) return false
    const { db } = this.#project.store
    if ('event' in last) await retractLabel(db, last.event)
    else await db.deleteFrom('skip').where('number', '=', last.skip).execute()
    this.#queue.unshift(last.choice)
    this.#shownAt = this.#clock()
    return true
  }

  #take(): Choice {
    const choice = this.present
    if (!choice) throw new Error('The queue is empty.')
    return choice
  }

  #next(done: Done): void {
    this.#done.push(done)
    this.#queue.shift()
    this.#shownAt = this.#clock()
  }
}
