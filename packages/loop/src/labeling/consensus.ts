/**
 * One answer from several labelers. Majority vote takes all for equally good; Dawid and Skene's model learns from the votes
 * alone how often each labeler says what for each class, weighs votes by that, and so knows which of two labelers to
 * believe. People and rules alike are labelers; a rule that abstains has no vote.
 */
import { byExample, classOf, type Votes } from './votes.ts'

/** What labelers together say of N examples. */
export interface Consensus {
  /** [N, K]: how likely each class is. Rows add up to 1. */
  readonly posterior: Float64Array
  /** [N]: the likeliest class; of equals the first. */
  readonly consensus: Int32Array
  /** [N]: its probability. */
  readonly confidence: Float64Array
}

/** What the model found out about a labeler. */
export interface LabelerQuality {
  readonly votes: number
  /** How often right, over the classes as they occur: Σ_k π_k θ_kk. */
  readonly accuracy: number
  /** θ: `confusion[truth][said]`, rows add up to 1. */
  readonly confusion: readonly (readonly number[])[]
}

export interface DawidSkene extends Consensus {
  readonly labelers: readonly LabelerQuality[]
  /** How common each class is. */
  readonly prior: readonly number[]
  readonly iterations: number
  /** Whether it ended because nothing moved any more; otherwise at `maxIterations`. */
  readonly converged: boolean
  /** What each iteration reached: the logarithm of the posterior of prior and confusions, up to a constant; never falls. */
  readonly objective: readonly number[]
}

export interface DawidSkeneOptions {
  /**
   * Votes each labeler is given in advance: so many for each cell of the confusion matrix, and `smoothing · K` more on the
   * diagonal, as who labels is rather right than wrong. Keeps labelers with few votes from extremes. Default 0.5.
   */
  readonly smoothing?: number
  /** Default 200. */
  readonly maxIterations?: number
  /** Ends when no posterior moves by more than this. Default 1e-6. */
  readonly tolerance?: number
}

/** The shares of votes. Examples without a vote have 1 / K for each class. Throws RangeError as `dawidSkene` does. */
export function majorityVote(votes: Votes, classes: number): Consensus {
  return decided(voteShares(votes, classes), classes)
}

/**
 * Dawid and Skene's model by expectation maximisation. Each labeler l says c for an example of class k with probability
 * θ^l_kc, independently of the others; classes have prior π. E: posterior ∝ π_k Π_l θ^l_k,vote. M: π and θ from the counts
 * weighted with the posterior, plus `smoothing`. Begins with the shares of votes, and ends with an E-step: the posterior is
 * that of the prior and confusions given back, and examples without a vote get exactly that prior.
 *
 * Where most labelers are right less often than chance on a class, no method that sees only votes can tell. Throws
 * RangeError for votes out of range, classes that are none, and two votes of a labeler on an example. Source: Dawid and
 * Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", 1979.
 *
 * @example
 * ```ts
 * import { dawidSkene, votesFromTable } from '@descent/loop'
 * const votes = votesFromTable([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 0, 1], [1, 1, 0]])
 * const { consensus, labelers } = dawidSkene(votes, 2)
 * console.log([...consensus]) // → [ 0, 1, 0, 1, 0, 1 ]
 * console.log(labelers[0].accuracy > labelers[2].accuracy) // → true
 * ```
 */
export function dawidSkene(votes: Votes, classes: number, options: DawidSkeneOptions = {}): DawidSkene {
  const { smoothing = 0.5, maxIterations = 200, tolerance = 1e-6 } = options
  if (!(smoothing > 0)) throw new RangeError(`dawidSkene: smoothing must be above 0, not ${smoothing}.`)
  if (!(Number.isInteger(maxIterations) && maxIterations > 0))
    throw new RangeError(`dawidSkene: maxIterations must be a whole number above 0, not ${maxIterations}.`)
  const posterior = voteShares(votes, classes)
  const objective: number[] = []
  let model = maximise(votes, classes, posterior, smoothing)
  let moved = Infinity
  // Ends with an E-step: the posterior is that of exactly this prior and these confusions, however soon it was stopped.
  for (;;) {
    const step = expect(votes, classes, model, posterior)
    moved = step.moved
    objective.push(step.likelihood + logPrior(model, smoothing))
    if (moved <= tolerance || objective.length >= maxIterations) break
    model = maximise(votes, classes, posterior, smoothing)
  }
  return {
    ...decided(posterior, classes),
    labelers: qualities(votes, model),
    prior: [...model.prior],
    iterations: objective.length,
    converged: moved <= tolerance,
    objective,
  }
}

/** π [K] and θ [L, K, K]. */
interface Model {
  readonly classes: number
  readonly prior: Float64Array
  readonly confusion: Float64Array
}

