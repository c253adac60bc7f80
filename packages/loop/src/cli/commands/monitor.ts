/** `descent monitor`: the champion's traffic, live: drift, uncertainty, accuracy from feedback, alarms. */
import type { Command } from 'commander'
import { accuracyFromFeedback, type FeedbackAccuracy } from '../../feedback/accuracy.ts'
import type { Measure } from '../../monitoring/measures.ts'
import { type AlarmEvent, type CheckReport, TrafficWatch } from '../../monitoring/watch.ts'
import type { Project } from '../../project/project.ts'
import { currentVersion } from '../../registry/aliases.ts'
import { withProject } from '../context.ts'
import { wholeNumber } from '../options.ts'
import { pause } from '../pause.ts'
import { count, paint, table } from '../terminal.ts'

interface Options {
  readonly once?: boolean
  readonly fromNow?: boolean
  readonly window: number
  readonly every: number
}

const interval = 1000

export function addMonitor(program: Command): void {
  program
    .command('monitor')
    .description(
      "watch the champion's traffic: drift, uncertainty, accuracy, alarms; an alarm fills the labelling queue",
    )
    .option('--once', 'look through what is logged, print, and end')
    .option('--from-now', 'begin with what comes from now on')
    .option('--window <number>', 'answers that are looked at together', wholeNumber(50), 250)
    .option('--every <number>', 'look after so many new answers', wholeNumber(1), 50)
    .action(({ once, fromNow, window, every }: Options, command: Command) =>
      withProject(command, async (project, { signal }) => {
        const watch = await TrafficWatch.open(project, { window, every, fromNow })
        if ((await currentVersion(project, 'champion')) === null)
          return console.log('There is no champion to watch. Next: descent promote')
        const screen = new Screen()
        let last: CheckReport | null = null
        while (!signal?.aborted) {
          for (const report of await watch.check()) {
            last = report
            for (const alarm of report.alarms) screen.keep(alarmLine(alarm))
          }
          screen.show(await page(project, last, window, every))
          if (once) break
          await pause(interval, signal)
        }
        screen.end()
        if (last?.measures.some(({ reading }) => reading === 'far')) console.log('Next: descent label --queue')
      }),
    )
}

/** Written over in place on a terminal; elsewhere only what stays is printed, and the last page. */
class Screen {
  #lines = 0
  #last = ''

  keep(line: string): void {
    this.#clear()
    console.log(line)
  }

  show(text: string): void {
    this.#last = text
    if (!process.stdout.isTTY) return
    this.#clear()
    process.stdout.write(`${text}\n`)
    this.#lines = text.split('\n').length
  }

  end(): void {
    if (!process.stdout.isTTY) console.log(this.#last)
  }

  #clear(): void {
    if (this.#lines > 0) process.stdout.write(`\x1b[${this.#lines}A\x1b[J`)
    this.#lines = 0
  }
}

async function page(project: Project, last: CheckReport | null, window: number, every: number): Promise<string> {
  if (!last) return `Waiting for answers of the champion: a check needs ${Math.min(window, 2 * every)}.`
  const open = await project.store.db
    .selectFrom('alarm')
    .select(['number', 'measure', 'opened_at'])
    .where('version', '=', last.version)
    .where('closed_at', 'is', null)
    .execute()
  const alarms =
    open.length === 0
      ? paint('green', 'No alarm is open.')
      : paint('red', `Open: ${open.map(({ number, measure }) => `alarm ${number} (${measure})`).join(', ')}`)
  const feedback = await accuracyFromFeedback(project, last.version)
  return [
    paint('bold', `Version ${last.version}: ${count(last.seen)} answers seen, the last ${last.window} measured`),
    table([['', 'now', 'alarm at', '', ''], ...last.measures.map(measureRow)]),
    ...accuracyLines(feedback),
    alarms,
  ].join('\n')
}

function measureRow({ name, value, threshold, reading, detail }: Measure): string[] {
  const share = name === 'accuracy' ? threshold / Math.max(value, 1e-9) : value / threshold
  const colour = { far: 'red', between: 'yellow', calm: 'green' } as const
  return [name, short(value), short(threshold), paint(colour[reading], bar(share)), detail]
}

/** Full at the threshold. */
function bar(share: number, width = 12): string {
  const filled = Math.max(0, Math.min(width, Math.round(share * width)))
  return '█'.repeat(filled) + '·'.repeat(width - filled)
}

const short = (value: number) => (value >= 100 ? count(Math.round(value)) : value.toFixed(2))

function accuracyLines({ all, random }: FeedbackAccuracy): string[] {
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`
  const line = (name: string, { estimate, low, high, count: n }: NonNullable<FeedbackAccuracy['all']>) =>
    `${name}: ${percent(estimate)} of ${count(n)} right (${percent(low)} to ${percent(high)})`
  return [
    ...(all ? [line('From feedback, all answers (people speak up where something is wrong)', all)] : []),
    ...(random ? [line('From feedback, random slice alone', random)] : []),
  ]
}

function alarmLine({ number, measure, change, detail, asked }: AlarmEvent): string {
  const time = new Date().toLocaleTimeString('en-GB')
  if (change === 'closed') return paint('green', `${time}  alarm ${number} closed: ${measure} has come back`)
  const queue = asked > 0 ? ` ${asked} examples wait in the labelling queue.` : ''
  return paint('red', `${time}  ALARM ${number}: ${measure}: ${detail}.${queue}`)
}
