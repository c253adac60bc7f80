/**
 * Watches the champion's traffic: reads predictions as they are logged, measures the latest of them again and again, keeps
 * alarms, and where one opens, asks people about the examples that caused it.
 *
 * What holds: a window is measured after every `every` predictions; where they come faster than that can be done, only the
 * latest window is. A new champion is a new start, and closes the alarms of the one before.
 */
import { keepTraffic } from '../feedback/traffic-examples.ts'
import { addQueued } from '../labeling/queued.ts'
import type { Project } from '../project/project.ts'
import { currentVersion } from '../registry/aliases.ts'
import { type LoadedVersion, loadVersion } from '../registry/load-version.ts'
import { type Content, decodeContent } from '../store/content.ts'
import { type AlarmChange, type AlarmState, nextAlarm, quiet } from './alarm.ts'
import type { Points } from './mean-discrepancy.ts'
import { type Measure, measuresIn } from './measures.ts'
import { referenceOf, type TrafficReference } from './reference.ts'

export interface WatchOptions {
  /** Predictions that are measured at a time. Default 250. */
  readonly window?: number | undefined
  /** A check after so many new ones. Default 50. */
  readonly every?: number | undefined
  /** Examples to ask about where an alarm opens. Default 100. */
  readonly ask?: number | undefined
  /** Begin with what is logged from now on; otherwise with what is there. */
  readonly fromNow?: boolean | undefined
}

export interface CheckReport {
  readonly version: number
  /** Predictions of this version that were looked at so far, and those in the window. */
  readonly seen: number
  readonly window: number
  readonly measures: readonly Measure[]
  readonly alarms: readonly AlarmEvent[]
}

export interface AlarmEvent {
  readonly number: number
  readonly measure: string
  readonly change: 'opened' | 'closed'
  readonly detail: string
  /** Examples that were put into the labelling queue. */
  readonly asked: number
}

interface Seen {
  readonly number: number
  readonly id: string
  readonly row: ReadonlyMap<string, string | number | null>
  readonly embedding: Float32Array
  readonly uncertainty: number | null
}

const hysteresis = { opensAfter: 2, closesAfter: 3 }
/** Farther behind than so many checks, the ones in between are left out. */
const backlog = 20

export class TrafficWatch {
  readonly #project: Project
  readonly #options: Settings
  #watched: Watched | null = null
  #last: number

  private constructor(project: Project, options: Settings, last: number) {
    this.#project = project
    this.#options = options
    this.#last = last
  }

  static async open(project: Project, options: WatchOptions = {}): Promise<TrafficWatch> {
    const { window = 250, every = 50, ask = 100, fromNow = false } = options
    const last = fromNow ? await lastPrediction(project) : 0
    return new TrafficWatch(project, { window, every, ask }, last)
  }

  /** The version that is watched; null where there is no champion. */
  get version(): number | null {
    return this.#watched?.served.version ?? null
  }

