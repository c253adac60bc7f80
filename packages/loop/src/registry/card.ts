/** The model card (Mitchell et al., "Model cards for model reporting", 2019) of a version, in Markdown. */
import type { Recipe } from '../architecture/recipe.ts'
import type { Interval } from '../evaluation/interval.ts'
import type { Run } from '../training/run.ts'
import type { Snapshot } from '../versioning/snapshot.ts'
import type { Calibration } from './calibration.ts'
import type { VersionMetrics } from './metrics.ts'
import type { VersionSignature } from './served-model.ts'

export interface CardFacts {
  readonly project: string
  readonly version: number
  readonly message: string | null
  readonly createdAt: string
  readonly run: Run
  readonly recipe: Recipe
  readonly snapshot: Snapshot
  readonly signature: VersionSignature
  readonly metrics: VersionMetrics
  readonly calibration: Calibration
  /** What the features left out, and why. */
  readonly notes: readonly string[]
}

export function modelCard(facts: CardFacts): string {
  return textOf(facts).replace(/\n{3,}/g, '\n\n')
}

function textOf(facts: CardFacts): string {
  const { project, version, message, createdAt, run, recipe, snapshot, signature } = facts
  const { splits } = snapshot.summary
  return `# ${project}, version ${version}
${message === null ? '' : `\n${message}\n`}
Registered ${createdAt.slice(0, 16).replace('T', ' ')} UTC from run ${run.number}: recipe '${recipe.name}' (${recipe.network.type}, ${number(run.parameters ?? 0)} parameters), seed ${run.seed}, trained in ${Math.round(run.seconds)} s on ${run.device}.

## Intended use

To be filled in: what this model is for, by whom it may be used, and what it must not be used for.

## What it takes and gives

${inputText(signature)}

${outputText(signature)}

## Data

Snapshot ${snapshot.number} (${snapshot.hash.slice(0, 12)}): ${number(splits.train)} examples to train, ${number(splits.validation)} to validate, ${number(splits.test)} to test.
${classTable(snapshot)}${facts.notes.map((note) => `\n${note}`).join('')}

## How good it is

${metricsText(facts.metrics)}

## Slices

${sliceText(facts.metrics)}

## Certainty

${certaintyText(facts)}

## Limits

${limits(facts)
  .map((limit) => `- ${limit}`)
  .join('\n')}
`
}

function inputText({ input, layout }: VersionSignature): string {
  switch (input.kind) {
    case 'row':
      return markdownTable(
        ['field', 'type', 'levels'],
        input.fields.map((field) => [
          field.name,
          field.type,
          field.type === 'category'
            ? `${field.levels.slice(0, 12).join(', ')}${field.levels.length > 12 ? `, … (${field.levels.length})` : ''}`
            : '',
        ]),
      )
    case 'image':
      return `An image, brought to ${input.width} × ${input.height} pixels, ${input.channels === 1 ? 'in grey' : 'in colour'}.`
    case 'text':
      return layout.type === 'tokens' ? `A text; its first ${layout.length} tokens count.` : 'A text.'
    default:
      return input satisfies never
  }
}

function outputText({ output }: VersionSignature): string {
  return output.task === 'class'
    ? `It gives a probability for each of ${output.classes.length} classes: ${output.classes.join(', ')}.`
    : 'It gives a number.'
}

function classTable({ summary: { classes } }: Snapshot): string {
  const rows = Object.entries(classes)
  if (rows.length === 0) return ''
  const table = markdownTable(
    ['class', 'train', 'validation', 'test'],
    rows.map(([name, { train, validation, test }]) => [name, number(train), number(validation), number(test)]),
  )
  return `\n${table}\n`
}

