/** The layers of `layers.json`: built as a user builds them, given PyTorch's state, run forwards and backwards. */
import { nn, type Tensor } from '../src/index.ts'
import { Args, type OperationCase, tensorsOf } from './cases.ts'
import { compareTensor, type Verdict } from './compare.ts'
import { compareResults, differentiate, type Inputs, type Mode, missing } from './operation.ts'

/** A layer, and how its inputs are handed to it; what it gives may be several tensors. */
interface Built {
  readonly layer: nn.AnyModule
  readonly forward: (inputs: Inputs) => Tensor | readonly Tensor[]
}

function one(layer: nn.Module): Built {
  return { layer, forward: (inputs) => layer.forward(inputs.x as Tensor) }
}

const layers: Readonly<Record<string, (args: Args) => Built>> = {
  linear: (args) => one(new nn.Linear(args.number('in'), args.number('out'), { bias: args.flag('bias', true) })),
  bilinear: (args) => {
    const layer = new nn.Bilinear(args.number('in1'), args.number('in2'), args.number('out'))
    return { layer, forward: ({ x1, x2 }) => layer.forward(x1 as Tensor, x2 as Tensor) }
  },
  conv1d: (args) => one(new nn.Conv1d(...convArguments(args))),
  conv2d: (args) => one(new nn.Conv2d(...convArguments(args))),
  conv3d: (args) => one(new nn.Conv3d(...convArguments(args))),
  conv_transpose1d: (args) => one(new nn.ConvTranspose1d(...transposeArguments(args))),
  conv_transpose2d: (args) => one(new nn.ConvTranspose2d(...transposeArguments(args))),
  max_pool1d: (args) => one(new nn.MaxPool1d(args.sizes('kernel_size'), poolOptions(args))),
  max_pool2d: (args) => one(new nn.MaxPool2d(args.sizes('kernel_size'), poolOptions(args))),
  avg_pool2d: (args) =>
    one(
      new nn.AvgPool2d(args.sizes('kernel_size'), {
        ...poolOptions(args),
        countIncludePad: args.flag('count_include_pad', true),
      }),
    ),
  adaptive_avg_pool2d: (args) => one(new nn.AdaptiveAvgPool2d(args.sizes('output_size'))),
  batch_norm1d: (args) => one(new nn.BatchNorm1d(args.number('features'), batchNormOptions(args))),
  batch_norm2d: (args) => one(new nn.BatchNorm2d(args.number('features'), batchNormOptions(args))),
  layer_norm: (args) => one(new nn.LayerNorm(args.numbers('shape'), { eps: args.number('eps') })),
  group_norm: (args) =>
    one(new nn.GroupNorm(args.number('groups'), args.number('channels'), { eps: args.number('eps') })),
  instance_norm2d: (args) => one(new nn.InstanceNorm2d(args.number('features'), { affine: args.flag('affine') })),
  embedding: (args) =>
    one(
      new nn.Embedding(
        args.number('count'),
        args.number('dim'),
        args.has('padding_idx') ? { paddingIdx: args.number('padding_idx') } : {},
      ),
    ),
  multihead_attention: (args) => {
    const layer = new nn.MultiheadAttention(args.number('embed'), args.number('heads'), {
      batchFirst: args.flag('batch_first'),
    })
    const isCausal = args.flag('causal')
    return {
      layer,
      forward: ({ x, q = x, kv = x }) => {
        const attended = layer.forward(q as Tensor, kv as Tensor, kv as Tensor, { isCausal })
        // The cases give the weights where nothing is masked and all comes from one sequence.
        return x && !isCausal ? (attended as [Tensor, Tensor]) : attended[0]
      },
    }
  },
  transformer_encoder_layer: (args) =>
    one(
      new nn.TransformerEncoderLayer(args.number('embed'), args.number('heads'), {
        dimFeedforward: args.number('feedforward'),
        dropout: args.number('dropout'),
        activation: args.text('activation') as 'relu' | 'gelu',
        normFirst: args.flag('norm_first'),
        batchFirst: args.flag('batch_first'),
      }) as unknown as nn.Module,
    ),
  rnn: (args) => {
    const options = { ...recurrentOptions(args), nonlinearity: args.text('nonlinearity') as 'tanh' | 'relu' }
    const layer = new nn.RNN(args.number('in'), args.number('hidden'), options)
    return { layer, forward: ({ x }) => layer.forward(x as Tensor) }
  },
  gru: (args) => {
    const layer = new nn.GRU(args.number('in'), args.number('hidden'), recurrentOptions(args))
    return { layer, forward: ({ x }) => layer.forward(x as Tensor) }
  },
  lstm: (args) => {
    const layer = new nn.LSTM(args.number('in'), args.number('hidden'), recurrentOptions(args))
    return { layer, forward: ({ x }) => layer.forward(x as Tensor).flat() }
  },
  upsample: (args) =>
    one(
      new nn.Upsample({
        scaleFactor: args.number('scale'),
        mode: args.text('mode') as nn.InterpolateMode,
        alignCorners: args.flag('align_corners'),
      }),
    ),
  pixel_shuffle: (args) => one(new nn.PixelShuffle(args.number('factor'))),
}

function recurrentOptions(args: Args): nn.RecurrentOptions {
  return {
    numLayers: args.number('layers', 1),
    bidirectional: args.flag('bidirectional'),
    batchFirst: args.flag('batch_first'),
  }
}

function convArguments(args: Args): [number, number, nn.Sizes, nn.ConvOptions] {
  const options = {
    stride: args.sizes('stride', 1),
    padding: args.sizes('padding', 0),
    dilation: args.sizes('dilation', 1),
    groups: args.number('groups', 1),
    bias: args.flag('bias', true),
  }
  return [args.number('in'), args.number('out'), args.sizes('kernel_size'), options]
}

function transposeArguments(args: Args): [number, number, nn.Sizes, nn.ConvTransposeOptions] {
  const [inputs, outputs, kernel, options] = convArguments(args)
  const { stride, dilation, groups, bias } = options as Required<nn.ConvOptions>
  const own = { padding: args.sizes('padding', 0), outputPadding: args.sizes('output_padding', 0) }
  return [inputs, outputs, kernel, { stride, dilation, groups, bias, ...own }]
}

function poolOptions(args: Args): nn.MaxPoolOptions {
  return {
    ...(args.has('stride') ? { stride: args.sizes('stride') } : {}),
    padding: args.sizes('padding', 0),
    ceilMode: args.flag('ceil_mode'),
  }
}

function batchNormOptions(args: Args): { eps: number; momentum: number } {
  return { eps: args.number('eps', 1e-5), momentum: args.number('momentum', 0.1) }
}

export function runLayer(c: OperationCase, mode: Mode): Verdict[] {
  const build = layers[c.op]
  if (!build) return [missing]
  const args = new Args(c.args)
  const { layer, forward } = build(args)
  layer.train(args.flag('training', true))
  loadState(layer, tensorsOf(c.state ?? {}))
  const parameters = Object.fromEntries(layer.namedParameters())
  const results = differentiate(c, forward, parameters, mode)
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
