/** `descent labels agreement | consensus | errors`: how good the labels are. */
import { type Command, InvalidArgumentError } from 'commander'
import { presentLabels } from '../../labeling/events.ts'
import { type LabelerPair, projectAgreement } from '../../labeling/project-agreement.ts'
import { acceptConsensus, type JudgedLabeler, projectConsensus } from '../../labeling/project-consensus.ts'
import { findSuspects } from '../../labeling/suspects.ts'
import type { Project } from '../../project/project.ts'
import { readExample } from '../../store/examples.ts'
import { withProject } from '../context.ts'
import { wholeNumber } from '../options.ts'
import { coloursOf } from '../picture.ts'
import { exampleLines } from '../show-example.ts'
import { clearProgress, count, counted, paint, table } from '../terminal.ts'

export function addJudgements(labels: Command): void {
  labels
    .command('agreement')
    .description('who agrees with whom, and what they disagree about')
    .action((_options: object, command: Command) => withProject(command, showAgreement))

  labels
    .command('consensus')
    .description('one answer from people, files and rules (Dawid and Skene), and how good each of them is')
    .option('--accept', 'keep the answers as labels; whoever labels an example later has the last word')
    .option('--at-least <share>', 'accept only where it is at least so sure, such as 0.9', share, 0)
    .action((options: { accept?: boolean; atLeast: number }, command: Command) =>
      withProject(command, async (project) => {
        await showConsensus(project)
        if (options.accept) await accept(project, options.atLeast)
      }),
    )

  labels
    .command('errors')
    .description('labels that are likely wrong: what networks say that have not seen the example')
    .option('--snapshot <snapshot>', 'a number or a hash (default: the latest)')
    .option('--recipe <file>', "how the networks are trained (default: the config's recipe, else the kind's)")
    .option('--folds <number>', 'how many networks are trained, each on all but one part', wholeNumber(2), 4)
    .option('--epochs <number>', "in place of the recipe's", wholeNumber(1))
    .option('--seed <number>', 'another division into parts', wholeNumber(0), 1)
    .option('--show <number>', 'how many are shown', wholeNumber(0), 10)
    .action((options: ErrorOptions, command: Command) =>
      withProject(command, async (project, work) => {
        const { show, ...settings } = options
        const found = await findSuspects(project, { ...settings, ...work })
        clearProgress()
        await showSuspects(project, found, show)
      }),
    )
}

interface ErrorOptions {
  readonly snapshot?: string
  readonly recipe?: string
  readonly folds: number
  readonly epochs?: number
  readonly seed: number
  readonly show: number
}

const percent = (part: number) => (Number.isNaN(part) ? '–' : `${(100 * part).toFixed(1)} %`)
const kappa = (value: number | null) => (value === null || Number.isNaN(value) ? '–' : value.toFixed(3))

