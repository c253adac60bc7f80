/** `descent loop`: once round the circle, from new labels to a new champion. */
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { UserError } from '../../errors.ts'
import {
  defaultLabels,
  type Gain,
  goRound,
  type RoundOptions,
  type RoundResult,
  type TooFew,
} from '../../feedback/round.ts'
import type { Work } from '../../progress.ts'
import type { Project } from '../../project/project.ts'
import { currentVersion } from '../../registry/aliases.ts'
import type { GateReport } from '../../registry/gate-report.ts'
import { withProject } from '../context.ts'
import { gainLines } from '../gain-text.ts'
import { gateLines } from '../gate-text.ts'
import { wholeNumber } from '../options.ts'
import { pause } from '../pause.ts'
import { clearProgress, counted, paint } from '../terminal.ts'

interface Options {
  readonly labels: number
  readonly anew?: boolean
  readonly epochs?: number
  readonly seed?: number
  readonly yes?: boolean
  readonly watch?: boolean
  readonly as?: string
}

const between = 5000

export function addLoop(program: Command): void {
  program
    .command('loop')
    .description('once round the circle: from enough new labels to a new champion, through the gate')
    .option(
      '--labels <number>',
      'begins with so many examples labelled anew; 0: at once',
      wholeNumber(0),
      defaultLabels,
    )
    .option('--anew', "train from the beginning, not from the champion's weights")
    .option('--epochs <number>', "in place of the recipe's", wholeNumber(1))
    .option('--seed <number>', 'of the training', wholeNumber(0))
    .option('--yes', 'promote what passes the gate without asking')
    .option('--as <who>', 'who promotes (default: your user name)')
    .option('--watch', 'wait for labels, and go round again and again until Ctrl-C')
    .action((options: Options, command: Command) =>
      withProject(command, async (project, work) => {
        if (options.watch && options.labels === 0)
          throw new UserError('--watch waits for labels: say for how many with --labels, 1 or more.')
        let told = ''
        while (!work.signal?.aborted) {
          const result = await goRound(project, settings(project, options, work))
          clearProgress()
          const lines = resultLines(result)
          if (lines !== told) console.log(lines)
          told = lines
          if (!options.watch) break
          await pause(between, work.signal)
          if (result.status === 'waiting') await championChange(project, result.before, work)
        }
      }),
    )
}

/** Waits until a person has promoted something. */
async function championChange(project: Project, before: number, { signal }: Work): Promise<void> {
  while (!signal?.aborted && (await currentVersion(project, 'champion')) === before) await pause(between, signal)
}

function settings(project: Project, { labels, anew, epochs, seed, yes, as }: Options, work: Work): RoundOptions {
  const confirm = yes ? async () => true : process.stdin.isTTY ? ask : undefined
  const onNews = (sentence: string) => {
    clearProgress()
    console.log(sentence)
  }
  return {
    labels,
    anew,
    epochs,
    seed,
    who: as,
    onNews,
    confirm: project.config.gate?.autoPromote ? undefined : confirm,
    ...work,
  }
}

async function ask(report: GateReport, gain: Gain): Promise<boolean> {
  clearProgress()
  console.log(`${gateLines(report)}\n${gainLines(gain)}`)
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const answer = await lines.question(`Make version ${report.challenger} the champion? (y/N) `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}

function tooFewLines({ labels, learned, wanted }: TooFew): string {
  const since = learned > 0 ? 'the last round' : "the champion's snapshot"
  const before = learned > 0 ? ` The ${counted(learned, 'example')} of that round did not better the champion.` : ''
  return `${counted(labels, 'example')} labelled since ${since}; a round begins with ${wanted} (--labels).${before}\nNext: descent queue --fill, then descent label --queue`
}

function resultLines(result: RoundResult): string {
  if (result.status === 'too few') return tooFewLines(result)
  const { status, version, before, report, gain } = result
  const found = `${gateLines(report)}\n${gainLines(gain)}`
  switch (status) {
    case 'promoted':
      return `${found}\n${paint('green', `Version ${version} is champion now, in place of ${before}.`)} A running server takes it up by itself.\nNext: descent monitor`
    case 'refused':
      return `${found}\n${paint('red', 'Refused:')} version ${before} stays champion.\nNext: descent label --queue, or descent promote ${version} --force --why "…"`
    case 'declined':
      return `Version ${before} stays champion. To change your mind: descent promote ${version}`
    case 'waiting':
      return `${found}\nVersion ${version} waits for a person's word.\nNext: descent promote ${version}, or descent loop in a terminal`
    default:
      return status satisfies never
  }
}
