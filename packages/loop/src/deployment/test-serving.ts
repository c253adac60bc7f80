/** For tests: a project with a champion, served on a free port until the test ends; and requests to it. */
import type { TestContext } from 'node:test'
import type { Project } from '../project/project.ts'
import { setAlias } from '../registry/aliases.ts'
import { registerRun } from '../registry/register.ts'
import type { TrainedProject } from '../registry/test-versions.ts'
import { type ServeOptions, type Serving, serve } from './serve.ts'

/** Registers the run and makes it champion. */
export async function withChampion(trained: TrainedProject): Promise<TrainedProject> {
  const { version } = await registerRun(trained.project, trained.run.number)
  await setAlias(trained.project, 'champion', version.number)
  return trained
}

export async function testServing(t: TestContext, trained: TrainedProject, options: ServeOptions = {}) {
  const errors: unknown[] = []
  const news: string[] = []
  const serving = await serve(trained.project, {
    port: 0,
    onNews: (sentence) => news.push(sentence),
    onError: (error) => errors.push(error),
    ...options,
  })
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await serving.close()
  }
  t.after(close)
  const ask = requester(serving)
  return { serving, ask, close, errors, news, project: trained.project }
}

export interface TestReply {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every form
  readonly body: any
}

/** Sends a request: JSON where the body is no text or bytes. */
export function requester({ address }: Pick<Serving, 'address'>) {
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<TestReply> => {
    const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
    const reply = await fetch(address + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: (raw ? body : JSON.stringify(body)) as string }),
    })
    const text = await reply.text()
    const json = reply.headers.get('content-type') === 'application/json'
    return { status: reply.status, headers: reply.headers, body: json && text !== '' ? JSON.parse(text) : text }
  }
}

/** A version without a model, for what only refers to it. */
export async function addVersion({ store }: Pick<Project, 'store'>): Promise<number> {
  const { db } = store
  await db
    .insertInto('snapshot')
    .values({ hash: 'h', number: 1, created_at: '', message: null, examples: 0, summary: '{}', last_label: 0 })
    .execute()
  const run = await db
    .insertInto('run')
    .values({
      snapshot: 'h',
      kind: 'network',
      name: '',
      recipe: '{}',
      recipe_hash: '',
      seed: 1,
      status: 'done',
      device: '',
      environment: '{}',
      started_at: '',
      seconds: 0,
    })
    .returning('number')
    .executeTakeFirstOrThrow()
  const version = await db
    .insertInto('version')
    .values({ run: run.number, created_at: '', message: null, files: '{}', signature: '{}', metrics: '{}', bytes: 0 })
    .returning('number')
    .executeTakeFirstOrThrow()
  return version.number
}
