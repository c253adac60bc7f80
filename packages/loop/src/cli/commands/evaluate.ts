/** `descent evaluate [run]`: how good a run is, where it errs, and whether its certainty can be believed. */
import { mkdir } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { type Command, Option } from 'commander'
import { evaluateRun } from '../../evaluation/evaluate.ts'
import type { ClassJudgement, Evaluation, NumberJudgement } from '../../evaluation/evaluation.ts'
import type { Interval } from '../../evaluation/interval.ts'
import { reportPage } from '../../evaluation/report/page.ts'
import { writeWhole } from '../../store/files.ts'
import { reportPath } from '../../training/run.ts'
import type { Split } from '../../versioning/split.ts'
import { withProject } from '../context.ts'
import { wholeNumber } from '../options.ts'
import { count, counted, paint, table } from '../terminal.ts'

interface Options {
  readonly split?: Split
  readonly report?: string
  readonly json?: boolean
  readonly seed: number
}

export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('how good a run is, with intervals; where it errs; an HTML report')
    .argument('[run]', 'its number (default: the latest that is done)', wholeNumber(1))
    .addOption(
      new Option('--split <split>', 'judge by another split than test').choices(['train', 'validation', 'test']),
    )
    .option('--report <file>', "where the HTML report goes (default: the run's folder)")
    .option('--json', 'print everything as JSON instead')
    .option('--seed <number>', 'of the resampling', wholeNumber(0), 1)
    .action((run: number | undefined, { split, report, json, seed }: Options, command: Command) =>
      withProject(command, async (project) => {
        const evaluation = await evaluateRun(project, { run, split, seed })
        if (json) return console.log(JSON.stringify(evaluation, null, 2))
        const path = report ?? reportPath(project, evaluation.run)
        await mkdir(dirname(path), { recursive: true })
        await writeWhole(path, await reportPage(project, evaluation))
        console.log(summary(evaluation))
        console.log(`\nReport with pictures: ${relative(process.cwd(), path)}`)
        console.log('Next: descent compare')
      }),
    )
}

const percent = (value: number) => `${(100 * value).toFixed(2)} %`
const plain = (value: number) => String(Number(value.toPrecision(4)))

/** The evaluation for a terminal. */
export function summary({
  run,
  recipe,
  snapshot,
  split,
  examples,
  judged,
  slices,
  mistakes,
  fitting,
}: Evaluation): string {
  const worse = slices.slices.filter((slice) => slice.worse)
  const show = judged.task === 'class' ? percent : plain
  const [figure, ofSlice] = judged.task === 'class' ? ['accuracy', 'accuracy'] : ['R²', 'mean absolute error']
  const suspects = mistakes.filter(({ likelyLabelError }) => likelyLabelError)
  return [
    `Run ${run} (${recipe}) on snapshot ${snapshot.number}, judged by ${count(examples)} ${split} examples:\n`,
    judged.task === 'class' ? classLines(judged) : numberLines(judged),
    '',
    ...(fitting.train === null
      ? []
      : [
          `On what it was trained on, ${figure} ${show(fitting.train)}; on what it had not seen, ${show(fitting.judged)}.`,
        ]),
    fitting.sentence ?? 'No sign of over-fitting in the losses.',
    ...worse
      .slice(0, 5)
      .map(({ column, slice, score, rest, count: n }) =>
        paint(
          'yellow',
          `Worse where ${column} is ${slice}: ${ofSlice} ${show(score)} (${counted(n, 'example')}), elsewhere ${show(rest)}.`,
        ),
      ),
    ...(worse.length === 0 && slices.slices.length > 0
      ? [`None of ${slices.slices.length} slices is worse than the rest by more than chance explains.`]
      : []),
    `\n${paint('bold', 'Worst mistakes')}`,
    mistakes.length === 0
      ? 'none'
      : table(
          mistakes
            .slice(0, 8)
            .map(({ id, truth, said, confidence, likelyLabelError }) => [
              `  ${id.slice(0, 12)}`,
              judged.task === 'class'
                ? `labelled ${truth}, taken for ${said}`
                : `${plain(Number(truth))}, predicted ${plain(Number(said))}`,
              confidence === null ? '' : `${percent(confidence)} sure`,
              likelyLabelError ? paint('yellow', 'likely a wrong label') : '',
            ]),
          { heading: false },
        ),
    ...(suspects.length > 0 ? ['See `descent labels errors` for all labels that may be wrong.'] : []),
  ].join('\n')
}

function row(name: string, interval: Interval, show: (value: number) => string): string[] {
  return [name, show(interval.estimate), `${show(interval.low)} to ${show(interval.high)}`]
}

function classLines({ metrics, perClass, confusion, reliability, calibration }: ClassJudgement): string {
  const { accuracy, macroF1, logLoss, auc } = metrics
  const figures = [
    ['', '', '95 % interval'],
    row('accuracy', accuracy, percent),
    row('F1, mean over classes', macroF1, percent),
    row('log loss', logLoss, plain),
    ...(auc ? [row('area under ROC', auc, plain)] : []),
  ]
  const classes = [
    ['class', 'examples', 'precision', 'recall', '95 % interval'],
    ...perClass.map(({ name, support, precision, recall }) => [
      name,
      count(support),
      percent(precision.estimate),
      percent(recall.estimate),
      `${percent(recall.low)} to ${percent(recall.high)}`,
    ]),
  ]
  const warmth = calibration
    ? `, ${percent(calibration.reliability.error)} with temperature ${plain(calibration.temperature.temperature)}`
    : ''
  return `${table(figures)}\n\n${table(classes)}\n\n${perClass.length <= 12 ? `${confusion.text.trimEnd()}\n\n` : ''}Gap between certainty and truth: ${percent(reliability.error)}${warmth}.`
}

function numberLines({ metrics: { mae, rmse, r2 } }: NumberJudgement): string {
  return table([
    ['', '', '95 % interval'],
    row('R²', r2, plain),
    row('mean absolute error', mae, plain),
    row('root mean squared error', rmse, plain),
  ])
}
