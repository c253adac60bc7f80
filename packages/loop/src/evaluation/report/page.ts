/**
 * An evaluation as one HTML file that opens without a server: figures with intervals, pictures, slices, mistakes with their
 * pictures or rows. Nothing is loaded from elsewhere.
 */
import type { Project } from '../../project/project.ts'
import type { Content } from '../../store/content.ts'
import { readExamples } from '../../store/examples.ts'
import { asPicture } from '../../store/pixels.ts'
import type { ClassJudgement, Evaluation, Mistake, NumberJudgement } from '../evaluation.ts'
import type { Interval } from '../interval.ts'
import { confusionMap, intervalPlot, learningCurve, reliabilityDiagram, scatter } from './pictures.ts'
import { style } from './style.ts'
import { escaped, short } from './svg.ts'

/** The page as text. */
export async function reportPage(project: Project, evaluation: Evaluation): Promise<string> {
  const { run, recipe, snapshot, split, examples, judged, slices, mistakes, fitting } = evaluation
  const title = `${project.name}: run ${run}`
  const about = `${recipe}, snapshot ${snapshot.number} (${snapshot.hash.slice(0, 12)}), judged by ${examples.toLocaleString('en')} ${split} examples. Intervals hold the truth with 95 % probability.`
  const sections = [
    `<h1>${escaped(title)}</h1><p class="soft">${escaped(about)}</p>`,
    headline(judged),
    judged.task === 'class' ? classSections(judged) : `<h2>Predicted against true</h2>${scatter(judged.points)}`,
    fittingSection(fitting, judged.task),
    slicesSection(slices, judged.task),
    await mistakesSection(project, mistakes),
  ]
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title><style>${style}</style>
<body>${sections.join('\n')}</body></html>
`
}

const percent = (value: number) => `${(100 * value).toFixed(2)} %`
const range = ({ low, high }: Interval, show: (value: number) => string) => `${show(low)} to ${show(high)}`

function headline(judged: ClassJudgement | NumberJudgement): string {
  if (judged.task === 'class') {
    const { accuracy, macroF1, logLoss, auc } = judged.metrics
    return `<p class="headline">${percent(accuracy.estimate)} <small>are right (${range(accuracy, percent)})</small></p>
<table>${metricRow('F1, mean over classes', macroF1, percent)}${metricRow('log loss (nats)', logLoss, short)}${auc ? metricRow('area under the ROC curve', auc, short) : ''}</table>`
  }
  const { mae, rmse, r2 } = judged.metrics
  return `<p class="headline">R² ${short(r2.estimate)} <small>of the variance is explained (${range(r2, short)})</small></p>
<table>${metricRow('mean absolute error', mae, short)}${metricRow('root of the mean squared error', rmse, short)}</table>`
}

function metricRow(name: string, interval: Interval, show: (value: number) => string): string {
  return `<tr><td>${name}<td class="n">${show(interval.estimate)}<td class="soft">${range(interval, show)}`
}

function classSections({ classes, perClass, confusion, reliability, calibration }: ClassJudgement): string {
  const lines = (figure: 'precision' | 'recall') =>
    perClass.map(({ name, support, said, [figure]: { estimate, low, high } }) => {
      const note = `${percent(estimate)} of ${figure === 'recall' ? support : said}`
      return { name, estimate, low, high, note }
    })
  const pairs = confusion.pairs
    .slice(0, 5)
    .map(
      ({ truth, said, count, share }) =>
        `<tr><td>${escaped(truth)}<td>${escaped(said)}<td class="n">${count}<td class="n">${percent(share)}`,
    )
  const table = `<div><table><tr><th>true<th>said<th class="n">how often<th class="n">of the true${pairs.join('')}</table></div>`
  const warm = calibration
    ? `With temperature ${short(calibration.temperature.temperature)}, found on the validation split, the mean gap between certainty and truth is ${percent(calibration.reliability.error)} instead of ${percent(reliability.error)} (<span class="key a">as it is</span>, <span class="key b">with temperature</span>).`
    : `The mean gap between certainty and truth is ${percent(reliability.error)}.`
  return `<h2>Which classes are found</h2><div class="row">${intervalPlot(lines('recall'), 'recall: found, of those there are')}${intervalPlot(lines('precision'), 'precision: right, of those said')}</div>
<h2>What is taken for what</h2><div class="row">${confusionMap(confusion, classes)}${pairs.length > 0 ? table : ''}</div>
<h2>Whether certainty can be believed</h2><p>${warm}</p>${reliabilityDiagram(reliability, calibration?.reliability ?? null)}`
}

function fittingSection({ epochs, train, judged, sentence }: Evaluation['fitting'], task: 'class' | 'number'): string {
  const show = task === 'class' ? percent : short
  const gap =
    train === null
      ? ''
      : `<p>${task === 'class' ? 'Right' : 'R²'} on what it was trained on: ${show(train)}; on what it had not seen: ${show(judged)}.</p>`
  const keys = '<p><span class="key a">training</span>, <span class="key b">validation</span></p>'
  const curve = epochs.length > 1 ? keys + learningCurve(epochs) : ''
  return `<h2>How it learned</h2>${gap}<p>${sentence ? escaped(sentence) : 'No sign of over-fitting in the losses.'}</p>${curve}`
}

const slicesDrawn = 24

function slicesSection({ slices, leftOut }: Evaluation['slices'], task: 'class' | 'number'): string {
  if (slices.length === 0) return ''
  const show = task === 'class' ? percent : short
  const lines = slices.slice(0, slicesDrawn).map(({ column, slice, count, score, low, high, worse }) => {
    const note = `${show(score)} of ${count}`
    return { name: `${column}: ${slice}`, estimate: score, low, high, note, marked: worse }
  })
  const worse = slices.flatMap(({ column, slice, score, rest, worse }) =>
    worse ? [`<b>${escaped(column)}: ${escaped(slice)}</b> (${show(score)}, elsewhere ${show(rest)})`] : [],
  )
  const sentence =
    worse.length > 0
      ? `Worse than elsewhere by more than chance: ${worse.join(', ')}.`
      : 'No slice is worse than the rest by more than chance explains.'
  const more = [
    ...(slices.length > slicesDrawn ? [`${slices.length - slicesDrawn} more slices are not drawn.`] : []),
    ...(leftOut.length > 0 ? [`${leftOut.length} slices are too small to be judged.`] : []),
  ]
  return `<h2>Where it is better and worse</h2><p>${sentence}</p>${intervalPlot(lines, task === 'class' ? 'share that is right' : 'mean absolute error')}<p class="soft">${more.join(' ')}</p>`
}

async function mistakesSection(project: Project, mistakes: readonly Mistake[]): Promise<string> {
  if (mistakes.length === 0) return '<h2>Mistakes</h2><p>There are none.</p>'
  const cards: string[] = []
  const numbers = mistakes.map(({ example }) => example)
  let i = 0
  for await (const { content, name } of readExamples(project.store, numbers)) {
    const { id, truth, said, confidence, likelyLabelError } = mistakes[i++] as Mistake
    const about =
      confidence === null
        ? `true ${short(Number(truth))}, predicted ${short(Number(said))}`
        : `labelled <b>${escaped(String(truth))}</b>, taken for <b>${escaped(String(said))}</b> (${percent(confidence)} sure)`
    const tag = likelyLabelError ? ' <span class="tag">likely a wrong label</span>' : ''
    const from = `<span class="soft">${id.slice(0, 12)}${name ? ` ${escaped(name)}` : ''}</span>`
    cards.push(`<div class="mistake">${await shown(content)}${about}${tag}<br>${from}</div>`)
  }
  return `<h2>The worst mistakes</h2><div class="mistakes">${cards.join('')}</div>`
}

async function shown(content: Content): Promise<string> {
  switch (content.kind) {
    case 'image': {
      const { media, bytes } = await asPicture(content)
      return `<img alt="" src="data:${media};base64,${Buffer.from(bytes).toString('base64')}">`
    }
    case 'text':
      return `<pre>${escaped(content.text.slice(0, 600))}${content.text.length > 600 ? '…' : ''}</pre>`
    case 'row': {
      const cells = Object.entries(content.values).map(([name, value]) => `${escaped(name)}: ${escaped(String(value))}`)
      return `<pre>${cells.join('\n')}</pre>`
    }
    default:
      return content satisfies never
  }
}