function metricsText(metrics: VersionMetrics): string {
  const { split, examples } = metrics
  const row = (name: string, { estimate, low, high }: Interval, show: (x: number) => string) => [
    name,
    show(estimate),
    `${show(low)} to ${show(high)}`,
  ]
  const heading = `By ${number(examples)} ${split} examples, with intervals of 95 %:`
  if (metrics.task === 'number') {
    const { mae, rmse, r2 } = metrics.metrics
    return `${heading}\n\n${markdownTable(
      ['', 'estimate', 'interval'],
      [row('R²', r2, plain), row('mean absolute error', mae, plain), row('root mean squared error', rmse, plain)],
    )}`
  }
  const { accuracy, macroF1, logLoss, auc } = metrics.metrics
  const sums = markdownTable(
    ['', 'estimate', 'interval'],
    [
      row('accuracy', accuracy, percent),
      row('F1, mean over classes', macroF1, percent),
      row('log loss', logLoss, plain),
      ...(auc ? [row('area under ROC', auc, plain)] : []),
    ],
  )
  const classes = markdownTable(
    ['class', 'examples', 'precision', 'recall', 'interval'],
    metrics.perClass.map(({ name, support, precision, recall }) => [
      name,
      number(support),
      percent(precision.estimate),
      percent(recall.estimate),
      `${percent(recall.low)} to ${percent(recall.high)}`,
    ]),
  )
  return `${heading}\n\n${sums}\n\n${classes}`
}

function sliceText({ slices, task }: VersionMetrics): string {
  if (slices.length === 0) return 'No slice was large enough to be judged.'
  const show = task === 'class' ? percent : plain
  const worse = slices.filter((slice) => slice.worse)
  const table = markdownTable(
    ['column', 'slice', 'examples', task === 'class' ? 'accuracy' : 'mean absolute error', 'interval', 'elsewhere', ''],
    slices
      .slice(0, 12)
      .map(({ column, slice, count, score, low, high, rest, worse }) => [
        column,
        slice,
        number(count),
        show(score),
        `${show(low)} to ${show(high)}`,
        show(rest),
        worse ? 'worse' : '',
      ]),
  )
  const sentence =
    worse.length === 0
      ? `None of ${slices.length} slices is worse than the rest by more than chance explains.`
      : `${worse.length} of ${slices.length} slices ${worse.length === 1 ? 'is' : 'are'} worse than the rest by more than chance explains.`
  return `${sentence} The worst:\n\n${table}`
}

function certaintyText({ metrics, calibration: { temperature, examples, note } }: CardFacts): string {
  if (metrics.task === 'number') return 'It gives no certainty.'
  const { before, after } = metrics.calibrationError
  const found =
    note ?? `The temperature ${plain(temperature)} was found on ${number(examples)} validation examples and is applied.`
  const gap = `The gap between certainty and truth (expected calibration error) is ${percent(before)} as the network says it`
  return `${found} ${gap}${note === null && after !== null ? `, ${percent(after)} with the temperature` : ''}. The uncertainty of an answer is the entropy of its probabilities, from 0 to 1.`
}

function limits({ snapshot, signature, metrics }: CardFacts): string[] {
  const known =
    signature.output.task === 'class'
      ? 'What belongs to none of its classes is given one of them all the same.'
      : 'Numbers far beyond those of its training data are guesses.'
  const narrow = metrics.slices.filter(({ worse }) => worse).map(({ column, slice }) => `${column} is ${slice}`)
  return [
    `It was judged by examples that came as those of snapshot ${snapshot.number} did. Where inputs are of another kind, its figures do not hold.`,
    known,
    ...(metrics.examples < 200
      ? [`${metrics.examples} examples are few: its figures may be off by as much as their intervals say.`]
      : []),
    ...(metrics.split !== 'test'
      ? ['There was no test example: the figures are of validation examples, and flatter it.']
      : []),
    ...(narrow.length > 0 ? [`It is worse where ${narrow.slice(0, 5).join(', and where ')}.`] : []),
  ]
}

function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n')
}

const number = (value: number) => value.toLocaleString('en')
const percent = (value: number) => `${(100 * value).toFixed(2)} %`
const plain = (value: number) => String(Number(value.toPrecision(4)))
