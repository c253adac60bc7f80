/** One network, trained without and with each remedy against over-fitting, and what each gives. */
import {
  crossEntropy,
  data,
  type EpochReport,
  evaluate,
  fit,
  type Loss,
  manualSeed,
  nn,
  optim,
  overfitting,
  type Scores,
} from 'descent'
import { pixels } from '../mnist/files.ts'
import { Augmented, type FewDigits } from './digits.ts'

export interface Remedy {
  readonly name: string
  /** Probability of dropout between the layers. Default 0: none. */
  readonly dropout?: number
  readonly weightDecay?: number
  /** The factor of Σ|w| in the loss. */
  readonly l1?: number
  readonly labelSmoothing?: number
  /** Stop after so many epochs without a lower validation loss, and go back to the best. */
  readonly patience?: number
  readonly augment?: data.Augmentation
}

/** The background of a picture, which moves in where a picture is shifted or turned. */
const paper = -pixels.mean / pixels.std

/** Digits stay the same digit when they are turned and shifted a little. */
const wobble = data.compose(data.randomRotate({ degrees: 12, fill: paper }), data.randomShift({ max: 2, fill: paper }))

export const remedies: readonly Remedy[] = [
  { name: 'none' },
  { name: 'dropout', dropout: 0.5 },
  { name: 'weight decay', weightDecay: 1 },
  { name: 'L1', l1: 1e-3 },
  { name: 'label smoothing', labelSmoothing: 0.2 },
  { name: 'early stopping', patience: 5 },
  { name: 'augmentation', augment: wobble },
  { name: 'augmentation, dropout', dropout: 0.3, augment: wobble },
]

export interface Outcome {
  readonly name: string
  readonly epochs: number
  /** Cross-entropy without penalties, and accuracy, of the network that one ends with. */
  readonly train: Scores
  readonly test: Scores
  /** Since which epoch it over-fitted, or null. */
  readonly since: number | null
  readonly message: string | null
}

/** Trains a network 784 → 256 → 10 with a remedy. The same seed for all: they begin with the same weights. */
export async function trained(remedy: Remedy, digits: FewDigits, epochs: number): Promise<Outcome> {
  const { name, dropout = 0, weightDecay = 0, l1 = 0, labelSmoothing = 0, patience, augment } = remedy
  manualSeed(1)
  const net = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Dropout(dropout),
    new nn.Linear(256, 10),
  )
  const loss: Loss = (output, target) => {
    const value = crossEntropy(output, target, { labelSmoothing })
    return l1 > 0 ? value.add(optim.l1Penalty(net.parameters()).mul(l1)) : value
  }
  const measured = async () => ({
    train: await evaluate(net, digits.train, { loss: crossEntropy }),
    test: await evaluate(net, digits.test, { loss: crossEntropy }),
  })
  const history: EpochReport[] = []
  const stop = new AbortController()
  let best: EpochReport | null = null
  let last: Awaited<ReturnType<typeof measured>> | null = null
  await fit(net, {
    train: augment ? new Augmented(digits.train, augment) : digits.train,
    loss,
    optimizer: new optim.AdamW(net.parameters(), { lr: 1e-3, weightDecay }),
    ...{ epochs, batchSize: 30, seed: 1, progress: false, signal: stop.signal },
    onEpoch: async (report) => {
      // Every remedy is judged by the same validation loss, without penalties.
      const validation = await evaluate(net, digits.validation, { loss: crossEntropy })
      history.push({ ...report, validation })
      if (!best || validation.loss < (best.validation?.loss as number)) {
        best = { ...report, validation }
        if (patience !== undefined) last = await measured()
      }
      if (patience !== undefined && report.epoch - (best as EpochReport).epoch >= patience) stop.abort()
      if (patience === undefined && report.epoch === epochs) last = await measured()
    },
  })
  const found = overfitting(history)
  const scores = last as Awaited<ReturnType<typeof measured>> | null
  if (!scores) throw new Error('The training was interrupted.')
  return { name, epochs: history.length, ...scores, since: found?.since ?? null, message: found?.message ?? null }
}

/** The outcomes as lines of a table. */
export function table(outcomes: readonly Outcome[]): string[] {
  const percent = (scores: Scores) => `${((scores.metrics.accuracy as number) * 100).toFixed(1)} %`
  const head = ['', 'epochs', 'training loss', 'right', 'test loss', 'right', 'over-fits since epoch']
  const rows = outcomes.map(({ name, epochs, train, test, since }) => [
    ...[name, String(epochs), train.loss.toFixed(3), percent(train), test.loss.toFixed(3), percent(test)],
    since === null ? '–' : String(since),
  ])
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => (row[i] as string).length)))
  return [head, ...rows].map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  '),
  )
}
