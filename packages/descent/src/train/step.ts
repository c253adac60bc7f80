/** One training step: forward, loss, gradients, and what is done with them before the optimizer moves. */
import { noGrad } from '../autograd.ts'
import { compile } from '../compile.ts'
import type { Module } from '../nn/module.ts'
import { clipGradNorm_, clipGradValue_ } from '../optim/clip.ts'
import type { Optimizer } from '../optim/optimizer.ts'
import { l1Penalty } from '../optim/penalty.ts'
import type { Tensor } from '../tensor.ts'
import type { Outputs } from './batches.ts'
import type { AnyLoss } from './evaluate.ts'
import { type Measured, measure } from './evaluator.ts'
import type { Metrics } from './metrics.ts'

export interface StepOptions<T extends Outputs> {
  readonly loss: AnyLoss<T>
  readonly optimizer: Optimizer
  readonly metrics?: Metrics
  readonly compile?: boolean
  readonly clipNorm?: number
  readonly clipValue?: number
  readonly accumulate?: number
  readonly l1?: number
}

/** `first` and `last` of the batches whose gradients are summed before the optimizer moves. */
export interface TrainStep<T extends Outputs> {
  (x: Tensor, y: T, first: boolean, last: boolean): Measured
  /** Moves the optimizer by the gradients of a group that has ended early. */
  flush(): void
}

export function trainStep<T extends Outputs>(net: Module<[Tensor], T>, options: StepOptions<T>): TrainStep<T> {
  const { loss, optimizer, metrics, clipNorm, clipValue, accumulate = 1, l1 = 0 } = options
  const parameters = net.namedParameters()
  const weights = parameters.map(([, p]) => p)
  const learn = (x: Tensor, y: T): Measured => {
    const measured = measure(net.forward(x), y, loss, metrics)
    const total = l1 > 0 ? measured.loss.add(l1Penalty(weights).mul(l1)) : measured.loss
    const share = accumulate > 1 ? total.div(accumulate) : total
    share.backward()
    return { loss: measured.loss.detach(), metrics: measured.metrics }
  }
  const move = (): void => {
    if (clipValue !== undefined) clipGradValue_(parameters, clipValue)
    if (clipNorm !== undefined) clipGradNorm_(parameters, clipNorm)
    optimizer.step()
  }
  const made = <A extends readonly unknown[], R>(fn: (...args: A) => R) =>
    options.compile === false ? fn : compile(fn)
  if (accumulate === 1) {
    const whole = made((x: Tensor, y: T) => {
      optimizer.zeroGrad()
      const measured = learn(x, y)
      move()
      return measured
    })
    return Object.assign((x: Tensor, y: T) => whole(x, y), { flush() {} })
  }
  // Gradients stay in `.grad` from one batch to the next: the first of a group begins with zeros.
  const add = made(learn)
  const update = made(() => move())
  const group = (x: Tensor, y: T, first: boolean, last: boolean): Measured => {
    if (first) noGrad(() => optimizer.zeroGrad())
    const measured = add(x, y)
    if (last) update()
    return measured
  }
  return Object.assign(group, { flush: update })
}