  /** Looks at what was logged since the last time. Empty where that is not enough for a check. */
  async check(): Promise<CheckReport[]> {
    const champion = await currentVersion(this.#project, 'champion')
    if (champion === null) return []
    if (this.#watched?.served.version !== champion) await this.#watch(champion)
    const watched = this.#watched as Watched
    const { every, window } = this.#options
    const reports: CheckReport[] = []
    for (;;) {
      const behind = await this.#waiting(champion)
      if (behind < every) return reports
      if (behind > backlog * every) await this.#skip(champion, window)
      await this.#read(watched, Math.min(every, behind))
      if (watched.seen.length >= Math.min(window, 2 * every)) reports.push(await this.#measure(watched))
    }
  }

  async #watch(version: number): Promise<void> {
    const { store } = this.#project
    const before = this.#watched
    if (before) await closeAlarms(this.#project, before.served.version)
    const served = await loadVersion(this.#project, version)
    const open = await store.db
      .selectFrom('alarm')
      .select(['number', 'measure'])
      .where('version', '=', version)
      .where('closed_at', 'is', null)
      .execute()
    this.#watched = {
      served,
      reference: await referenceOf(this.#project, served),
      seen: [],
      count: 0,
      states: new Map(open.map(({ measure }) => [measure, { open: true, streak: 0 }])),
      open: new Map(open.map(({ measure, number }) => [measure, number])),
    }
  }

  #answered(version: number) {
    return this.#project.store.db
      .selectFrom('prediction')
      .where('number', '>', this.#last)
      .where('version', '=', version)
      .where('role', '=', 'champion')
      .where('body', 'is not', null)
  }

  async #waiting(version: number): Promise<number> {
    const { count } = await this.#answered(version)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  /** Goes on where the latest window begins. */
  async #skip(version: number, window: number): Promise<void> {
    const row = await this.#answered(version)
      .select('number')
      .orderBy('number', 'desc')
      .offset(window)
      .limit(1)
      .executeTakeFirst()
    if (row) this.#last = row.number
  }

  async #read(watched: Watched, count: number): Promise<void> {
    const rows = await this.#answered(watched.served.version)
      .select(['number', 'id', 'media', 'body', 'uncertainty'])
      .orderBy('number')
      .limit(count)
      .execute()
    const contents = rows.map(({ media, body }): Content => decodeContent({ media, body: body as Uint8Array }))
    const { width, values } = await watched.served.embed(contents)
    for (const [i, { number, id, uncertainty }] of rows.entries()) {
      const row = await watched.reference.measures(contents[i] as Content)
      watched.seen.push({ number, id, row, embedding: values.slice(i * width, (i + 1) * width), uncertainty })
    }
    watched.count += rows.length
    watched.seen.splice(0, Math.max(0, watched.seen.length - this.#options.window))
    this.#last = rows.at(-1)?.number ?? this.#last
  }

  async #measure(watched: Watched): Promise<CheckReport> {
    const { reference, seen, served } = watched
    const measures = measuresIn(
      {
        rows: seen.map(({ row }) => row),
        embedding: pointsOf(seen),
        uncertainties: seen.flatMap(({ uncertainty }) => (uncertainty === null ? [] : [uncertainty])),
        feedback: await feedbackOf(this.#project, served.version),
      },
      reference,
    )
    const alarms: AlarmEvent[] = []
    for (const measure of measures) {
      const { state, change } = nextAlarm(watched.states.get(measure.name) ?? quiet, measure.reading, hysteresis)
      watched.states.set(measure.name, state)
      if (change) alarms.push(await this.#change(watched, measure, change))
    }
    return { version: served.version, seen: watched.count, window: seen.length, measures, alarms }
  }

  async #change(watched: Watched, measure: Measure, change: Exclude<AlarmChange, null>): Promise<AlarmEvent> {
    const { store } = this.#project
    const { name, detail } = measure
    const now = new Date().toISOString()
    if (change === 'closed') {
      const number = watched.open.get(name) as number
      watched.open.delete(name)
      await store.db.updateTable('alarm').set({ closed_at: now }).where('number', '=', number).execute()
      return { number, measure: name, change, detail, asked: 0 }
    }
    const { number } = await store.db
      .insertInto('alarm')
      .values({
        measure: name,
        version: watched.served.version,
        opened_at: now,
        value: Math.min(measure.value, Number.MAX_VALUE),
        threshold: measure.threshold,
        details: detail,
      })
      .returning('number')
      .executeTakeFirstOrThrow()
    watched.open.set(name, number)
    return { number, measure: name, change, detail, asked: await this.#ask(watched, number, detail) }
  }

  /** Puts the window's predictions that are least like the reference into the queue. */
  async #ask({ seen, reference }: Watched, alarm: number, detail: string): Promise<number> {
    const strangeness = reference.points.strangeness(pointsOf(seen))
    const chosen = [...seen.keys()]
      .sort((a, b) => (strangeness[b] as number) - (strangeness[a] as number))
      .slice(0, this.#options.ask)
    const scores = new Map(chosen.map((i) => [(seen[i] as Seen).id, strangeness[i] as number]))
    const kept = await keepTraffic(this.#project, [...scores.keys()])
    return addQueued(
      this.#project.store,
      kept.map(({ prediction, example }) => ({
        example,
        reason: 'drifted',
        detail: `alarm ${alarm}: ${detail}`,
        score: scores.get(prediction) as number,
        prediction,
        alarm,
      })),
    )
  }
}

interface Settings {
  readonly window: number
  readonly every: number
  readonly ask: number
}

interface Watched {
  readonly served: LoadedVersion
  readonly reference: TrafficReference
  readonly seen: Seen[]
  count: number
  readonly states: Map<string, AlarmState>
  /** Numbers of open alarms by measure. */
  readonly open: Map<string, number>
}

function pointsOf(seen: readonly Seen[]): Points {
  const width = seen[0]?.embedding.length ?? 0
  const values = new Float32Array(seen.length * width)
  for (const [i, { embedding }] of seen.entries()) values.set(embedding, i * width)
  return { count: seen.length, width, values }
}

async function lastPrediction({ store }: Project): Promise<number> {
  const row = await store.db
    .selectFrom('prediction')
    .select('number')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.number ?? 0
}

async function closeAlarms({ store }: Project, version: number): Promise<void> {
  await store.db
    .updateTable('alarm')
    .set({ closed_at: new Date().toISOString() })
    .where('version', '=', version)
    .where('closed_at', 'is', null)
    .execute()
}

/** How many of the latest answers with feedback are looked at. */
const feedbackWindow = 500
/** From so many on the random slice of the traffic is believed alone: people speak up where something is wrong. */
const enoughRandom = 50

/** Whether each of the latest answers about which someone said something was right: of the random slice, where that is enough. */
async function feedbackOf({ store }: Project, version: number): Promise<boolean[]> {
  const rows = await store.db
    .selectFrom('feedback')
    .innerJoin('prediction', 'prediction.id', 'feedback.prediction')
    .select(['feedback.value', 'prediction.output', 'prediction.random'])
    .where('prediction.version', '=', version)
    .orderBy('feedback.number', 'desc')
    .limit(feedbackWindow)
    .execute()
  const random = rows.filter((row) => row.random === 1)
  return (random.length >= enoughRandom ? random : rows).flatMap(({ value, output }) => {
    const { label } = JSON.parse(output) as { label?: string }
    return label === undefined ? [] : [label === String(JSON.parse(value))]
  })
}
