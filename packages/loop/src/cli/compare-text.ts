/** Comparisons for a terminal: the table, the learning curve, the five dimensions, and what follows from them. */
import { accuracyWording, named, r2Wording, type Wording } from '../baselines/advice.ts'
import type { ComparedModel, ModelComparison } from '../baselines/compare-models.ts'
import type { RunComparison } from '../baselines/compare-runs.ts'
import { type Curve, shareText } from '../baselines/learning-curve.ts'
import type { Interval } from '../evaluation/interval.ts'
import { bytesText, microseconds } from './costs.ts'
import { plotCurves } from './curve-plot.ts'
import { count, duration, paint, table } from './terminal.ts'

/** Fewer tell models apart only where they differ much. */
const FEW_EXAMPLES = 300
const BLIND = ['majority class', 'mean']

function wordingOf({ figure }: Pick<ModelComparison, 'figure'>): Wording {
  return figure === 'accuracy' ? accuracyWording : r2Wording
}

/** A score in a column that is headed by what it is. */
function scoreText({ figure }: Pick<ModelComparison, 'figure'>): (score: number) => string {
  return figure === 'accuracy'
    ? (score) => `${(100 * score).toFixed(2)} %`
    : (score) => score.toFixed(3).replace('-', '−')
}

function signedText({ figure }: Pick<ModelComparison, 'figure'>): (difference: number) => string {
  return (difference) => {
    const size = figure === 'accuracy' ? (100 * Math.abs(difference)).toFixed(2) : Math.abs(difference).toFixed(3)
    return Number(size) === 0 ? size : `${difference < 0 ? '−' : '+'}${size}`
  }
}

/** The models, the best first. */
export function comparisonText(comparison: ModelComparison): string {
  const { models, run, snapshot, split, examples, figure, advice } = comparison
  const [show, signed] = [scoreText(comparison), signedText(comparison)]
  const what = run ? `Run ${run.number} (${run.name}) and ${models.length - 1} baselines` : `${models.length} baselines`
  const rows = models.map(({ number, kind, name, score, behind, costs }, place) => [
    `${place === advice.use ? paint('green', '→') : ' '} ${kind === 'network' ? `network (${name})` : name}`,
    String(number),
    show(score.estimate),
    `${show(score.low)} to ${show(score.high)}`,
    behind === null ? 'best' : `${signed(behind.estimate)} (${signed(behind.low)} to ${signed(behind.high)})`,
    duration(costs.training),
    microseconds(costs.prediction),
    bytesText(costs.bytes),
  ])
  const best = figure === 'accuracy' ? 'to the best, in points' : 'to the best'
  const head = ['  model', 'run', figure, '95 % interval', best, 'training', 'a prediction', 'size']
  return [
    `${what} on snapshot ${snapshot.number}, judged by the same ${count(examples)} ${split} examples:\n`,
    table([head, ...rows]),
    ...cappedText(comparison),
  ].join('\n')
}

function cappedText({ baselines }: ModelComparison): string[] {
  const about = baselines[0]?.about
  return about && about.examples < about.of
    ? [`The baselines were trained on ${count(about.examples)} of the ${count(about.of)} training examples.`]
    : []
}

/** Scores at each share, and the curves of all that look at the data. */
export function curvesText(comparison: ModelComparison, curves: readonly Curve[]): string {
  const show = scoreText(comparison)
  const shares = [...new Set(curves.flatMap(({ points }) => points.map(({ share }) => share)))].sort((a, b) => a - b)
  if (shares.length < 2) return 'There are too few training examples for a learning curve.'
  const rows = curves.map(({ name, kind, points }) => [
    kind === 'network' ? `network (${name})` : name,
    ...shares.map((share) => {
      const point = points.find((one) => one.share === share)
      return point ? show(point.score) : ''
    }),
  ])
  const seeing = curves.filter(({ name }) => !BLIND.includes(name))
  // The network and the best baseline come first: they are joined by dots.
  const drawn = [...seeing.filter(({ kind }) => kind === 'network'), ...seeing.filter(({ kind }) => kind !== 'network')]
  return [
    paint('bold', `Learning curve: ${comparison.figure} by share of the training examples`),
    table([['', ...shares.map(shareText)], ...rows]),
    '',
    plotCurves(drawn, { show }),
  ].join('\n')
}

