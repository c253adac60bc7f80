/** The optimizers of `optimizers.json`: one parameter, a given gradient at each step, the parameter after it. */
import { compile, optim, type Tensor } from '../src/index.ts'
import { Args, type OptimizerCase, tensorOf } from './cases.ts'
import { compareNumbers, compareTensor, usual, type Verdict } from './compare.ts'
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
  rmsprop: (parameters, args) =>
    new optim.RMSprop(parameters, {
      lr: args.number('lr'),
      alpha: args.number('alpha', 0.99),
      momentum: args.number('momentum', 0),
      centered: args.flag('centered'),
      weightDecay: args.number('weight_decay', 0),
    }),
  adagrad: (parameters, args) =>
    new optim.Adagrad(parameters, { lr: args.number('lr'), lrDecay: args.number('lr_decay', 0) }),
  adadelta: (parameters, args) => new optim.Adadelta(parameters, { lr: args.number('lr') }),
  adamax: (parameters, args) => new optim.Adamax(parameters, { lr: args.number('lr') }),
  nadam: (parameters, args) => new optim.NAdam(parameters, { lr: args.number('lr') }),
  radam: (parameters, args) => new optim.RAdam(parameters, { lr: args.number('lr') }),
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

type Clip = (parameters: Tensor[], args: Args) => Tensor | null

const clips: Readonly<Record<string, Clip>> = {
  clip_grad_norm: (parameters, args) => optim.clipGradNorm_(parameters, args.number('max_norm')),
  clip_grad_value: (parameters, args) => {
    optim.clipGradValue_(parameters, args.number('clip_value'))
    return null
  },
}

function runClip({ args, gradients, clipped, norm }: OptimizerCase, clip: Clip, mode: Mode): Verdict[] {
  const given = gradients?.map(tensorOf) ?? []
  const parameters = given.map((g) => g.zerosLike().clone().requiresGrad_())
  const run = (...gs: Tensor[]) => {
    for (const [i, p] of parameters.entries()) p.grad = gs[i] as Tensor
    return clip(parameters, new Args(args))
  }
  const got = (mode === 'compiled' ? compile(run) : run)(...given)
  return [
    ...(clipped ?? []).map((want, i) => compareTensor(`gradient ${i}`, parameters[i]?.grad ?? null, want)),
    typeof norm === 'number' ? compareNumbers('norm', got?.data() ?? [], [norm], usual) : null,
  ]
}

export function runOptimizer(c: OptimizerCase, mode: Mode): Verdict[] {
  const clip = clips[c.op]
  if (clip && c.clipped) return runClip(c, clip, mode)
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
