/**
 * A perceptron tells one species of iris from the others, by the rule of 1958, for its step has no slope that a gradient
 * could follow.
 *
 *   node examples/perceptron/main.ts
 */
import { grad, heaviside, mseLoss, type Tensor, tensor } from 'descent'
import { readIrises, type Species } from '../iris/iris.ts'
import { Perceptron } from './perceptron.ts'

/** Mistakes in each epoch, up to the first without any. */
function learn(kinds: readonly Species[], ones: readonly number[], most: number): number[] {
  const irises = readIrises(kinds)
  const y = tensor([...irises.y.data()].map((kind) => Number(ones.includes(kind))))
  const perceptron = new Perceptron(4)
  const mistakes: number[] = []
  while (mistakes.length < most && mistakes.at(-1) !== 0) mistakes.push(perceptron.epoch(irises.x, y))
  return mistakes
}

const separable = learn(['setosa', 'versicolor', 'virginica'], [0], 100)
console.log('setosa or another? A plane separates them, and the rule finds one.')
console.log(`  mistakes in each epoch: ${separable.join(', ')}\n`)

const mixed = learn(['versicolor', 'virginica'], [1], 100)
console.log('versicolor or virginica? No plane separates them, and the rule never comes to rest.')
console.log(`  mistakes in each epoch: ${mixed.slice(0, 12).join(', ')}, … after ${mixed.length}: ${mixed.at(-1)}\n`)

const { x, y } = readIrises(['setosa', 'versicolor'])
const weights = tensor([0.1, -0.2, 0.3, 0.4])
const lossWith = (unit: (z: Tensor) => Tensor) => (w: Tensor) => mseLoss(unit(x.matmul(w)), y.float())
const rounded = (values: Tensor) => `[${[...values.data()].map((value) => value.toFixed(4)).join(', ')}]`
console.log('Why a rule and no gradient: the slope of a loss behind the step is 0 in every direction,')
console.log(`  heaviside: ${rounded(grad(lossWith((z) => heaviside(z)))(weights))}`)
console.log('and behind a sigmoid it is not: from it, layer upon layer can learn.')
console.log(`  sigmoid:   ${rounded(grad(lossWith((z) => z.sigmoid()))(weights))}`)
