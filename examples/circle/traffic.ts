/** The server, and traffic to it that is watched. */
import { type Project, type Serving, serve, type TrafficWatch, UserError } from '@descent/loop'
import { ask, type Tally } from './client.ts'
import type { Digit } from './digits.ts'

/** About so many of the answers the client says what was true, drawn by lot. */
export const randomShare = 0.2

/** At port 8080, or at any that is free. */
export async function startServer(project: Project): Promise<Serving> {
  try {
    return await serve(project, { port: 8080 })
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return serve(project, { port: 0 })
  }
}

/** Sends digits in portions, and looks at the traffic after each. */
export async function send(serving: Serving, watch: TrafficWatch, digits: readonly Digit[]) {
  const tally: Tally = { asked: 0, right: 0 }
  const alarms: string[] = []
  for (let at = 0; at < digits.length; at += 50) {
    const portion = digits.slice(at, at + 50)
    const { asked, right } = await ask(serving.address, portion, randomShare)
    tally.asked += asked
    tally.right += right
    await logged(serving)
    for (const report of await watch.check())
      for (const { measure, detail, change, asked: wanted } of report.alarms)
        if (change === 'opened')
          alarms.push(`after ${tally.asked} requests: ${measure}: ${detail}; ${wanted} digits put into the queue`)
  }
  return { tally, alarms }
}

/** Waits until what was answered is written. */
async function logged(serving: Serving): Promise<void> {
  while ((serving.log?.waiting ?? 0) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}
