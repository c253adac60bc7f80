/** `descent compare`: the network against traditional machine learning; `descent compare A B`: one run against another. */
import type { Command } from 'commander'
import { compareModels } from '../../baselines/compare-models.ts'
import { compareRuns } from '../../baselines/compare-runs.ts'
import { type Curve, curvesAreKept, learningCurves } from '../../baselines/learning-curve.ts'
import type { Work } from '../../progress.ts'
import type { Project } from '../../project/project.ts'
import { adviceText, comparisonText, curvesText, dimensionsText, runsText } from '../compare-text.ts'
import { withProject } from '../context.ts'
import { wholeNumber } from '../options.ts'
import { clearProgress, duration } from '../terminal.ts'
import { baselineLine } from './baselines.ts'

interface Options {
  readonly curve: boolean
  readonly seed: number
  readonly json?: boolean
}

export function addCompare(program: Command): void {
  program
    .command('compare')
    .description('a network against traditional machine learning; or two runs, paired')
    .argument('[a]', 'the number of a run (default: the latest network that is done)', wholeNumber(1))
    .argument('[b]', 'the number of another run: the two alone are compared', wholeNumber(1))
    .option('--no-curve', 'leave out the learning curve, for which everything is trained on shares of the data')
    .option('--seed <number>', 'of the resampling and the baselines', wholeNumber(0), 1)
    .option('--json', 'print everything as JSON instead')
    .action((a: number | undefined, b: number | undefined, options: Options, command: Command) =>
      withProject(command, async (project, work) => {
        if (a === undefined || b === undefined) return modelsAction(project, a, options, work)
        const comparison = await compareRuns(project, a, b, options)
        if (!options.json) return console.log(runsText(comparison))
        const runs = comparison.runs.map(({ number, kind, name, costs }) => ({ number, kind, name, costs }))
        console.log(JSON.stringify({ ...comparison, runs }, null, 2))
      }),
    )
}

async function modelsAction(
  project: Project,
  run: number | undefined,
  { curve, seed, json }: Options,
  work: Work,
): Promise<void> {
  const say = (text: string) => {
    clearProgress()
    if (!json) console.log(text)
  }
  const comparison = await compareModels(project, {
    run,
    seed,
    ...work,
    onBaseline: (baseline, made) => made && say(baselineLine(baseline)),
  })
  say(`${comparisonText(comparison)}\n`)
  let curves: Curve[] | null = null
  if (curve) {
    if (!(await curvesAreKept(project, comparison)))
      say(announcement(comparison.models.map(({ costs }) => costs.training)))
    curves = await learningCurves(project, comparison, { ...work, onPoint: () => clearProgress() })
    say(`${curvesText(comparison, curves)}\n`)
  }
  if (json) return console.log(JSON.stringify({ ...comparison, curves }, null, 2))
  say(`${dimensionsText(comparison, curves)}\n`)
  say(adviceText(comparison))
  say(
    comparison.run
      ? `Next: descent register ${comparison.run.number}`
      : 'Next: descent train, then descent compare again',
  )
}

/** Shares of 1/16 to 1/2 add up to 15/16. */
function announcement(seconds: readonly number[]): string {
  const sum = (seconds.reduce((a, b) => a + b, 0) * 15) / 16
  return `Training all of them on 1/16, 1/8, 1/4 and 1/2 of the data for the learning curve: about ${duration(sum)}, once. (Ctrl-C keeps what is done; --no-curve leaves it out.)\n`
}
