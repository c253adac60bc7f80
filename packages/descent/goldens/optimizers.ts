/** The optimizers of `optimizers.json`: one parameter, a given gradient at each step, the parameter after it. */
import { compile, optim, type Tensor } from '../src/index.ts'
import { Args, type OptimizerCase, tensorOf } from './cases.ts'
import { compareTensor, type Verdict } from './compare.ts'
import { type Mode, missing } from './operation.ts'

export type OptimizerOf = (parameters: Tensor[], args: Args) => optim.Optimizer

export const optimizers: Readonly<Record<string, OptimizerOf>> = {
  sgd: (parameters, args) =>
    new optim.SGD(parameters, {
      lr: args.number('lr'),
      momentum: args.number('momentum', 0),
      dampening: args.number('dampening', 0),
      weightDecay: args.number('weight_decay', 0),
      nesterov: args.flag('nesterov'),
    }),
  adam: (parameters, args) => new optim.Adam(parameters, adamOptions(args, 0)),
  adamw: (parameters, args) => new optim.AdamW(parameters, adamOptions(args, 0.01)),
}

function adamOptions(args: Args, decay: number): optim.AdamOptions {
  const [beta1, beta2] = args.has('betas') ? (args.numbers('betas') as [number, number]) : [0.9, 0.999]
  return {
    lr: args.number('lr'),
    betas: [beta1, beta2],
    weightDecay: args.number('weight_decay', decay),
    amsgrad: args.flag('amsgrad'),
  }
}

export function runOptimizer(c: OptimizerCase, mode: Mode): Verdict[] {
  const make = optimizers[c.op]
  if (!make || !c.parameter || !c.steps) return [missing]
  const parameter = tensorOf(c.parameter).requiresGrad_()
  const optimizer = make([parameter], new Args(c.args))
  const update = (gradient: Tensor): void => {
    parameter.grad = gradient
    optimizer.step()
  }
  const step = mode === 'compiled' ? compile(update) : update
  return c.steps.map(({ gradient, parameter: want }, i) => {
    step(tensorOf(gradient))
    return compareTensor(`parameter after step ${i + 1}`, parameter, want)
  })
}
