/**
 * What is likely to go wrong with a recipe on this data, said before anything is trained: a loss or an activation that does
 * not fit, more parameters than the data can teach, a normalisation that is missing. Looks at the network as it is made and
 * at real examples, not at names alone, so that networks of one's own are judged too.
 */
import { checkLossFit, type data, defaultGenerator, nn, noGrad, type Tensor, tensor } from 'descent'
import { UserError } from '../errors.ts'
import { type DataProfile, imbalance } from './profile.ts'
import type { Recipe } from './recipe.ts'
import type { Loss } from './settings.ts'

export interface Considered {
  readonly recipe: Recipe
  readonly profile: DataProfile
  readonly net: nn.Module
  readonly loss: Loss
  /** Some training examples, as the network is given them. */
  readonly batch: { readonly x: data.RawArray; readonly y: data.RawArray }
}

/**
 * A loss that cannot be computed for this task at all.
 * @throws {UserError} that names the losses which can
 */
export function requireLoss({ name, loss: { type } }: Recipe, task: DataProfile['task']): void {
  const forClasses = type === 'crossEntropy'
  if (forClasses === (task === 'class')) return
  throw new UserError(
    task === 'class'
      ? `The recipe '${name}' has the loss '${type}', which is for numbers, and the labels are classes: use crossEntropy.`
      : `The recipe '${name}' has the loss 'crossEntropy', which is for classes, and the labels are numbers: use huber, mse or l1.`,
  )
}

/** One sentence a warning: what is wrong, and what to do. The network's state and the generator stay as they were. */
export function recipeWarnings(considered: Considered): string[] {
  return [
    lossFit(considered),
    lastActivation(considered),
    linearPairs(considered.net),
    vanishing(considered.net),
    tooManyParameters(considered),
    inputScale(considered),
    missingNorm(considered),
    batchNormBatch(considered),
    rareClasses(considered.profile),
    unbalanced(considered),
    mirrored(considered),
    noValidation(considered),
  ].filter((warning) => warning !== null)
}

function lossFit({ net, loss, batch }: Considered): string | null {
  const target = tensor(batch.y.values, { shape: batch.y.shape })
  return checkLossFit(net, loss, answers(net, batch.x), target)
}

/** What the network gives in eval mode. */
function answers(net: nn.Module, { shape, values }: data.RawArray): Tensor {
  const before = net.training
  const { draws } = defaultGenerator()
  const drawn = draws.clone()
  net.eval()
  try {
    return noGrad(() => net.forward(tensor(values, { shape })))
  } finally {
    net.train(before)
    draws.copy_(drawn)
  }
}

function lastActivation({ net, profile: { task } }: Considered): string | null {
  const last = lastLayer(net)
  for (const [layer, { answers, classes }] of bounded) {
    if (!(last instanceof layer) || (task === 'class' && !classes)) continue
    const takes = task === 'number' ? 'targets are scaled to mean 0 and deviation 1' : 'crossEntropy takes any number'
    return `The network ends in ${layer.name}, whose answers are ${answers}, and ${takes}: end it with a linear layer.`
  }
  return null
}

/** Activations with bounds. `classes`: whether they are said for classes too; others `checkLossFit` has said. */
const bounded = [
  [nn.ReLU, { answers: 'never below 0', classes: true }],
  [nn.Softplus, { answers: 'never below 0', classes: true }],
  [nn.Tanh, { answers: 'from −1 to 1', classes: true }],
  [nn.Sigmoid, { answers: 'from 0 to 1', classes: false }],
  [nn.Softmax, { answers: 'from 0 to 1', classes: false }],
] as const

/** Where the network is a sequence: what it ends in. Elsewhere modules do not tell in which order they are called. */
function lastLayer(net: nn.AnyModule): nn.AnyModule | null {
  if (!(net instanceof nn.Sequential)) return net.children().length === 0 ? net : null
  const last = net.layers.findLast((layer) => !(layer instanceof nn.Flatten || layer instanceof nn.Dropout))
  return last ? lastLayer(last) : null
}

/** Modules without modules inside. */
function leaves(net: nn.AnyModule): nn.AnyModule[] {
  return net.modules().filter((layer) => layer.children().length === 0)
}

/** Two linear layers without an activation between them are one. */
function linearPairs(net: nn.Module): string | null {
  const quiet = (layer: nn.AnyModule): boolean =>
    layer instanceof nn.Dropout || layer instanceof nn.Identity || layer instanceof nn.Flatten
  for (const group of net.modules()) {
    if (!(group instanceof nn.Sequential)) continue
    const layers = group.layers.filter((layer) => !quiet(layer))
    const first = layers.find((layer, i) => isLinear(layer) && isLinear(layers[i + 1]))
    if (first)
      return `Two ${first.constructor.name} layers follow each other without an activation between them, which is the same as one: put an nn.ReLU there.`
  }
  return null
}

function isLinear(layer: nn.AnyModule | undefined): boolean {
  return layer instanceof nn.Linear || layer instanceof nn.Conv2d || layer instanceof nn.Conv1d
}

