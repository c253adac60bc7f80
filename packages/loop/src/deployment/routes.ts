/** Which path and method lead to what. A reply is data; sending it is `listener.ts`'s. */
import type { IncomingMessage } from 'node:http'
import type { Batcher } from './batcher.ts'
import { readInputs } from './inputs.ts'
import { isObject, parseJson, shortened, show } from './json.ts'
import { readInferRequest } from './open-inference/request.ts'
import { wantedOutputs, writeInferResponse } from './open-inference/response.ts'
import { modelMetadata } from './open-inference/signature.ts'
import { openApi } from './openapi.ts'
import { isPredictionId } from './prediction-id.ts'
import { readBody } from './request-body.ts'
import { RequestError } from './request-error.ts'
import type { Service, ServiceAnswer } from './service.ts'

export interface Reply {
  readonly status: number
  readonly body: string | Buffer
  /** Default: application/json. */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Asked {
  readonly request: IncomingMessage
  readonly service: Service
  readonly path: string
  readonly query: string
  /** When it arrived, by `performance.now()`. */
  readonly began: number
}

interface Route {
  readonly method: 'GET' | 'POST'
  /** How it is called in metrics. */
  readonly name: string
  readonly pattern: RegExp
  /** Without a token: whether the server lives is no secret. */
  readonly open?: boolean
  readonly answer: (
    asked: Asked,
    token: string | null,
    groups: Readonly<Record<string, string | undefined>>,
  ) => Promise<Reply>
}

const json = (value: unknown): Reply => ({ status: 200, body: JSON.stringify(value) })

/** What a path may have in place of a name. */
const name = '[^/]{1,300}'
const model = `/v2/models/(?<model>${name})(?:/versions/(?<version>${name}))?`

const routes: readonly Route[] = [
  { method: 'POST', name: '/predict', pattern: /^\/predict$/, answer: predict },
  { method: 'POST', name: 'infer', pattern: new RegExp(`^${model}/infer$`), answer: infer },
  { method: 'POST', name: '/feedback', pattern: new RegExp(`^/feedback/(?<id>${name})$`), answer: feedback },
  { method: 'GET', name: '/v2/health/live', pattern: /^\/v2\/health\/live$/, open: true, answer: live },
  { method: 'GET', name: '/v2/health/ready', pattern: /^\/v2\/health\/ready$/, open: true, answer: live },
  { method: 'GET', name: '/v2', pattern: /^\/v2$/, answer: server },
  { method: 'GET', name: 'model', pattern: new RegExp(`^${model}$`), answer: metadata },
  { method: 'GET', name: 'model ready', pattern: new RegExp(`^${model}/ready$`), answer: ready },
  { method: 'GET', name: '/openapi.json', pattern: /^\/openapi\.json$/, answer: description },
  { method: 'GET', name: '/metrics', pattern: /^\/metrics$/, answer: metrics },
  { method: 'GET', name: '/', pattern: /^\/$/, answer: start },
]

/** The name under which a path is counted; `other` where it leads nowhere. */
export function routeName(path: string): string {
  return routes.find(({ pattern }) => pattern.test(path))?.name ?? 'other'
}

/** @throws {RequestError} for what is wrong with the request */
export async function answerRequest(asked: Asked): Promise<Reply> {
  const { request, service, path } = asked
  let allowed: Route['method'] | null = null
  for (const route of routes) {
    const match = route.pattern.exec(path)
    if (!match) continue
    allowed = route.method
    if (route.method !== request.method && !(route.method === 'GET' && request.method === 'HEAD')) continue
    const token = route.open ? null : service.parts.gate.admit(request)
    return route.answer(asked, token, match.groups ?? {})
  }
  if (allowed) {
    throw new RequestError(405, `${shortened(path, 80)} takes ${allowed}, not ${request.method}.`, { allow: allowed })
  }
  throw new RequestError(
    404,
    `There is nothing at ${shortened(path, 80)}: POST /predict answers, GET /openapi.json describes everything.`,
  )
}

function bodyOf({ request, service }: Asked): Promise<Buffer> {
  return readBody(request, Math.floor(service.parts.settings.maxBodyMegabytes * 1e6))
}

interface Query {
  /** Whether the client wants to know that the prediction is on the disk. */
  readonly waits: boolean
  /** Members of an ensemble. */
  readonly ensemble: number | null
}

const plain: Query = { waits: false, ensemble: null }
/** Members of an ensemble, at most: each costs as much as an answer. */
const mostMembers = 32

function readQuery({ query }: Asked, names: readonly (keyof typeof parameters)[]): Query {
  if (query === '') return plain
  let read = plain
  for (const [key, value] of new URLSearchParams(query)) {
    const name = names.find((known) => known === key)
    if (!name)
      throw new RequestError(
        400,
        `There is no parameter ${show(key)}; there is: ${names.map((known) => parameters[known]).join(', ')}.`,
      )
    switch (name) {
      case 'wait':
        if (value !== 'logged') throw new RequestError(400, `'wait' must be logged, not ${show(value)}.`)
        read = { ...read, waits: true }
        break
      case 'ensemble':
        if (!/^\d{1,3}$/.test(value) || Number(value) < 2 || Number(value) > mostMembers)
          throw new RequestError(400, `'ensemble' must be a whole number from 2 to ${mostMembers}, not ${show(value)}.`)
        read = { ...read, ensemble: Number(value) }
        break
      default:
        name satisfies never
    }
  }
  return read
}

const parameters = { wait: 'wait=logged', ensemble: 'ensemble=10' } as const

async function predict(asked: Asked, token: string | null): Promise<Reply> {
  const { service, request, began } = asked
  const query = readQuery(asked, ['wait', 'ensemble'])
  const body = await bodyOf(asked)
  const { champion } = service.parts.versions
  const limit = service.parts.settings.maxBatch
  const type = request.headers['content-type'] ?? ''
  const { contents, many } = readInputs(service.schemaOf(champion.model), body, type, limit)
  const answer = await service.answer({ contents, batcher: champion, asked: false, token, ...query, began })
  const texts = answer.written.map((_, i) => answerText(answer, i))
  return { status: 200, body: many ? `[${texts.join(',')}]` : (texts[0] as string) }
}

function answerText({ ids, model: { version }, written, logged }: ServiceAnswer, i: number): string {
  const end = logged === null ? '' : `,"logged":${logged}`
  return `{"id":"${ids[i]}","version":${version},${written[i]?.fields}${end}}`
}

async function infer(asked: Asked, token: string | null, groups: Record<string, string | undefined>): Promise<Reply> {
  const { service, request, began } = asked
  const batcher = await batcherOf(service, groups)
  const query = readQuery(asked, ['wait'])
  const body = await bodyOf(asked)
  const { signature } = batcher.model
  const header = request.headers['inference-header-content-length']
  const limit = service.parts.settings.maxBatch
  const inferRequest = readInferRequest(service.schemaOf(batcher.model), body, header?.toString(), limit)
  wantedOutputs(inferRequest, signature.output)
  const { contents } = inferRequest
  const asksVersion = groups.version !== undefined
  const answer = await service.answer({ contents, batcher, asked: asksVersion, token, ...query, began })
  const { body: text, headerLength } = writeInferResponse(inferRequest, answer.model.signature.output, {
    model: service.parts.project.name,
    version: answer.model.version,
    ids: answer.ids,
    answers: answer.answers,
    parameters: answer.logged === null ? {} : { logged: answer.logged },
  })
  if (headerLength === null) return { status: 200, body: text }
  return {
    status: 200,
    body: text,
    type: 'application/octet-stream',
    headers: { 'inference-header-content-length': String(headerLength) },
  }
}

/** The version that a path names: its number, or the champion. */
async function batcherOf(service: Service, groups: Record<string, string | undefined>): Promise<Batcher> {
  const { project, versions } = service.parts
  const model = decoded(groups.model ?? '')
  if (model !== project.name)
    throw new RequestError(404, `There is no model ${show(model)}; this server has ${show(project.name)}.`)
  if (groups.version === undefined) return versions.champion
  if (!/^[1-9]\d{0,8}$/.test(groups.version))
    throw new RequestError(404, `A version is a whole number from 1, not ${show(decoded(groups.version))}.`)
  return versions.find(Number(groups.version))
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new RequestError(400, `The path has ${show(part)}, which is no percent encoding.`)
  }
}

