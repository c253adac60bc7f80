import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tensor, zeros } from '../../create.ts'
import { manualSeed, randn } from '../../random.ts'
import type { Tensor } from '../../tensor.ts'
import { LayerNorm } from '../layer-norm.ts'
import { TransformerDecoder, TransformerDecoderLayer } from './decoder.ts'
import { TransformerEncoder, TransformerEncoderLayer } from './encoder.ts'
import { causalMask } from './masks.ts'
import { MultiheadAttention } from './multihead-attention.ts'
import { PositionalEncoding, rotary } from './positions.ts'

function close(got: Tensor, want: Tensor, tolerance = 1e-5): void {
  assert.deepEqual(got.shape, want.shape)
  const off = got.sub(want).abs().max().item()
  assert.ok(off < tolerance, `off by ${off}`)
}

const small = { dimFeedforward: 6, dropout: 0 }

test('isCausal is the causal mask, as bool or as numbers to add, and later places change nothing', () => {
  manualSeed(1)
  const attention = new MultiheadAttention(6, 3)
  const x = randn([4, 2, 6])
  const want = attention.forward(x, x, x, { isCausal: true })
  for (const attnMask of [causalMask(4), causalMask(4).lt(0), causalMask(4).expand([6, 4, 4])]) {
    const got = attention.forward(x, x, x, { attnMask })
    close(got[0], want[0])
    close(got[1] as Tensor, want[1] as Tensor)
  }
  assert.equal((want[1] as Tensor).triu(1).abs().sum().item(), 0)
  const changed = x.add(tensor([0, 0, 0, 1]).reshape(4, 1, 1))
  const after = attention.forward(changed, changed, changed, { isCausal: true })[0]
  close(after.slice([0, 3]), want[0].slice([0, 3]), 1e-6)
})

test('hidden keys and values change nothing, and weights sum to 1', () => {
  manualSeed(2)
  const attention = new MultiheadAttention(4, 2, { batchFirst: true })
  const [query, memory] = [randn([2, 3, 4]), randn([2, 5, 4])]
  const keyPaddingMask = tensor([
    [0, 0, 0, 1, 1],
    [0, 0, 0, 0, 0],
  ]).bool()
  const [y, weights] = attention.forward(query, memory, memory, { keyPaddingMask })
  const other = memory.add(keyPaddingMask.float().unsqueeze(2).mul(9))
  close(attention.forward(query, other, other, { keyPaddingMask })[0], y, 1e-6)
  close((weights as Tensor).sum(-1), zeros([2, 3]).add(1))
  assert.equal((weights as Tensor).slice(0, null, [3, 5]).abs().sum().item(), 0)
  const short = memory.slice([0, 1], [0, 3])
  close(attention.forward(query.slice([0, 1]), short, short)[0], y.slice([0, 1]))
})

test('weights come as the mean over the heads, for each head, or not at all', () => {
  manualSeed(3)
  const attention = new MultiheadAttention(4, 2)
  const x = randn([3, 2, 4])
  const [y, mean] = attention.forward(x, x, x)
  const [, each] = attention.forward(x, x, x, { averageAttnWeights: false })
  assert.deepEqual(each?.shape, [2, 2, 3, 3])
  close((each as Tensor).mean(1), mean as Tensor)
  const [same, none] = attention.forward(x, x, x, { needWeights: false })
  assert.equal(none, null)
  close(same, y, 1e-6)
})

