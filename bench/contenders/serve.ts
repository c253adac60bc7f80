/** The side of the protocol that contenders written in JavaScript share. */
import { createInterface } from 'node:readline'
import type { Reply, Request, Turn } from '../protocol.ts'

export type Step = () => unknown

/** Makes a step ready, or says in a few words why it cannot. */
export type Prepare = (workload: string, threads: number) => Step | string | Promise<Step | string>

/** Long enough for engines to have optimized a step; steps longer than that are run once. */
const warmUpMs = 500

export async function serve(
  prepare: Prepare,
  threadsUsed: (threads: number) => number = (threads) => threads,
): Promise<void> {
  let step: Step = () => undefined
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request
    let reply: Reply
    try {
      if ('prepare' in request) {
        const prepared = await prepare(request.prepare, request.threads)
        if (typeof prepared === 'string') reply = { cannot: prepared }
        else {
          step = prepared
          await warmUp(step)
          reply = { ready: true, threads: threadsUsed(request.threads) }
        }
      } else reply = { times: await turn(step, request.run) }
    } catch (error) {
      reply = { cannot: String(error instanceof Error ? error.message : error).split('\n')[0] ?? 'failed' }
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`)
  }
}

async function warmUp(step: Step): Promise<void> {
  const stop = performance.now() + warmUpMs
  do await step()
  while (performance.now() < stop)
}

async function turn(step: Step, { ms, least, most }: Turn): Promise<number[]> {
  const times: number[] = []
  const begin = performance.now()
  for (;;) {
    const start = performance.now()
    const pending = step()
    // A step that is done already is not made to wait for the event loop.
    if (pending instanceof Promise) await pending
    const end = performance.now()
    times.push(end - start)
    if (times.length >= most) return times
    if (end - begin >= ms && (times.length >= least || end - begin >= 20 * ms)) return times
  }
}