async function feedback(
  asked: Asked,
  token: string | null,
  { id = '' }: Record<string, string | undefined>,
): Promise<Reply> {
  const { versions, project, log, metrics } = asked.service.parts
  if (!isPredictionId(id))
    throw new RequestError(400, `${show(id)} is no prediction id, such as 0199c1f2-7d1e-7a63-9b0c-5f6f1f0e9a11.`)
  const body = parseJson(await bodyOf(asked))
  if (!isObject(body) || body.value === undefined)
    throw new RequestError(400, 'Feedback is a JSON object with the true value: {"value": …}, and, if you like, "who".')
  for (const key of Object.keys(body))
    if (key !== 'value' && key !== 'who')
      throw new RequestError(400, `Feedback has no field ${show(key)}; it has: value, who.`)
  const { value, who = token ?? 'client' } = body
  if (typeof who !== 'string' || who === '' || who.length > 100)
    throw new RequestError(400, `'who' must be a text of 1 to 100 characters, not ${show(who)}.`)
  const { output } = versions.champion.model.signature
  if (output.task === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new RequestError(400, `'value' must be a finite number, not ${show(value)}.`)
  } else {
    const classes = [...new Set([...output.classes, ...(project.config.classes ?? [])])]
    if (typeof value !== 'string' || !classes.includes(value))
      throw new RequestError(
        400,
        `'value' must be one of the classes ${shortened(classes.map((c) => JSON.stringify(c)).join(', '), 300)}, not ${show(value)}.`,
      )
  }
  if (!log)
    throw new RequestError(
      409,
      'This server keeps no predictions (serve.log is false), so that there is nothing to give feedback on.',
    )
  const kept = await log.feedback({ prediction: id, value: JSON.stringify(value), at: Date.now(), who })
  if (!kept) throw new RequestError(404, `There is no prediction ${id}: it was never given here, or was removed since.`)
  const predicted = JSON.parse(kept.output) as { label?: string; value?: number }
  const agrees = output.task === 'class' ? predicted.label === value : null
  if (agrees !== null) metrics.feedback(agrees)
  return json({ prediction: id, value, predicted: predicted.label ?? predicted.value, agrees })
}