function isNorm(layer: nn.AnyModule): boolean {
  return /Norm(\dd)?$/.test(layer.constructor.name)
}

/** From so many saturating activations on, gradients become too small for the first layers. */
const SATURATING = 4

function vanishing(net: nn.Module): string | null {
  const all = leaves(net)
  const saturating = all.filter((layer) => layer instanceof nn.Sigmoid || layer instanceof nn.Tanh)
  if (saturating.length < SATURATING || all.some(isNorm)) return null
  return `${saturating.length} activations that saturate (${saturating[0]?.constructor.name}) stand one behind the other without normalisation: gradients vanish on the way to the first layers; use relu, or norm: 'batch'.`
}

/** From so many learned values for each training example on, a warning. */
const PARAMETERS_AN_EXAMPLE = 200

/** Tables of words and levels do not count: of those only the rows that occur are learned. */
function tooManyParameters({ net, recipe, profile }: Considered): string | null {
  const tables = net.modules().filter((layer) => layer instanceof nn.Embedding)
  const first =
    recipe.preprocess.type === 'words' ? net.modules().find((layer) => layer instanceof nn.Linear) : undefined
  const left = new Set([...tables, ...(first ? [first] : [])].flatMap((layer) => layer.parameters()))
  const counted = net.parameters().filter((parameter) => !left.has(parameter))
  const total = counted.reduce((sum, parameter) => sum + parameter.size, 0)
  if (total <= PARAMETERS_AN_EXAMPLE * profile.train) return null
  return `${total.toLocaleString('en')} parameters for ${profile.train.toLocaleString('en')} training examples: the network can learn them by heart. Use fewer or narrower layers, or gather more examples.`
}

/** Inputs of this size, on average, are not standardised. */
const LARGE = 8

function inputScale({ recipe: { preprocess }, batch: { x } }: Considered): string | null {
  if (preprocess.type === 'pixels' && !preprocess.normalize)
    return 'Pixels go in from 0 to 1, all of one sign: preprocess.normalize: true learns faster.'
  if (x.values instanceof Int32Array || preprocess.type !== 'table' || preprocess.numbers !== 'none') return null
  const largest = x.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return `Numbers go in as they are${largest > LARGE ? `, up to ${Number(largest.toPrecision(3))}` : ''}: columns of large numbers drown the others; preprocess.numbers: 'standardize' gives all of them mean 0 and deviation 1.`
}

/** From so many layers with weights on, a network without normalisation is hard to train. */
const DEEP = 6

function missingNorm({ net }: Considered): string | null {
  const all = net.modules()
  const depth = all.filter(isLinear).length
  if (depth < DEEP || all.some(isNorm)) return null
  return `${depth} layers with weights and no normalisation between them: the scale drifts from layer to layer; put nn.BatchNorm or nn.LayerNorm behind them (norm: 'batch' for an mlp).`
}

function batchNormBatch({ net, recipe: { batchSize } }: Considered): string | null {
  if (batchSize >= 8 || !leaves(net).some((layer) => /^BatchNorm/.test(layer.constructor.name))) return null
  return `Batch norm on batches of ${batchSize}: the mean of so few examples is mostly noise; use a batchSize of 16 or more.`
}

const FEW = 5

function rareClasses({ classes, counts }: DataProfile): string | null {
  const rare = classes.filter((_, i) => (counts[i] as number) < FEW)
  if (rare.length === 0) return null
  const shown = rare.slice(0, 5).map((name) => `${name} (${counts[classes.indexOf(name)]})`)
  return `Classes with hardly any training examples: ${shown.join(', ')}${rare.length > 5 ? ` and ${rare.length - 5} more` : ''}. Gather or label more of them.`
}

const UNBALANCED = 10

function unbalanced({ recipe: { loss }, profile }: Considered): string | null {
  const times = imbalance(profile)
  if (loss.type !== 'crossEntropy' || loss.classWeights !== 'none' || times < UNBALANCED) return null
  return `The most frequent class has ${Math.round(times)} times as many examples as the rarest: loss.classWeights: 'balanced' keeps rare ones from being ignored.`
}

/** Characters that are others or none when they are mirrored. */
function mirrored({ recipe: { augmentation }, profile: { classes } }: Considered): string | null {
  const flips = augmentation.some(({ type }) => type === 'flip')
  if (!flips || classes.length === 0 || !classes.every((name) => /^[\p{L}\p{N}]$/u.test(name))) return null
  return 'The classes look like digits or letters, and the augmentation mirrors them: a mirrored one is another, or none; leave flip out.'
}

function noValidation({ recipe: { earlyStopping, schedule }, profile: { validation } }: Considered): string | null {
  if (validation > 0) return null
  const idle = earlyStopping
    ? ', and early stopping does nothing'
    : schedule.type === 'plateau'
      ? ', which the schedule needs'
      : ''
  return `The validation split is empty${idle}: the weights of the last epoch are kept, not of the best.`
}