test('batchFirst only changes the order of dimensions, and one sequence needs no batch', () => {
  manualSeed(4)
  const [first, last] = [new MultiheadAttention(4, 2, { batchFirst: true }), new MultiheadAttention(4, 2)]
  last.loadStateDict(first.stateDict())
  const [query, memory] = [randn([2, 3, 4]), randn([2, 5, 4])]
  const want = first.forward(query, memory, memory)
  const turned = memory.transpose(0, 1)
  close(last.forward(query.transpose(0, 1), turned, turned)[0].transpose(0, 1), want[0])
  const keyPaddingMask = tensor([0, 1, 0, 0, 1]).bool()
  for (const attention of [first, last]) {
    const [one, few] = [query.slice(0), memory.slice(0)]
    const [y, weights] = attention.forward(one, few, few, { keyPaddingMask })
    const lone = memory.slice([0, 1])
    const hidden = { keyPaddingMask: keyPaddingMask.unsqueeze(0) }
    const batched = first.forward(query.slice([0, 1]), lone, lone, hidden)
    close(y, batched[0].slice(0))
    close(weights as Tensor, (batched[1] as Tensor).slice(0))
  }
})

test('one projection of the three inputs is three projections of one', () => {
  manualSeed(5)
  const attention = new MultiheadAttention(4, 2)
  const x = randn([3, 2, 4])
  close(attention.forward(x, x, x)[0], attention.forward(x, x.clone(), x)[0], 1e-6)
})

test('an encoder is its layers and its norm, and passes its masks on to each', () => {
  manualSeed(6)
  const layers = [1, 2].map(() => new TransformerEncoderLayer(4, 2, { ...small, normFirst: true }))
  const norm = new LayerNorm(4)
  const x = randn([3, 2, 4])
  const masks = { isCausal: true, srcKeyPaddingMask: zeros([2, 3]).bool() }
  const byHand = layers.reduce((y, layer) => layer.forward(y, masks), x)
  close(new TransformerEncoder(layers, norm).forward(x, masks), norm.forward(byHand))
  close(new TransformerEncoder(layers).forward(x, { mask: causalMask(3) }), byHand)
})

test("a decoder's places see none later, all of the memory, and what its masks leave", () => {
  manualSeed(7)
  const decoder = new TransformerDecoder([1, 2].map(() => new TransformerDecoderLayer(4, 2, small)))
  const [x, memory] = [randn([3, 1, 4]), randn([4, 1, 4])]
  const y = decoder.forward(x, memory, { tgtIsCausal: true })
  close(decoder.forward(x, memory, { tgtMask: causalMask(3) }), y)
  const later = x.add(tensor([0, 0, 1]).reshape(3, 1, 1))
  close(decoder.forward(later, memory, { tgtIsCausal: true }).slice([0, 2]), y.slice([0, 2]), 1e-6)
  const last = tensor([0, 0, 0, 1])
  const other = memory.add(last.reshape(4, 1, 1))
  assert.ok(decoder.forward(x, other, { tgtIsCausal: true }).sub(y).abs().max().item() > 1e-4)
  const hide = { memoryKeyPaddingMask: last.reshape(1, 4).bool() }
  close(decoder.forward(x, other, hide), decoder.forward(x, memory, hide), 1e-6)
  const memoryMask = last.bool().expand([3, 4])
  close(decoder.forward(x, other, { memoryMask }), decoder.forward(x, memory, hide), 1e-6)
})

test('a position is told from another: sines and cosines, and rotations that only know distances', () => {
  const places = new PositionalEncoding(4, { dropout: 0, maxLength: 8 }).forward(zeros([1, 8, 4])).slice(0)
  const want = (t: number) => [Math.sin(t), Math.cos(t), Math.sin(t / 100), Math.cos(t / 100)]
  close(places, tensor(Array.from({ length: 8 }, (_, t) => want(t))), 1e-6)
  manualSeed(8)
  const [q, k] = [randn([1, 8]), randn([1, 8])]
  const product = (at: number, to: number) =>
    rotary(q, { offset: at })
      .mul(rotary(k, { offset: to }))
      .sum()
  close(product(5, 2), product(13, 10), 1e-4)
  close(rotary(q, { offset: 9 }).norm(), q.norm())
  const long = randn([6, 8])
  close(rotary(long, { base: 50 }).slice([2, 6]), rotary(long.slice([2, 6]), { base: 50, offset: 2 }), 1e-6)
})
