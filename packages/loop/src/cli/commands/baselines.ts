/** `descent baselines`: trains traditional models on a snapshot, or lists them where they are there. */
import type { Command } from 'commander'
import type { BaselineRun } from '../../baselines/baseline-run.ts'
import { trainBaselines } from '../../baselines/train-baselines.ts'
import { withProject } from '../context.ts'
import { bytesText, microseconds } from '../costs.ts'
import { headline } from '../metric-text.ts'
import { wholeNumber } from '../options.ts'
import { clearProgress, duration } from '../terminal.ts'

interface Options {
  readonly snapshot?: string
  readonly seed: number
  readonly threads?: number
}

export function addBaselines(program: Command): void {
  program
    .command('baselines')
    .description('train traditional models on a snapshot; what is there is listed and not trained again')
    .option('--snapshot <number>', 'the number or hash of a snapshot (default: the latest)')
    .option('--seed <number>', 'decides bootstraps, samples and held-out rows', wholeNumber(0), 1)
    .option('--threads <number>', 'how many threads may compute (default: all cores)', wholeNumber(1))
    .action((options: Options, command: Command) =>
      withProject(command, async (project, work) => {
        await trainBaselines(project, { ...options, ...work, onBaseline: (run) => say(baselineLine(run)) })
        say('Next: descent compare')
      }),
    )
}

/** `Run 4: random forest, 97.00 % on test, 17.6 s, 184 µs a prediction, 2.7 MB.` */
export function baselineLine({ number, name, metrics, seconds, predictMicroseconds, bytes }: BaselineRun): string {
  const judged = metrics.test ? 'test' : 'validation'
  const score = headline(metrics[judged])
  const parts = [
    name,
    ...(score === '' ? [] : [`${score} on ${judged}`]),
    duration(seconds),
    `${microseconds(predictMicroseconds)} a prediction`,
    bytesText(bytes),
  ]
  return `Run ${number}: ${parts.join(', ')}.`
}

function say(text: string): void {
  clearProgress()
  console.log(text)
}