async function showAgreement(project: Project): Promise<void> {
  const { task, labelers, examples, shared, disputed, fleiss, krippendorff, pairs } = await projectAgreement(project)
  const row = ({ a, b, shared, agreed, kappa: k, difference, mostly }: LabelerPair) => [
    a,
    b,
    count(shared),
    percent(agreed),
    difference === null ? kappa(k) : difference.toPrecision(3),
    mostly ? `${mostly.a} or ${mostly.b} (${count(mostly.count)})` : '',
  ]
  const last = task === 'class' ? ["Cohen's kappa", 'mostly differ in'] : ['mean difference', '']
  console.log(table([['labeler', 'and', 'shared', 'agree', ...last], ...pairs.map(row)]))
  console.log(
    `\n${counted(labelers.length, 'labeler')}, ${counted(examples, 'example')} labelled, ${count(shared)} of them by two or more; on ${count(disputed)} they differ.`,
  )
  const alpha = `Krippendorff's alpha ${kappa(krippendorff)}${task === 'class' ? '' : ' (interval)'}`
  console.log(`${fleiss === null ? '' : `Fleiss' kappa ${kappa(fleiss)}, `}${alpha}: 1 is always, 0 is as by chance.`)
  console.log(disputed === 0 ? 'Next: descent snapshot' : 'Next: descent label --disputed, or descent labels consensus')
}

async function showConsensus(project: Project): Promise<void> {
  const { labelers, examples, converged } = await projectConsensus(project)
  const row = ({ name, kind, votes, accuracy, mistakes }: JudgedLabeler) => [
    name,
    kind,
    count(votes),
    percent(accuracy),
    mistakes ? `${mistakes.truth} for ${mistakes.said} (${percent(mistakes.share)})` : '',
  ]
  console.log(table([['labeler', 'kind', 'labels', 'right, estimated', 'mostly takes'], ...labelers.map(row)]))
  const other = examples.filter(({ value, present }) => String(value) !== String(present))
  const unsure = examples.filter(({ confidence }) => confidence < 0.9)
  console.log(
    `\n${counted(examples.length, 'example')}: the consensus differs from the present label on ${count(other.length)}, and is less than 90 % sure of ${count(unsure.length)}.`,
  )
  if (!converged) console.log('The estimate had not settled after 200 rounds: take the figures with care.')
  const worst = [...other].sort((a, b) => b.confidence - a.confidence).slice(0, 5)
  for (const { example, value, present, confidence } of worst) {
    const { id, name } = await readExample(project.store, example)
    console.log(`  ${id.slice(0, 12)}${name ? ` ${name}` : ''}: ${present}, rather ${value} (${percent(confidence)})`)
  }
  if (other.length > worst.length) console.log(`  … and ${count(other.length - worst.length)} more`)
  console.log('Next: descent labels consensus --accept')
}

async function accept(project: Project, atLeast: number): Promise<void> {
  const { added, changed, takenBack, agreed, unsure, later } = await acceptConsensus(project, { atLeast })
  console.log(`\nAccepted: ${counted(added, 'new label')} by consensus, ${count(changed)} of them other than before.`)
  const left = [
    [agreed, 'where all agree anyway'],
    [unsure, `less sure than ${percent(atLeast)}`],
    [later, 'labelled by someone since an earlier consensus'],
  ] as const
  const words = left.flatMap(([n, why]) => (n > 0 ? [`${count(n)} ${why}`] : []))
  if (words.length > 0) console.log(`Left as they are: ${words.join(', ')}.`)
  if (takenBack > 0) console.log(`${counted(takenBack, 'label')} of an earlier consensus taken back.`)
  console.log('Next: descent snapshot')
}

async function showSuspects(
  project: Project,
  { snapshot, judged, suspects, looked, errorRate }: Awaited<ReturnType<typeof findSuspects>>,
  show: number,
): Promise<void> {
  const labels = await presentLabels(project.store)
  for (const [i, { example, id, given, suggested, p }] of suspects.slice(0, show).entries()) {
    const { content, name } = await readExample(project.store, example)
    const by = labels.get(example)?.labelers.join(', ') ?? ''
    console.log(
      `${paint('bold', `${i + 1}. ${id.slice(0, 12)}`)}${name ? ` ${name}` : ''}: labelled ${paint('yellow', given)}${by ? ` by ${by}` : ''}, looks like ${paint('cyan', suggested)} (${percent(p)})`,
    )
    const rows = content.kind === 'image' ? 14 : 4
    const lines = await exampleLines(content, { columns: 76, rows, colours: coloursOf(process.stdout) })
    console.log(lines.map((line) => `   ${line}`).join('\n'))
  }
  if (suspects.length > show && show > 0) console.log(`… and ${count(suspects.length - show)} more`)
  const before = looked > 0 ? `; ${count(looked)} more were looked at before` : ''
  console.log(
    `\nSnapshot ${snapshot.number}: ${counted(judged, 'label')} judged, ${counted(suspects.length, 'suspect')}${before}. About ${percent(errorRate)} of the labels are estimated wrong.`,
  )
  console.log(suspects.length > 0 ? 'Next: descent label --suspects' : 'Next: descent train')
}

function share(text: string): number {
  const number = Number(text)
  if (!(number >= 0 && number <= 1)) throw new InvalidArgumentError('It must be a share from 0 to 1.')
  return number
}
