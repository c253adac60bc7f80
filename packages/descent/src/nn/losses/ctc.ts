/**
 * Connectionist temporal classification: the loss of a sequence of labels of which nobody says when each comes. The sum over
 * all alignments is the forward recursion, a `scan` over time, in logarithms; its gradient is the loop's.
 */
import { tensor } from '../../create.ts'
import { DTypeError, ShapeError } from '../../errors.ts'
import { maximum } from '../../functions/arithmetic.ts'
import { checkIndex } from '../../functions/indexing.ts'
import { stack } from '../../functions/movement.ts'
import { pad } from '../../ops/movement.ts'
import { shapeText } from '../../ops/op.ts'
import { scan } from '../../scan.ts'
import { type Operand, Tensor } from '../../tensor.ts'
import { requireFloat } from './check.ts'
import { lossModule } from './loss-module.ts'
import { type ReductionOptions, reduced } from './reduction.ts'
import { report } from './watch.ts'

/** One for each sequence of the batch: i32 [N], or a list of numbers; a number or i32 [] where there is no batch. */
export type SequenceLengths = Operand | readonly Operand[]

export interface CTCLossOptions extends ReductionOptions {
  /** The class that stands for no label. Default 0. */
  readonly blank?: number
  /** Whether a target that is too long for its input costs 0, and gives no gradient, instead of ∞. Default false. */
  readonly zeroInfinity?: boolean
}

/** Stands for log 0: sums of it stay finite, so that no gradient is ∞ − ∞. */
const NEVER = -1e30

/**
 * −log Σ Π_t p_t(π_t) over all alignments π of a target: paths of one class for each step that give the target when
 * repeated classes are one and then blanks fall out. `logProbs` [T, N, C] are log-probabilities (`logSoftmax` over the
 * classes); `targets` i32 [N, S], of which the first `targetLengths[n]` count, or all of them one after the other,
 * [Σ targetLengths]; `inputLengths` says how many of the T steps count. Without a batch [T, C] and [S]. 'mean' divides each
 * loss by its target's length first. A target that no alignment gives, as one that is longer than its input, costs ∞ with
 * gradients that are no numbers, or with `zeroInfinity` nothing.
 *
 * Gradients are the derivative; before a `logSoftmax` they are PyTorch's (whose gradient with respect to `logProbs` itself
 * has exp(logProbs) added, which a log-softmax takes away again). Throws ShapeError where shapes do not fit, DTypeError
 * for targets or lengths that are not i32, IndexError naming a class outside of 0…C−1 or a length above T or S (compiled
 * too), RangeError for another blank. Source: Graves et al., "Connectionist temporal classification", 2006;
 * torch.nn.functional.ctc_loss.
 *
 * @example
 * ```ts
 * import { ctcLoss, tensor } from 'descent'
 * // Three steps, a blank and two classes, all as likely: the label 1 comes from 6 of 27 paths.
 * const logProbs = tensor(new Array(9).fill(1 / 3), { shape: [3, 1, 3] }).log()
 * const loss = ctcLoss(logProbs, tensor([[1]], { dtype: 'i32' }), [3], [1])
 * console.log(loss.neg().exp().mul(27).item().toFixed(3)) // → 6.000
 * ```
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: SequenceLengths,
  targetLengths: SequenceLengths,
  options: CTCLossOptions = {},
): Tensor {
  requireFloat('ctcLoss', 'logProbs', logProbs)
  if (targets.dtype !== 'i32')
    throw new DTypeError(`ctcLoss: targets ${shapeText(targets.shape)} are ${targets.dtype}; convert them with .int().`)
  const { blank = 0, reduction = 'mean', zeroInfinity = false } = options
  const single = logProbs.ndim === 2
  const [x, classes] = single ? [logProbs.unsqueeze(1), targets.unsqueeze(0)] : [logProbs, targets]
  const [steps, count, width] = x.shape
  const fits = single ? targets.ndim === 1 : classes.ndim === 1 || (classes.ndim === 2 && classes.shape[0] === count)
  if (x.ndim !== 3 || !steps || !count || !width || !fits) {
    throw new ShapeError(
      `ctcLoss: takes logProbs [T, N, C] with targets [N, S] or [Σ targetLengths], or [T, C] with [S], got ${shapeText(logProbs.shape)} and ${shapeText(targets.shape)}.`,
    )
  }
  if (!Number.isInteger(blank) || blank < 0 || blank >= width)
    throw new RangeError(`ctcLoss: blank = ${blank} must be one of the ${width} classes.`)
  report('ctcLoss', 'logProbabilities', x.permute([1, 2, 0]), targets)
  const times = checkIndex(lengthsOf('inputLengths', inputLengths, count), steps + 1, 'ctcLoss inputLengths')
  const { labels, lengths } = labelsOf(classes, lengthsOf('targetLengths', targetLengths, count), blank)
  const states = checkIndex(labels.apply(pad, between(blank)), width, 'ctcLoss target')
  const end = lastOf(x, states, times)
  const place = states.positions([1]).sub(lengths.mul(2).unsqueeze(1))
  const total = place.eq(0).logicalOr(place.eq(-1)).where(end, NEVER).logsumexp(1)
  const impossible = total.lt(NEVER / 10)
  // log 0² is −∞, and its derivative NaN.
  const losses = zeroInfinity
    ? impossible.where(0, total.neg())
    : impossible.where(total.sub(total.detach()), 1).square().log().add(total).neg()
  const each = reduction === 'mean' ? losses.div(maximum(lengths, 1).float()) : losses
  return reduced(single ? each.squeeze(0) : each, reduction)
}

/** Blanks before, between and after the labels [N, S]: [N, 2S + 1]. */
function between(blank: number) {
  const none = { low: 0, high: 0, interior: 0 }
  return { padding: [none, { low: 1, high: 1, interior: 1 }], value: blank }
}

