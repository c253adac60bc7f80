/** `descent serve`: the champion over HTTP, until Ctrl-C. */
import { type Command, InvalidArgumentError } from 'commander'
import { type Serving, serve } from '../../deployment/serve.ts'
import { withProject } from '../context.ts'
import { wholeNumber } from '../options.ts'
import { count, counted, paint } from '../terminal.ts'

interface Options {
  readonly port?: number
  readonly host?: string
  readonly challenger?: string
  readonly randomShare?: number
  readonly requireToken?: boolean
  readonly log: boolean
}

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('answer requests with the champion, over HTTP')
    .option('--port <number>', 'default: 8080; 0 takes any that is free', wholeNumber(0))
    .option('--host <address>', 'default: 127.0.0.1, this machine alone; others need tokens')
    .option('--challenger <alias>', 'a version that answers beside the champion, unseen')
    .option('--random-share <share>', 'of the predictions, kept as the random slice (default: 0.05)', share)
    .option('--require-token', 'refuse requests without a token on this machine too')
    .option('--no-log', 'keep no predictions')
    .action((options: Options, command: Command) =>
      withProject(command, async (project, { signal }) => {
        const { log, ...given } = options
        const line = new StatusLine()
        const serving = await serve(project, {
          ...given,
          ...(log ? {} : { log: false }),
          onNews: (sentence) => line.above(`${clock()}  ${sentence}`),
          onError: (error) => line.above(`${clock()}  ${paint('red', 'mistake')}  ${(error as Error)?.stack ?? error}`),
        })
        console.log(`Version ${serving.version} of ${project.name} answers at ${paint('bold', serving.address)}`)
        console.log(`Ask it:     ${example(project.config.kind, serving.address)}`)
        console.log(`Described:  ${serving.address}/openapi.json   Metrics: ${serving.address}/metrics`)
        console.log('Ctrl-C answers what was asked, and ends.\n')
        const timer = setInterval(() => line.show(status(serving)), 1000)
        await new Promise<void>((resolve) => {
          if (signal?.aborted) resolve()
          else signal?.addEventListener('abort', () => resolve(), { once: true })
        })
        clearInterval(timer)
        line.clear()
        await serving.close()
        console.log(`Answered ${counted(serving.answered, 'request')}.${logged(serving)}`)
      }),
    )
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('It must be a share from 0 to 1.')
  return value
}

function example(kind: 'tabular' | 'image' | 'text', address: string): string {
  switch (kind) {
    case 'tabular':
      return `curl ${address}/predict --json '{"column": value, …}'`
    case 'image':
      return `curl ${address}/predict -H 'content-type: image/png' --data-binary @FILE.png`
    case 'text':
      return `curl ${address}/predict --json '{"text": "…"}'`
    default:
      return kind satisfies never
  }
}

function status(serving: Serving): string {
  const { rate, p50, p99 } = serving.recent(2)
  const ms = (value: number) => (Number.isNaN(value) ? '–' : `${value.toFixed(1)} ms`)
  const dropped = serving.log?.dropped ?? 0
  return [
    `version ${serving.version}`,
    `${count(Math.round(rate))} requests/s`,
    `p50 ${ms(p50)}`,
    `p99 ${ms(p99)}`,
    `${count(serving.answered)} answered`,
    ...(dropped > 0 ? [`${count(dropped)} not logged`] : []),
  ].join('  ')
}

function logged({ log }: Serving): string {
  if (log === null) return ''
  return ` ${counted(log.written, 'prediction')} logged${log.dropped > 0 ? `, ${count(log.dropped)} not` : ''}.`
}

const clock = () => new Date().toISOString().slice(11, 19)

/** A line at the foot of the terminal that is written over; nothing where standard output is no terminal. */
class StatusLine {
  show(text: string): void {
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text.slice(0, (process.stdout.columns ?? 80) - 1)}`)
  }

  clear(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  }

  above(text: string): void {
    this.clear()
    console.log(text)
  }
}
