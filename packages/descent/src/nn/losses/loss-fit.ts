/**
 * Whether a loss fits what the network gives and what the targets are. The loss is called once and watched: which
 * losses it computes, and of what. What an input comes from is seen in its derivation, or in the network's last layer;
 * where neither tells, in its values. It says nothing where it is not sure.
 */
import { enableGrad } from '../../autograd.ts'
import { defaultGenerator } from '../../random.ts'
import { Tensor } from '../../tensor.ts'
import { Hardsigmoid, LogSigmoid, LogSoftmax, Sigmoid, Softmax, Softmin } from '../activations/modules.ts'
import { Dropout } from '../dropout.ts'
import { Flatten } from '../flatten.ts'
import type { AnyModule } from '../module.ts'
import { Sequential } from '../sequential.ts'
import { type Call, watched } from './watch.ts'

type Tensors = Tensor | readonly Tensor[]
/** A loss of one output or of several, as a function or a module. */
type AnyLoss = ((output: never, target: never) => unknown) | AnyModule

/** The last step before the loss. */
type Step = 'softmax' | 'logSoftmax' | 'sigmoid' | 'logSigmoid'
interface Origin {
  /** Null: another, or unknown. */
  readonly step: Step | null
  /** Whether it is the network's output as it is, not something that the loss made of it. */
  readonly own: boolean
  /** Whether it is the output, and nothing tells what that is but its values. */
  readonly bare: boolean
}

/**
 * Whether a loss fits the network's last activation and the targets: null, or one sentence that says what does not fit
 * and what to do. `output` is what the network gave for a batch, `target` what it should have given; lists of them for
 * several outputs. It sees through modules, sums of losses and functions of one's own. Noticed are
 * - softmax, log-softmax or sigmoid before `crossEntropy`, sigmoid before `binaryCrossEntropyWithLogits` and
 *   `multilabelSoftMarginLoss`, which apply them themselves; softmax before `nllLoss` and `klDiv`;
 * - values outside of 0…1 before `binaryCrossEntropy`, values above 0 before `nllLoss`;
 * - `crossEntropy` of one output; targets 0 and 1 where −1 and 1 are needed, and the other way round.
 *
 * Calls the loss once. Not for use inside of `compile`, since it reads values.
 *
 * @example
 * ```ts
 * import { checkLossFit, nn, randn, tensor } from 'descent'
 * const net = new nn.Sequential(new nn.Linear(4, 3), new nn.Softmax(1))
 * const target = tensor([0, 2], { dtype: 'i32' })
 * console.log(checkLossFit(net, new nn.CrossEntropyLoss(), net.forward(randn([2, 4])), target))
 * // → crossEntropy takes logits and applies log-softmax itself, but its input comes from a softmax:
 * //   remove the softmax.
 * ```
 */
export function checkLossFit(net: AnyModule, loss: AnyLoss, output: Tensors, target: Tensors): string | null {
  const outputs = new Map<Tensor, Tensor>()
  const leaf = (x: Tensor): Tensor => {
    const own = x.dtype === 'f32' ? x.detach().requiresGrad_() : x.detach()
    outputs.set(own, x)
    return own
  }
  const leaves = output instanceof Tensor ? leaf(output) : output.map(leaf)
  for (const call of callsOf(loss, leaves, target)) {
    const fault = faultOf(call, originOf(call.input, outputs, net))
    if (fault) return `${call.loss} ${fault}`
  }
  return null
}

/** The losses that are computed. Nothing where the loss throws: the training step will, and say why. */
function callsOf(loss: AnyLoss, output: Tensors, target: Tensors): Call[] {
  const { draws } = defaultGenerator()
  const drawn = draws.item()
  const fn = (typeof loss === 'function' ? loss : loss.forward.bind(loss)) as (o: Tensors, t: Tensors) => unknown
  try {
    return watched(() => enableGrad(() => fn(output, target)))
  } catch {
    return []
  } finally {
    draws.fill_(drawn)
  }
}

// ── where an input comes from ──────────────────────────────────────────────────────────────────────────────────────

/** Movements, which leave each value what it is. */
const passing = ['reshape', 'permute', 'slice']
const steps: readonly string[] = ['softmax', 'logSoftmax', 'sigmoid'] satisfies Step[]

function originOf(input: Tensor, outputs: ReadonlyMap<Tensor, Tensor>, net: AnyModule): Origin {
  let at = input
  let reached = false
  for (;;) {
    const output = reached ? undefined : outputs.get(at)
    if (output) {
      at = output
      reached = true
    } else if (at.derivation && passing.includes(at.derivation.name)) at = at.derivation.inputs[0] as Tensor
    else break
  }
  const name = at.derivation?.name
  if (name && steps.includes(name)) return { step: name as Step, own: reached, bare: false }
  if (!reached) return { step: null, own: false, bare: false }
  const last = outputs.size === 1 ? lastLayer(net) : null
  const step = last && stepOf(last)
  const weights = last !== null && last.children().length === 0 && last.parameters().length > 0
  return { step, own: true, bare: !step && !weights }
}

function lastLayer(module: AnyModule): AnyModule | null {
  if (!(module instanceof Sequential)) return module
  const last = module.layers.findLast((layer) => !(layer instanceof Flatten || layer instanceof Dropout))
  return last ? lastLayer(last) : null
}

