/** `descent sweep`: tries recipes near one, several at once, and says which is best on the validation split. */
import type { Command } from 'commander'
import type { Recipe } from '../../architecture/recipe.ts'
import { recipeDifference } from '../../architecture/recipe-difference.ts'
import { type StartedSweep, type Sweep, type SweepNews, sweepRecipes } from '../../training/sweep.ts'
import { withProject } from '../context.ts'
import { headline, metricsText } from '../metric-text.ts'
import { wholeNumber } from '../options.ts'
import { clearProgress, counted, duration, paint, table } from '../terminal.ts'

interface Options {
  readonly recipe?: string
  readonly snapshot?: string
  readonly trials: number
  readonly factor: number
  readonly epochs?: number
  readonly seed: number
  readonly workers?: number
  readonly resume?: number | true
}

export function addSweep(program: Command): void {
  program
    .command('sweep')
    .description('search for a better recipe: random ones, by successive halving, several runs at once')
    .option('--recipe <file>', "what the trials are near (default: the config's, else the kind's)")
    .option('--snapshot <number>', 'the number or hash of a snapshot (default: the latest)')
    .option('--trials <number>', 'recipes that are tried', wholeNumber(2), 18)
    .option('--factor <number>', 'in each round one of so many is kept, and trained so much longer', wholeNumber(2), 3)
    .option('--epochs <number>', "of the last round (default: the recipe's)", wholeNumber(1))
    .option('--seed <number>', 'chooses the recipes', wholeNumber(0), 1)
    .option('--workers <number>', 'runs at once (default: one a core)', wholeNumber(1))
    .option('--resume [sweep]', 'go on with the sweep of this number (default: the latest stopped)', wholeNumber(1))
    .action((options: Options, command: Command) =>
      withProject(command, async (project, work) => {
        let base: Recipe | null = null
        const sweep = await sweepRecipes(project, {
          ...options,
          ...work,
          onStart: (started) => {
            base = started.settings.recipe
            say(startText(started))
          },
          onRun: (news) => say(runText(news, base as Recipe)),
        })
        say(`\n${doneText(sweep)}`)
      }),
    )
}

function say(text: string): void {
  clearProgress()
  console.log(text)
}

function startText({ number, settings: { recipe }, rungs, workers, resumed }: StartedSweep): string {
  const rounds = rungs.map(({ trials, epochs }) => `${counted(trials, 'trial')} of ${counted(epochs, 'epoch')}`)
  return `${resumed ? 'Going on with sweep' : 'Sweep'} ${paint('bold', String(number))} around ${recipe.name}: ${rounds.join(', then ')}; ${counted(workers, 'run')} at once.`
}

function runText({ run, round, rounds }: SweepNews, base: Recipe): string {
  const { number, status, error, metrics, seconds } = run
  const result = status === 'done' ? headline(metrics?.validation) : paint('red', `failed: ${error}`)
  const changed = recipeDifference(base, run.recipe).join(', ') || 'the first recipe itself'
  return `round ${round} of ${rounds}  run ${number}  ${result}  ${duration(seconds)}  ${paint('gray', changed)}`
}

function doneText({ number, settings, rounds, best }: Sweep): string {
  const rows = (rounds.at(-1) ?? []).map((run) => [
    String(run.number),
    headline(run.metrics?.validation),
    duration(run.seconds),
    recipeDifference(settings.recipe, run.recipe).join(', ') || 'the first recipe itself',
  ])
  return [
    table([['run', 'validation', 'time', 'otherwise than the first'], ...rows]),
    paint(
      'green',
      `Best of sweep ${number}: run ${best.number}, ${metricsText(best.metrics?.validation ?? {})} on the validation split.`,
    ),
    `Next: descent evaluate ${best.number}, or keep its recipe: descent runs ${best.number} --recipe > recipe.json`,
  ].join('\n')
}