function voteShares(votes: Votes, classes: number): Float64Array {
  if (!(Number.isInteger(classes) && classes > 0))
    throw new RangeError(`The number of classes is a whole number above 0, not ${classes}.`)
  const { start, rows } = byExample(votes)
  const shares = new Float64Array(votes.examples * classes)
  for (let i = 0; i < votes.examples; i++) {
    const own = rows.subarray(start[i], start[i + 1])
    if (own.length === 0) shares.fill(1 / classes, i * classes, (i + 1) * classes)
    for (const row of own) {
      const at = i * classes + classOf(votes, row, classes)
      shares[at] = (shares[at] as number) + 1 / own.length
    }
  }
  return shares
}

/** Pseudo-votes of a cell of the confusion matrix. */
const inAdvance = (smoothing: number, k: number, c: number, classes: number) =>
  k === c ? smoothing * (1 + classes) : smoothing

function maximise(votes: Votes, classes: number, posterior: Float64Array, smoothing: number): Model {
  const confusion = new Float64Array(votes.labelers * classes * classes)
  for (let at = 0; at < confusion.length; at++)
    confusion[at] = inAdvance(smoothing, Math.floor(at / classes) % classes, at % classes, classes)
  const prior = new Float64Array(classes).fill(smoothing)
  const voted = new Uint8Array(votes.examples)
  for (const [row, i] of votes.example.entries()) {
    voted[i] = 1
    const said = votes.value[row] as number
    for (let k = 0; k < classes; k++) {
      const at = ((votes.labeler[row] as number) * classes + k) * classes + said
      confusion[at] = (confusion[at] as number) + (posterior[i * classes + k] as number)
    }
  }
  // Examples without a vote say nothing about the prior.
  for (let i = 0; i < votes.examples; i++) {
    if (voted[i] === 1)
      for (let k = 0; k < classes; k++) prior[k] = (prior[k] as number) + (posterior[i * classes + k] as number)
  }
  normaliseRows(confusion, classes)
  normaliseRows(prior, classes)
  return { classes, prior, confusion }
}

function normaliseRows(values: Float64Array, width: number): void {
  for (let at = 0; at < values.length; at += width) {
    let sum = 0
    for (let c = 0; c < width; c++) sum += values[at + c] as number
    for (let c = 0; c < width; c++) values[at + c] = (values[at + c] as number) / sum
  }
}

/** Overwrites the posterior; says how far it moved and the likelihood of the votes. In logarithms, against underflow. */
function expect(
  votes: Votes,
  classes: number,
  { prior, confusion }: Model,
  posterior: Float64Array,
): { moved: number; likelihood: number } {
  const logPriors = prior.map(Math.log)
  const logConfusion = confusion.map(Math.log)
  const logs = new Float64Array(posterior.length)
  for (let at = 0; at < logs.length; at++) logs[at] = logPriors[at % classes] as number
  for (const [row, i] of votes.example.entries()) {
    const said = votes.value[row] as number
    for (let k = 0; k < classes; k++) {
      const at = i * classes + k
      logs[at] =
        (logs[at] as number) + (logConfusion[((votes.labeler[row] as number) * classes + k) * classes + said] as number)
    }
  }
  let [moved, likelihood] = [0, 0]
  for (let at = 0; at < logs.length; at += classes) {
    const row = logs.subarray(at, at + classes)
    const highest = row.reduce((a, b) => Math.max(a, b))
    const sum = row.reduce((total, log) => total + Math.exp(log - highest), 0)
    likelihood += highest + Math.log(sum)
    for (let k = 0; k < classes; k++) {
      const p = Math.exp((row[k] as number) - highest) / sum
      moved = Math.max(moved, Math.abs(p - (posterior[at + k] as number)))
      posterior[at + k] = p
    }
  }
  return { moved, likelihood }
}

/** The logarithm of the Dirichlet densities that smoothing stands for, up to a constant. */
function logPrior({ classes, prior, confusion }: Model, smoothing: number): number {
  let sum = 0
  for (const p of prior) sum += smoothing * Math.log(p)
  for (const [at, p] of confusion.entries())
    sum += inAdvance(smoothing, Math.floor(at / classes) % classes, at % classes, classes) * Math.log(p)
  return sum
}

function decided(posterior: Float64Array, classes: number): Consensus {
  const count = posterior.length / classes
  const consensus = new Int32Array(count)
  const confidence = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const row = posterior.subarray(i * classes, (i + 1) * classes)
    const best = row.reduce((b, p, c) => (p > (row[b] as number) ? c : b), 0)
    consensus[i] = best
    confidence[i] = row[best] as number
  }
  return { posterior, consensus, confidence }
}

function qualities(votes: Votes, { classes, prior, confusion }: Model): LabelerQuality[] {
  const counts = new Int32Array(votes.labelers)
  for (const l of votes.labeler) counts[l] = (counts[l] as number) + 1
  return Array.from(counts, (count, l) => {
    const rows = Array.from({ length: classes }, (_, k) => [
      ...confusion.subarray((l * classes + k) * classes, (l * classes + k + 1) * classes),
    ])
    const accuracy = rows.reduce((sum, row, k) => sum + (prior[k] as number) * (row[k] as number), 0)
    return { votes: count, accuracy, confusion: rows }
  })
}
