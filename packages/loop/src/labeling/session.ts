/**
 * One person labels, one example after the other. Every answer is in the database before the next example is shown, so that
 * nothing is lost however it ends.
 */
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import { addLabeler, appendLabel, isLabelledByOthers, type LabelValue, lastEvent, retractLabel } from './events.ts'
import type { Choice } from './queue.ts'
import { closeQueued, reopenQueued } from './queued.ts'

type Done = { readonly choice: Choice } & ({ readonly event: number } | { readonly skip: number })

export interface SessionState {
  readonly labelled: number
  readonly skipped: number
  /** How many are left in the queue, the present one among them. */
  readonly left: number
  readonly labelsAnHour: number
  /** How many of the queue others have labelled meanwhile. */
  readonly byOthers: number
}

export interface SessionOptions {
  /** Milliseconds. */
  readonly clock?: (() => number) | undefined
  /** Also what others label meanwhile. */
  readonly again?: boolean | undefined
}

export class LabelingSession {
  readonly labeler: string
  readonly #project: Project
  readonly #queue: Choice[]
  readonly #done: Done[] = []
  readonly #clock: () => number
  readonly #began: number
  /** The last label event before the session; null where what others label meanwhile is asked all the same. */
  readonly #since: number | null
  #shownAt: number
  #byOthers = 0

  private constructor(
    project: Project,
    labeler: string,
    queue: readonly Choice[],
    clock: () => number,
    since: number | null,
  ) {
    this.#project = project
    this.labeler = labeler
    this.#queue = [...queue]
    this.#clock = clock
    this.#since = since
    this.#began = clock()
    this.#shownAt = this.#began
  }

  /**
   * Begins. What someone else labels while the session goes on is left out, unless second opinions are wanted (`again`).
   * @throws {UserError} where the name belongs to a labeler that is no person
   */
  static async start(
    project: Project,
    labeler: string,
    queue: readonly Choice[],
    { clock = () => performance.now(), again = false }: SessionOptions = {},
  ): Promise<LabelingSession> {
    const { db } = project.store
    await addLabeler(db, labeler, 'person')
    const { kind } = await db.selectFrom('labeler').select('kind').where('name', '=', labeler).executeTakeFirstOrThrow()
    if (kind !== 'person')
      throw new UserError(`'${labeler}' is the name of a ${kind}'s labels, not of a person: take another with --as.`)
    return new LabelingSession(project, labeler, queue, clock, again ? null : await lastEvent(db))
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
      byOthers: this.#byOthers,
    }
  }

  /** Labels the present example and goes on to the next. */
  async answer(value: LabelValue): Promise<void> {
    const choice = this.#take()
    const seconds = (this.#clock() - this.#shownAt) / 1000
    const { store } = this.#project
    const { example, prediction = null } = choice
    const event = await store.transaction(async (db) => {
      const number = appendLabel(store, { example, value, labeler: this.labeler, seconds, prediction })
      await closeQueued(db, example, number)
      return number
    })
    await this.#next({ choice, event })
  }

  /** Passes over the present example: it is not asked of this person again. */
  async skip(): Promise<void> {
    const choice = this.#take()
    const { number } = await this.#project.store.db
      .insertInto('skip')
      .values({ example: choice.example, labeler: this.labeler, at: new Date().toISOString() })
      .returning('number')
      .executeTakeFirstOrThrow()
    await this.#next({ choice, skip: number })
  }

  /** Takes back the last answer or skip of this session and asks again. False where there is none. */
  async undo(): Promise<boolean> {
    const last = this.#done.pop()
    if (!last) return false
    await this.#project.store.transaction(async (db) => {
      if ('skip' in last) return void (await db.deleteFrom('skip').where('number', '=', last.skip).execute())
      await retractLabel(db, last.event)
      await reopenQueued(db, last.event)
    })
    this.#queue.unshift(last.choice)
    this.#shownAt = this.#clock()
    return true
  }

  #take(): Choice {
    const choice = this.present
    if (!choice) throw new Error('The queue is empty.')
    return choice
  }

  async #next(done: Done): Promise<void> {
    this.#done.push(done)
    this.#queue.shift()
    await this.#passOthers()
    this.#shownAt = this.#clock()
  }

  async #passOthers(): Promise<void> {
    const { labeler } = this
    for (let choice = this.present; choice && this.#since !== null; choice = this.present) {
      const { db } = this.#project.store
      if (!(await isLabelledByOthers(db, choice.example, { labeler, since: this.#since }))) return
      this.#queue.shift()
      this.#byOthers++
    }
  }
}