/** log Σ Π p over the ways that end in each state after the last step that counts: [N, 2S + 1]. */
function lastOf(x: Tensor, states: Tensor, times: Tensor): Tensor {
  const [steps, count, width] = [x.shape[0] as number, ...states.shape] as [number, number, number]
  const logs = maximum(x.gather(2, states.unsqueeze(0).expand([steps, count, width])), NEVER)
  const counts = x
    .detach()
    .slice(null, null, [0, 1])
    .positions([0])
    .lt(times.reshape(1, -1, 1))
  // From a label the way leads over the blank to the next one, if that is another.
  const leap = states.ne(states.pad([2, -2], { value: -1 }))
  const { carry } = scan(
    ([before], [log, counts]) => {
      const stay = before as Tensor
      const step = stay.pad([1, -1], { value: NEVER })
      const far = leap.where(stay.pad([2, -2], { value: NEVER }), NEVER)
      const most = maximum(maximum(stay, step), far).detach()
      const sum = [stay, step, far].map((way) => way.sub(most).exp()).reduce((a, b) => a.add(b))
      return {
        carry: [
          (counts as Tensor).where(
            sum
              .log()
              .add(most)
              .add(log as Tensor),
            stay,
          ),
        ],
      }
    },
    [states.positions([1]).eq(0).where(0, NEVER).float()],
    [logs, counts],
  )
  return carry[0] as Tensor
}

function lengthsOf(name: string, given: SequenceLengths, count: number): Tensor {
  if (given instanceof Tensor) {
    if (given.dtype !== 'i32') throw new DTypeError(`ctcLoss: ${name} are ${given.dtype}; convert them with .int().`)
    if (given.size !== count || given.ndim > 1) {
      throw new ShapeError(`ctcLoss: ${name} ${shapeText(given.shape)} must hold one for each sequence, [${count}].`)
    }
    return given.reshape([count])
  }
  const list = [given].flat() as readonly Operand[]
  if (list.length !== count)
    throw new ShapeError(`ctcLoss: ${list.length} ${name} for ${count} sequences; give one for each.`)
  const odd = list.find((x) => typeof x === 'number' && !Number.isInteger(x))
  if (odd !== undefined) throw new RangeError(`ctcLoss: ${name} are whole numbers, not ${String(odd)}.`)
  // Within compile() numbers of an argument are tensors.
  return stack(list.map((x) => (x instanceof Tensor ? x.int() : tensor(x, { dtype: 'i32' }))))
}

/** The labels that count, [N, S], blank elsewhere; S is at least 1. */
function labelsOf(targets: Tensor, given: Tensor, blank: number): { labels: Tensor; lengths: Tensor } {
  const [count] = given.shape as [number]
  const size = targets.shape.at(-1) as number
  if (size === 0) {
    const lengths = checkIndex(given, 1, 'ctcLoss targetLengths')
    return { labels: lengths.mul(0).add(blank).unsqueeze(1), lengths }
  }
  if (targets.ndim === 2) {
    const lengths = checkIndex(given, size + 1, 'ctcLoss targetLengths')
    return { labels: targets.positions([1]).lt(lengths.unsqueeze(1)).where(targets, blank), lengths }
  }
  const most = given.isTraced ? size : longest(given.data(), size)
  const ends = checkIndex(given.cumsum(0), size + 1, 'ctcLoss targetLengths')
  const left = checkIndex(ends.slice([-1, null]).neg().add(size), 1, 'ctcLoss labels beyond all targetLengths')
  const places = given.unsqueeze(1).expand([count, most]).positions([1])
  const at = places.add(ends.sub(given).unsqueeze(1))
  const inside = places.lt(given.unsqueeze(1))
  const found = targets.indexSelect(0, inside.where(at, 0).reshape([-1])).reshape([count, most])
  const lengths = checkIndex(given, size + 1, 'ctcLoss targetLengths').add(left)
  return { labels: inside.where(found, blank), lengths }
}

function longest(lengths: ArrayLike<number>, size: number): number {
  const list = Array.from(lengths)
  const sum = list.reduce((a, b) => a + b, 0)
  if (sum !== size)
    throw new ShapeError(`ctcLoss: targets [${size}] must be all labels one after the other, ${sum} by targetLengths.`)
  return Math.max(1, ...list)
}

type Inputs = [logProbs: Tensor, targets: Tensor, inputLengths: SequenceLengths, targetLengths: SequenceLengths]

/** `ctcLoss` as a module. */
export class CTCLoss extends /* @__PURE__ */ lossModule<Inputs, CTCLossOptions>(ctcLoss) {}
