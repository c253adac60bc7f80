/**
 * What the routes share: contents are answered by a version, get ids, are handed to the log, and shown to the challenger. An answer is
 * never kept waiting by either, except where the client asks to know that it is on the disk.
 */
import type { Project } from '../project/project.ts'
import type { Answer, ServedModel } from '../registry/served-model.ts'
import { type Content, encodeContent } from '../store/content.ts'
import { AnswerWriter, rounded, type WrittenAnswer } from './answers.ts'
import type { Answered, Batcher } from './batcher.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import type { InputSchema, OtherField } from './inputs.ts'
import type { PredictionLog } from './log/log.ts'
import type { Metrics } from './metrics.ts'
import { isInRandomSlice, predictionId } from './prediction-id.ts'
import { RequestError } from './request-error.ts'
import type { ServeSettings } from './settings.ts'
import type { Shadowed } from './shadow.ts'
import type { Traffic } from './traffic.ts'
import type { Versions } from './versions.ts'

export interface ServiceParts {
  readonly project: Project
  readonly settings: ServeSettings
  readonly versions: Versions
  readonly gate: Gatekeeper
  readonly log: PredictionLog | null
  readonly traffic: Traffic
  readonly metrics: Metrics
  /** Columns of the project's rows that may be sent though no model uses them. */
  readonly columns: readonly OtherField[]
}

/** A question: contents for a version, from someone. */
export interface Question {
  readonly contents: readonly Content[]
  readonly batcher: Batcher
  /** Whether a version was asked for by its number. */
  readonly asked: boolean
  readonly token: string | null
  /** Whether the answer waits until it is on the disk. */
  readonly waits: boolean
  /** Members of an ensemble that answers in place of the network alone; null: none. */
  readonly ensemble: number | null
  /** When it arrived, by `performance.now()`. */
  readonly began: number
}

export interface ServiceAnswer {
  readonly model: ServedModel
  readonly ids: readonly string[]
  readonly answers: readonly Answer[]
  readonly written: readonly WrittenAnswer[]
  /** Whether all of it is on the disk; null where nobody asked. */
  readonly logged: boolean | null
}

/** Requests for ensembles at a time. */
const mostEnsembles = 32

export class Service {
  readonly parts: ServiceParts
  readonly #writers = new WeakMap<ServedModel, AnswerWriter>()
  #ensembles = 0
  readonly #schemas = new WeakMap<ServedModel, InputSchema>()

  constructor(parts: ServiceParts) {
    this.parts = parts
    const { shadow } = parts.versions
    shadow.onAnswer = (item, answer, model, milliseconds) => this.#shadowed(item, answer, model, milliseconds)
    shadow.onFailure = (inputs) => {
      parts.traffic.shadow.failed += inputs
    }
  }

  /** What may be sent to this model. */
  schemaOf(model: ServedModel): InputSchema {
    let schema = this.#schemas.get(model)
    if (!schema) {
      const { input } = model.signature
      const used = new Set(input.kind === 'row' ? input.fields.map(({ name }) => name) : [])
      schema = { input, others: this.parts.columns.filter(({ name }) => !used.has(name)) }
      this.#schemas.set(model, schema)
    }
    return schema
  }

  async answer(question: Question): Promise<ServiceAnswer> {
    const { traffic, metrics } = this.parts
    const { answers, model } = await (question.ensemble === null
      ? question.batcher.submit(question.contents)
      : this.#askEnsemble(question.batcher.model, question.contents, question.ensemble))
    const now = performance.now()
    const milliseconds = now - question.began
    const writer = this.#writerOf(model)
    const written = answers.map((answer) => writer.write(answer))
    const ids = answers.map(() => predictionId())
    const logged = this.#log(question, { model, answers, ids, written, milliseconds })
    traffic.answered(model.version, answers.length, milliseconds, now)
    metrics.answered(milliseconds)
    return { model, ids, answers, written, logged: question.waits ? await logged : null }
  }

  async #askEnsemble(model: ServedModel, contents: readonly Content[], members: number): Promise<Answered> {
    if (!model.ensemble)
      throw new RequestError(400, `Version ${model.version} has no dropout to make an ensemble with: ask without it.`)
    if (this.#ensembles >= mostEnsembles)
      throw new RequestError(503, `The server is busy: ${mostEnsembles} ensembles wait. Try again in a second.`, {
        'retry-after': '1',
      })
    this.#ensembles++
    try {
      return { answers: await model.ensemble(contents, members), model }
    } finally {
      this.#ensembles--
    }
  }

  #writerOf(model: ServedModel): AnswerWriter {
    let writer = this.#writers.get(model)
    if (!writer) {
      writer = new AnswerWriter(model.signature.output)
      this.#writers.set(model, writer)
    }
    return writer
  }

  /** Hands everything to the log and the challenger; null where nobody waits. */
  #log(
    { contents, asked, token, waits }: Question,
    { model, answers, ids, written, milliseconds }: Omit<ServiceAnswer, 'logged'> & { readonly milliseconds: number },
  ): Promise<boolean> | null {
    const { log, settings, versions, traffic } = this.parts
    const shadows = !asked && versions.shadow.model !== null
    const at = Date.now()
    const each = Math.round((milliseconds / contents.length) * 1000) / 1000
    const waiting: Promise<boolean>[] = []
    for (let i = 0; i < contents.length; i++) {
      const content = contents[i] as Content
      const answer = answers[i] as Answer
      const id = ids[i] as string
      const random = !asked && isInRandomSlice(id, settings.randomShare)
      if (log) {
        const entry = {
          id,
          at,
          version: model.version,
          role: asked ? 'asked' : 'champion',
          random,
          shadows: null,
          ...encodeContent(content),
          output: (written[i] as WrittenAnswer).log,
          uncertainty: answer.uncertainty === null ? null : rounded(answer.uncertainty),
          milliseconds: each,
          token,
        } as const
        if (waits) waiting.push(new Promise((resolve) => log.add(entry, resolve)))
        else log.add(entry)
      }
      if (shadows && !versions.shadow.offer({ content, id, champion: answer, random, token })) traffic.shadow.skipped++
    }
    if (!waits) return null
    return log ? Promise.all(waiting).then((all) => all.every(Boolean)) : Promise.resolve(false)
  }

  #shadowed({ content, id, champion, random, token }: Shadowed, answer: Answer, model: ServedModel, ms: number): void {
    const { log, traffic } = this.parts
    if (agree(champion, answer)) traffic.shadow.agreed++
    else traffic.shadow.differed++
    log?.add({
      id: predictionId(),
      at: Date.now(),
      version: model.version,
      role: 'shadow',
      random,
      shadows: id,
      ...encodeContent(content),
      output: this.#writerOf(model).write(answer).log,
      uncertainty: answer.uncertainty === null ? null : rounded(answer.uncertainty),
      milliseconds: Math.round(ms * 1000) / 1000,
      token,
    })
  }
}

/** Same class, or numbers that differ by less than a hundredth of the larger. */
function agree(a: Answer, b: Answer): boolean {
  if ('value' in a)
    return 'value' in b && Math.abs(a.value - b.value) <= 0.01 * Math.max(Math.abs(a.value), Math.abs(b.value))
  return 'label' in b && a.label === b.label
}
