/** The layers of `layers.json`: built as a user builds them, given PyTorch's state, run forwards and backwards. */
import { nn, type Tensor } from '../src/index.ts'
import { Args, type OperationCase, tensorsOf } from './cases.ts'
import { compareTensor, type Verdict } from './compare.ts'
import { compareResults, differentiate, type Mode, missing } from './operation.ts'

const layers: Readonly<Record<string, (args: Args) => nn.AnyModule>> = {
  linear: (args) => new nn.Linear(args.number('in'), args.number('out'), { bias: args.flag('bias', true) }),
  conv2d: (args) =>
    new nn.Conv2d(args.number('in'), args.number('out'), args.sizes('kernel_size'), {
      stride: args.sizes('stride', 1),
      padding: args.sizes('padding', 0),
      dilation: args.sizes('dilation', 1),
      groups: args.number('groups', 1),
      bias: args.flag('bias', true),
    }),
  max_pool2d: (args) =>
    new nn.MaxPool2d(args.sizes('kernel_size'), {
      ...(args.has('stride') ? { stride: args.sizes('stride') } : {}),
      padding: args.sizes('padding', 0),
      ceilMode: args.flag('ceil_mode'),
    }),
  rnn: (args) =>
    new nn.RNN(args.number('in'), args.number('hidden'), {
      nonlinearity: args.text('nonlinearity', 'tanh') as 'tanh' | 'relu',
      ...recurrentOptions(args),
    }),
  lstm: (args) => new nn.LSTM(args.number('in'), args.number('hidden'), recurrentOptions(args)),
  gru: (args) => new nn.GRU(args.number('in'), args.number('hidden'), recurrentOptions(args)),
  batch_norm1d: (args) => new nn.BatchNorm1d(args.number('features'), batchNormOptions(args)),
  batch_norm2d: (args) => new nn.BatchNorm2d(args.number('features'), batchNormOptions(args)),
}

function batchNormOptions(args: Args): { eps: number; momentum: number } {
  return { eps: args.number('eps', 1e-5), momentum: args.number('momentum', 0.1) }
}

function recurrentOptions(args: Args): nn.RecurrentOptions {
  return {
    numLayers: args.number('layers', 1),
    batchFirst: args.flag('batch_first'),
    bidirectional: args.flag('bidirectional'),
  }
}

/** A layer's outputs in one list: h and c of an LSTM stand in a list of their own. */
function listed(result: unknown): Tensor[] {
  return [result].flat(2) as Tensor[]
}

export function runLayer(c: OperationCase, mode: Mode): Verdict[] {
  const build = layers[c.op]
  if (!build) return [missing]
  const args = new Args(c.args)
  const layer = build(args)
  layer.train(args.flag('training', true))
  loadState(layer, tensorsOf(c.state ?? {}))
  const parameters = Object.fromEntries(layer.namedParameters())
  const results = differentiate(c, (inputs) => listed(layer.forward(inputs.x as never)), parameters, mode)
  const verdicts = compareResults(c, results)
  const after = layer.stateDict()
  for (const [name, want] of Object.entries(c.state_after ?? {})) {
    verdicts.push(compareTensor(`${name} afterwards`, after[name] ?? null, want))
  }
  return verdicts
}

/** The cases leave out the counter of batches, which no result depends on. */
export function loadState(module: nn.AnyModule, state: Record<string, Tensor>): void {
  const counters = Object.entries(module.stateDict()).filter(([name]) => name.endsWith('num_batches_tracked'))
  module.loadStateDict({ ...Object.fromEntries(counters), ...state })
}