/** What deep learning and traditional machine learning differ in, measured on these data. */
export function dimensionsText(comparison: ModelComparison, curves: readonly Curve[] | null): string {
  const { models, baselines, run } = comparison
  const network = models.find(({ kind }) => kind === 'network')
  const rival = models.find(({ kind, name }) => kind === 'baseline' && !BLIND.includes(name))
  const own = baselines.find(({ number }) => number === rival?.number)
  if (!rival || !own) return ''
  const learned = run ? `learned by the network from ${inputText(run.recipe.preprocess.type)}; ` : ''
  const costs = (what: string, of: (model: ComparedModel) => number, show: (value: number) => string) => [
    what,
    network
      ? `network ${show(of(network))}, ${rival.name} ${show(of(rival))}${timesText(of(network), of(rival))}`
      : `${rival.name} ${show(of(rival))}`,
  ]
  const looks = interpretation(comparison)
  return [
    paint('bold', network ? 'Deep against traditional' : 'Traditional machine learning'),
    table(
      [
        ['features', `${learned}by hand for the baselines: ${own.about.features}`],
        ...(curves ? [['amount of data', dataText(comparison, curves)]] : []),
        costs('training time', ({ costs }) => costs.training, duration),
        costs(
          'testing time',
          ({ costs }) => costs.prediction,
          (value) => `${microseconds(value)} a prediction`,
        ),
        ['interpretation', looks],
      ],
      { heading: false },
    ),
  ].join('\n')
}

function inputText(type: 'table' | 'pixels' | 'words' | 'bytePairs'): string {
  switch (type) {
    case 'table':
      return 'the columns'
    case 'pixels':
      return 'the pixels'
    case 'words':
      return 'weights of hashed words'
    case 'bytePairs':
      return 'the text'
    default:
      return type satisfies never
  }
}

function timesText(network: number, rival: number): string {
  const ratio = network / rival
  if (!Number.isFinite(ratio) || ratio <= 0 || (ratio > 2 / 3 && ratio < 1.5)) return ''
  const times = (value: number) => Number(value.toPrecision(2)).toLocaleString('en')
  return ratio > 1
    ? ` (the network takes ${times(ratio)} times as long)`
    : ` (the network takes 1/${times(1 / ratio)} of it)`
}

/** Who leads with little data and with all, and what the last doubling brought. */
function dataText(comparison: ModelComparison, curves: readonly Curve[]): string {
  const { score, difference } = wordingOf(comparison)
  const seeing = curves.filter(({ name }) => !BLIND.includes(name))
  const shares = [...new Set(seeing.flatMap(({ points }) => points.map(({ share }) => share)))].sort((a, b) => a - b)
  const [least] = shares
  if (least === undefined || shares.length < 2) return 'too few training examples to tell'
  const leaders = shares.map((share) => {
    const there = seeing.flatMap((curve) => {
      const point = curve.points.find((one) => one.share === share)
      return point ? [{ curve, point }] : []
    })
    return there.reduce((a, b) => (b.point.score > a.point.score ? b : a))
  })
  const [first, last] = [leaders[0] as (typeof leaders)[0], leaders.at(-1) as (typeof leaders)[0]]
  const said = ({ curve, point }: typeof first) => `${named(curve)} (${score(point.score)})`
  const parts =
    first.curve !== last.curve
      ? [`with ${shareText(least)} ${said(first)} leads, with all ${said(last)}`]
      : leaders.every(({ curve }) => curve === last.curve)
        ? [
            `${named(last.curve)} leads from ${shareText(least)} (${score(first.point.score)}) to all (${score(last.point.score)})`,
          ]
        : [
            `${named(last.curve)} leads with ${shareText(least)} (${score(first.point.score)}) and with all (${score(last.point.score)})`,
          ]
  const gainOf = ({ points }: Curve) => {
    const [half, all] = [points.find(({ share }) => share === 1 / 2), points.find(({ share }) => share === 1)]
    return half && all ? all.score - half.score : null
  }
  const signed = (gain: number) => `${gain < 0 ? '−' : '+'}${difference(gain)}`
  const gain = gainOf(last.curve)
  if (gain !== null) parts.push(`the last doubling brought ${named(last.curve)} ${signed(gain)}`)
  const network = seeing.find(({ kind }) => kind === 'network')
  const own = network && network !== last.curve ? gainOf(network) : null
  if (own !== null && gain !== null)
    parts.push(`the network ${signed(own)}${own > Math.max(gain, 0) ? ': it gains more from more data' : ''}`)
  return parts.join('; ')
}

