/** `descent why`, `descent impact` and `descent forget`: from a prediction back to examples and people, and the other way. */
import { type Command, Option } from 'commander'
import { type Forgotten, forget } from '../../lineage/forget.ts'
import { type Impact, impact } from '../../lineage/impact.ts'
import { type Reason, type Why, why } from '../../lineage/why.ts'
import { withProject } from '../context.ts'
import { wholeNumber } from '../options.ts'
import { clearProgress, count, counted, paint, table } from '../terminal.ts'

export function addWhy(program: Command): void {
  program
    .command('why')
    .description('what is behind a prediction: model, run, snapshot, and the training examples that moved it most')
    .argument('<prediction>', 'its id, or the beginning of it')
    .option('-n, --count <number>', 'how many examples each way', wholeNumber(1), 10)
    .option('--json', 'print everything as JSON instead')
    .action((prediction: string, { count: reasons, json }: { count: number; json?: boolean }, command: Command) =>
      withProject(command, async (project, work) => {
        const found = await why(project, prediction, { count: reasons, ...work })
        clearProgress()
        console.log(json ? JSON.stringify(found, null, 2) : whyLines(found))
      }),
    )

  program
    .command('impact')
    .description('everything that an example touched: snapshots, runs, models, predictions')
    .argument('<example>', 'its id, or the beginning of it')
    .option('--json', 'print everything as JSON instead')
    .action((example: string, { json }: { json?: boolean }, command: Command) =>
      withProject(command, async (project) => {
        const found = await impact(project, example)
        console.log(json ? JSON.stringify(found, null, 2) : impactLines(found))
      }),
    )

  program
    .command('forget')
    .description("remove an example's content for good; its hash stays")
    .argument('<example>', 'its id, or the beginning of it')
    .option('--why <reason>', 'kept with the hash')
    .option('--as <who>', 'who asks for it (default: your user name)')
    .addOption(new Option('--yes', 'do it; without this, it is only said what would happen'))
    .action((example: string, { why: reason, as: who, yes }: ForgetFlags, command: Command) =>
      withProject(command, async (project) => {
        if (!yes) {
          console.log(impactLines(await impact(project, example)))
          console.log(`\nNothing was changed. To remove its content for good: descent forget ${example} --yes`)
          return
        }
        console.log(forgottenLines(await forget(project, example, { who, why: reason })))
      }),
    )
}

interface ForgetFlags {
  readonly why?: string
  readonly as?: string
  readonly yes?: boolean
}

const day = (at: string) => at.slice(0, 10)

function whyLines(found: Why): string {
  const { prediction, at, version, run, recipe, snapshot, seed, said, uncertainty, feedback } = found
  const sure = uncertainty === null ? '' : `, uncertainty ${uncertainty.toFixed(2)} of 1`
  return [
    `Prediction ${prediction}: ${paint('bold', String(said))}${sure}`,
    table(
      [
        ['  answered', at],
        ['  by', `version ${version}: run ${run}, recipe "${recipe.name}" (${recipe.hash.slice(0, 12)}), seed ${seed}`],
        [
          '  trained on',
          `${count(found.trained)} examples of snapshot ${snapshot.number} (${snapshot.hash.slice(0, 12)})`,
        ],
        ...feedback.map(({ value, who, at }) => ['  feedback', `${value} (${who}, ${day(at)})`]),
      ],
      { heading: false },
    ),
    `\n${paint('bold', `What moved it most towards ${said}`)}`,
    reasonLines(found.towards),
    `\n${paint('bold', 'What moved it most away')}`,
    reasonLines(found.against),
    '\nIs a label wrong? Look at it: descent impact EXAMPLE. A label given anew takes effect with the next snapshot.',
  ].join('\n')
}

function reasonLines(reasons: readonly Reason[]): string {
  if (reasons.length === 0) return '  nothing'
  const strongest = Math.abs(reasons[0]?.score ?? 1)
  return table(
    reasons.map(({ id, label, score, labelled }) => [
      `  ${id.slice(0, 12)}`,
      '█'.repeat(Math.max(1, Math.round((12 * Math.abs(score)) / strongest))),
      `labelled ${label}`,
      labelled.map(({ who, at, value }) => `${value === label ? '' : `${value} by `}${who}, ${day(at)}`).join('; '),
    ]),
    { heading: false },
  )
}

function impactLines({ id, source, forgotten, labels, snapshots, runs, versions, asked, retrain }: Impact): string {
  const learned = runs.filter((run) => run.learned)
  const lines = [
    `Example ${id}, from ${source}`,
    ...(forgotten
      ? [
          `  its content was removed by ${forgotten.who}, ${day(forgotten.at)}${forgotten.why ? `: ${forgotten.why}` : ''}`,
        ]
      : []),
    ...labels.map(({ value, labeler, at }) =>
      value === null
        ? `  ${labeler} took a label back, ${day(at)}`
        : `  labelled ${JSON.parse(value)} by ${labeler}, ${day(at)}`,
    ),
    snapshots.length === 0
      ? 'It is in no snapshot.'
      : `In ${counted(snapshots.length, 'snapshot')}: ${snapshots.map(({ number, split }) => `${number} (${split})`).join(', ')}.`,
    `${counted(learned.length, 'run')} learned from it${learned.length > 0 ? `: ${learned.map(({ number, name }) => `${number} (${name})`).join(', ')}` : ''}; ${runs.length - learned.length} more were tested on it.`,
    ...versions.map(
      ({ number, run, learned: own, aliases, predictions }) =>
        `  version ${number} of run ${run}${aliases.length > 0 ? ` (${aliases.join(', ')})` : ''}: ${own ? 'learned from it' : 'was tested on it'}, ${counted(predictions, 'prediction')} logged`,
    ),
    `Requests with this very content: ${count(asked)}.`,
    retrain.length === 0
      ? 'If it must go, no model version has to be trained anew.'
      : `If it must go, train anew in place of: ${retrain.map((number) => `version ${number}`).join(', ')}.`,
  ]
  return lines.join('\n')
}

function forgottenLines({ impact: { id, retrain }, requests, golden, backups }: Forgotten): string {
  return [
    `Removed the content of example ${id}. Its hash stays; it comes into no later snapshot.`,
    `From the log of requests: ${counted(requests, 'input')}. From golden predictions: ${golden.length === 0 ? 'none' : golden.map((number) => `version ${number}`).join(', ')}.`,
    ...(backups.length > 0 ? [paint('yellow', `Copies that may still hold it: ${backups.join(', ')}.`)] : []),
    retrain.length === 0
      ? 'No model version learned from it.'
      : `Learned from it, and to be trained anew: ${retrain.map((number) => `version ${number}`).join(', ')}.\nNext: descent snapshot && descent train`,
  ].join('\n')
}
