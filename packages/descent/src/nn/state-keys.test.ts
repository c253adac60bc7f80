/** The names and shapes of parameters are PyTorch's: what stands here was printed by torch 2.15. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as nn from './index.ts'
import type { AnyModule } from './module.ts'

const attention = (prefix: string) => ({
  [`${prefix}in_proj_weight`]: [12, 4],
  [`${prefix}in_proj_bias`]: [12],
  [`${prefix}out_proj.weight`]: [4, 4],
  [`${prefix}out_proj.bias`]: [4],
})
const between = {
  'linear1.weight': [3, 4],
  'linear1.bias': [3],
  'linear2.weight': [4, 3],
  'linear2.bias': [4],
  'norm1.weight': [4],
  'norm1.bias': [4],
  'norm2.weight': [4],
  'norm2.bias': [4],
}
const withoutBias = (prefix: string) => ({
  [`${prefix}self_attn.in_proj_weight`]: [12, 4],
  [`${prefix}self_attn.out_proj.weight`]: [4, 4],
  [`${prefix}linear1.weight`]: [3, 4],
  [`${prefix}linear2.weight`]: [4, 3],
  [`${prefix}norm1.weight`]: [4],
  [`${prefix}norm2.weight`]: [4],
})
const small = { dimFeedforward: 3 }

const wanted: readonly (readonly [AnyModule, Readonly<Record<string, readonly number[]>>])[] = [
  [new nn.Conv1d(2, 4, 3), { weight: [4, 2, 3], bias: [4] }],
  [new nn.Conv2d(4, 6, [2, 3], { groups: 2, bias: false }), { weight: [6, 2, 2, 3] }],
  [new nn.Conv3d(2, 3, 2), { weight: [3, 2, 2, 2, 2], bias: [3] }],
  [new nn.ConvTranspose1d(2, 4, 3), { weight: [2, 4, 3], bias: [4] }],
  [new nn.ConvTranspose2d(4, 6, [2, 3], { groups: 2 }), { weight: [4, 3, 2, 3], bias: [6] }],
  [new nn.ConvTranspose3d(2, 3, 2, { bias: false }), { weight: [2, 3, 2, 2, 2] }],
  [new nn.LayerNorm([2, 3]), { weight: [2, 3], bias: [2, 3] }],
  [new nn.LayerNorm(3, { bias: false }), { weight: [3] }],
  [new nn.LayerNorm(3, { elementwiseAffine: false }), {}],
  [new nn.RMSNorm(3), { weight: [3] }],
  [new nn.GroupNorm(2, 4), { weight: [4], bias: [4] }],
  [new nn.InstanceNorm2d(3, { affine: true }), { weight: [3], bias: [3] }],
  [new nn.InstanceNorm1d(3), {}],
  [new nn.InstanceNorm3d(3, { trackRunningStats: true }), { running_mean: [3], running_var: [3] }],
  [new nn.Embedding(5, 3), { weight: [5, 3] }],
  [new nn.Bilinear(2, 3, 4), { weight: [4, 2, 3], bias: [4] }],
  [new nn.GRUCell(2, 3), { weight_ih: [9, 2], weight_hh: [9, 3], bias_ih: [9], bias_hh: [9] }],
  [
    new nn.LSTM(2, 3, { numLayers: 2, bidirectional: true, bias: false }),
    {
      weight_ih_l0: [12, 2],
      weight_hh_l0: [12, 3],
      weight_ih_l0_reverse: [12, 2],
      weight_hh_l0_reverse: [12, 3],
      weight_ih_l1: [12, 6],
      weight_hh_l1: [12, 3],
      weight_ih_l1_reverse: [12, 6],
      weight_hh_l1_reverse: [12, 3],
    },
  ],
  [new nn.MultiheadAttention(4, 2, { dropout: 0.5 }), attention('')],
  [new nn.MultiheadAttention(4, 2, { bias: false }), { in_proj_weight: [12, 4], 'out_proj.weight': [4, 4] }],
  [
    new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 2 }),
    {
      q_proj_weight: [4, 4],
      k_proj_weight: [4, 3],
      v_proj_weight: [4, 2],
      in_proj_bias: [12],
      'out_proj.weight': [4, 4],
      'out_proj.bias': [4],
    },
  ],
  [new nn.TransformerEncoderLayer(4, 2, small), { ...attention('self_attn.'), ...between }],
  [
    new nn.TransformerDecoderLayer(4, 2, small),
    {
      ...attention('self_attn.'),
      ...attention('multihead_attn.'),
      ...between,
      'norm3.weight': [4],
      'norm3.bias': [4],
    },
  ],
  [
    new nn.TransformerEncoder(
      [1, 2].map(() => new nn.TransformerEncoderLayer(4, 2, { ...small, bias: false })),
      new nn.LayerNorm(4),
    ),
    { ...withoutBias('layers.0.'), ...withoutBias('layers.1.'), 'norm.weight': [4], 'norm.bias': [4] },
  ],
]

for (const [net, shapes] of wanted) {
  test(`${net.constructor.name} has the parameters ${Object.keys(shapes).slice(0, 4).join(', ')} …`, () => {
    const found = Object.fromEntries(Object.entries(net.stateDict()).map(([key, value]) => [key, [...value.shape]]))
    assert.deepEqual(found, shapes)
  })
}

test('first values lie where those of PyTorch lie', () => {
  const most = (x: { abs(): { max(): { item(): number } } } | null) => x?.abs().max().item() ?? 0
  const within = (value: number, bound: number) =>
    assert.ok(value <= bound && value > 0.9 * bound, `${value}, ${bound}`)
  within(most(new nn.Conv1d(8, 32, 5, { groups: 2 }).weight), 1 / Math.sqrt(20))
  within(most(new nn.ConvTranspose2d(16, 8, 3).weight), 1 / Math.sqrt(8 * 9))
  within(most(new nn.Bilinear(9, 20, 30).weight), 1 / 3)
  within(most(new nn.MultiheadAttention(32, 4).inProjWeight), Math.sqrt(6 / (96 + 32)))
  assert.equal(most(new nn.MultiheadAttention(8, 2).inProjBias), 0)
  assert.equal(most(new nn.MultiheadAttention(8, 2).outProj.bias), 0)
  const words = new nn.Embedding(50, 40, { paddingIdx: -2 }).weight
  assert.ok(Math.abs(words.std().item() - 1) < 0.1)
  assert.equal(words.slice(48).abs().sum().item(), 0)
})