/** What the best baseline that can say so looks at. */
function interpretation({ models, baselines }: ModelComparison): string {
  for (const { number } of models) {
    const run = baselines.find((baseline) => baseline.number === number)
    if (!run || run.about.importances.length === 0) continue
    const most = run.about.importances.slice(0, 5).map(({ name, importance }) => {
      return importance >= 0.005 ? `${name} (${Math.round(100 * importance)} %)` : name
    })
    return `${run.name} looks most at ${most.join(', ')}`
  }
  return 'none of the baselines says what it looks at'
}

/** The sentence, and what it rests on. */
export function adviceText({ advice, models, examples, split, figure }: ModelComparison): string {
  const half = ({ low, high }: Interval) => (Number.isFinite(high - low) ? (high - low) / 2 : 0)
  const width = Math.max(...models.flatMap(({ score, behind }) => [behind ? half(behind) : half(score)]))
  const small =
    figure === 'accuracy' && examples < FEW_EXAMPLES
      ? [
          paint(
            'yellow',
            `With only ${count(examples)} ${split} examples, differences below some ${Math.ceil(100 * width)} points cannot be told from chance.`,
          ),
        ]
      : []
  return [paint(advice.networkLoses ? 'yellow' : 'green', advice.sentence), ...small].join('\n')
}

/** Two runs, paired. */
export function runsText(comparison: RunComparison): string {
  const { runs, a, b, difference, pValue, examples, split, leftOut, onlyRight, figure } = comparison
  const [show, signed] = [scoreText(comparison), signedText(comparison)]
  const line = (run: RunComparison['runs'][0], score: Interval) => [
    `run ${run.number} (${run.name})`,
    show(score.estimate),
    `${show(score.low)} to ${show(score.high)}`,
    duration(run.costs.training),
    microseconds(run.costs.prediction),
    bytesText(run.costs.bytes),
  ]
  const [first, second] = runs
  const points = figure === 'accuracy' ? ' points' : ''
  const sure = difference.low > 0 || difference.high < 0
  const [more, less] = difference.estimate >= 0 ? [second, first] : [first, second]
  const verdict = sure
    ? `Run ${more.number} is better than run ${less.number} by more than chance explains.`
    : `Neither is better by more than chance explains${cheaperText(runs)}.`
  return [
    `On the same ${count(examples)} ${split} examples:\n`,
    table([['', figure, '95 % interval', 'training', 'a prediction', 'size'], line(first, a), line(second, b)]),
    '',
    `Run ${second.number} less run ${first.number}: ${signed(difference.estimate)}${points} (paired 95 % interval ${signed(difference.low)} to ${signed(difference.high)}, p = ${pValue < 0.001 ? '< 0.001' : pValue.toFixed(3)}).`.replace(
      '= <',
      '<',
    ),
    ...(onlyRight
      ? [
          `Only run ${first.number} is right on ${count(onlyRight[0])}, only run ${second.number} on ${count(onlyRight[1])}.`,
        ]
      : []),
    ...(leftOut > 0
      ? [
          `${count(leftOut)} ${split} examples are left out: only one of the runs was judged by them, or their label has changed.`,
        ]
      : []),
    paint(sure ? 'green' : 'yellow', verdict),
  ].join('\n')
}

function cheaperText([a, b]: RunComparison['runs']): string {
  const cheaper = (x: typeof a, y: typeof a) =>
    x.costs.training <= y.costs.training && x.costs.prediction <= y.costs.prediction && x.costs.bytes <= y.costs.bytes
  if (cheaper(a, b)) return `; run ${a.number} costs less to train, to ask and to keep`
  return cheaper(b, a) ? `; run ${b.number} costs less to train, to ask and to keep` : ''
}