async function live(): Promise<Reply> {
  return json({ live: true, ready: true })
}

async function server(): Promise<Reply> {
  return json({ name: 'descent', version: '0.1.0', extensions: ['binary_tensor_data'] })
}

async function metadata(
  { service }: Asked,
  _token: string | null,
  groups: Record<string, string | undefined>,
): Promise<Reply> {
  const { model } = await batcherOf(service, groups)
  const { versions, project } = service.parts
  return json(modelMetadata(project.name, await versions.numbers(), model.signature))
}

async function ready(
  { service }: Asked,
  _token: string | null,
  groups: Record<string, string | undefined>,
): Promise<Reply> {
  const { model } = await batcherOf(service, groups)
  return json({ name: service.parts.project.name, version: String(model.version), ready: true })
}

async function description({ service }: Asked): Promise<Reply> {
  const { model } = service.parts.versions.champion
  return json(openApi(service.parts.project.name, service.schemaOf(model), model, service.parts.settings))
}

async function metrics({ service }: Asked): Promise<Reply> {
  return { status: 200, type: service.parts.metrics.contentType, body: await service.parts.metrics.text() }
}

async function start({ service }: Asked): Promise<Reply> {
  const { project, versions } = service.parts
  return json({
    model: project.name,
    version: versions.champion.model.version,
    predict: 'POST /predict',
    feedback: 'POST /feedback/{predictionId}',
    openInferenceProtocol: `/v2/models/${encodeURIComponent(project.name)}`,
    description: '/openapi.json',
    metrics: '/metrics',
  })
}