function stepOf(layer: AnyModule): Step | null {
  if (layer instanceof Softmax || layer instanceof Softmin) return 'softmax'
  if (layer instanceof LogSoftmax) return 'logSoftmax'
  if (layer instanceof Sigmoid || layer instanceof Hardsigmoid) return 'sigmoid'
  return layer instanceof LogSigmoid ? 'logSigmoid' : null
}

// ── what does not fit ──────────────────────────────────────────────────────────────────────────────────────────────

function faultOf({ loss, kind, input, target }: Call, { step, own, bare }: Origin): string | null {
  const wrong = (takes: string, but: string, fix: string): string => `takes ${takes}, but ${but}: ${fix}.`
  const from = `its input comes from a ${step}`
  switch (kind) {
    case 'logits': {
      const takes = 'logits and applies log-softmax itself'
      if (input.shape[input.ndim === 1 ? 0 : 1] === 1)
        return 'of one output is always 0: give the network one output for each class, or use binaryCrossEntropyWithLogits with targets 0 and 1.'
      if (step === 'softmax') return wrong(takes, from, 'remove the softmax')
      if (step === 'logSoftmax') return wrong(takes, from, 'remove the logSoftmax, or use nllLoss')
      if (step)
        return wrong(takes, from, `remove the ${step}, or use binaryCrossEntropy if classes do not exclude each other`)
      if (bare && rowsSumToOne(input)) return wrong(takes, 'its input looks like probabilities', 'remove the softmax')
      return null
    }
    case 'binaryLogits':
      if (step) {
        const other = step === 'sigmoid' && loss !== 'multilabelSoftMarginLoss' ? ', or use binaryCrossEntropy' : ''
        return wrong('logits and applies the sigmoid itself', from, `remove the ${step}${other}`)
      }
      return signsFault(target)
    case 'probabilities': {
      const outside = some(input, (x) => x < -1e-6 || x > 1 + 1e-6)
      if (outside !== null)
        return wrong(
          'probabilities from 0 to 1',
          `its input holds values such as ${shown(outside)}`,
          'end the network with nn.Sigmoid, or use binaryCrossEntropyWithLogits, which is more exact',
        )
      return signsFault(target)
    }
    case 'logProbabilities':
    case 'distributions': {
      const takes = 'logarithms of probabilities'
      if (step === 'softmax' || step === 'sigmoid')
        return wrong(takes, from, `use ${step === 'softmax' ? 'logSoftmax' : 'logSigmoid'} instead`)
      if (bare && rowsSumToOne(input))
        return wrong(takes, 'its input looks like probabilities', 'end the network with logSoftmax instead of softmax')
      const above = loss === 'nllLoss' && own && !step ? some(input, (x) => x > 1e-3) : null
      if (above !== null)
        return wrong(
          `${takes}, never above 0`,
          `its input holds values such as ${shown(above)}`,
          'end the network with nn.LogSoftmax(1), or use crossEntropy without it',
        )
      if (kind === 'distributions' && some(target, (y) => y < 0) !== null)
        return wrong('probabilities as targets', 'some are negative, as logarithms are', 'set logTarget to true')
      return null
    }
    case 'signs':
      return some(target, (y) => y !== 0 && y !== 1) === null && some(target, (y) => y === 0) !== null
        ? wrong('targets -1 and 1', 'these are 0 and 1', 'use target.mul(2).sub(1)')
        : null
  }
}

function signsFault(target: Tensor): string | null {
  if (some(target, (y) => y !== 1 && y !== -1) !== null || some(target, (y) => y === -1) === null) return null
  return 'takes targets from 0 to 1, but these are -1 and 1: use target.add(1).div(2).'
}

// ── values ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** So many values of a tensor are looked at. */
const LOOKED_AT = 65536

/** Whole examples from the first, about as many as are looked at. */
function firstExamples(x: Tensor): Tensor {
  const count = x.shape[0] ?? 1
  const limit = Math.max(1, Math.floor(LOOKED_AT / (x.size / count)))
  return x.ndim > 0 && limit < count ? x.slice([0, limit]) : x
}

/** A value for which the condition holds; null where there is none. */
function some(x: Tensor, holds: (value: number) => boolean): number | null {
  return firstExamples(x.detach()).values().find(holds) ?? null
}

/**
 * Whether the values of every place [N, C, ...] are positive with sum 1: at several places, and neither all equal nor
 * all 0 and 1, so that it is no chance.
 */
function rowsSumToOne(x: Tensor): boolean {
  if (x.ndim < 2) return false
  const part = firstExamples(x.detach())
  const rows = part.transpose(1, -1)
  const values = rows.values()
  const classes = part.shape[1] as number
  if (classes < 2 || values.length < 2 * classes) return false
  for (let start = 0; start < values.length; start += classes) {
    let sum = 0
    for (const p of values.subarray(start, start + classes)) {
      if (!(p >= 0)) return false
      sum += p
    }
    if (!(Math.abs(sum - 1) < 1e-4)) return false
  }
  return values.some((p) => p !== 0 && p !== 1) && values.some((p) => p !== values[0])
}

function shown(value: number): string {
  return String(Number(value.toPrecision(3)))
}
