/** What does not fit is said: the layer, what it takes, and what it was given. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { full, tensor, zeros } from '../create.ts'
import * as F from './functional.ts'
import * as nn from './index.ts'

const refused: readonly (readonly [() => unknown, string, RegExp])[] = [
  [() => new nn.Conv1d(2, 2, 3).forward(zeros([3, 5])), 'ShapeError', /takes \[N, 2, L\] or \[2, L\], got \[3, 5\]/],
  [() => new nn.Conv3d(1, 1, 0), 'ShapeError', /Conv3d: a size is one whole number of at least 1 or \[depth, height,/],
  [() => new nn.Conv2d(1, 1, 2, { stride: 0 }), 'ShapeError', /Conv2d: a size .* not \[0\]/],
  [() => new nn.Conv2d(1, 1, [1, 2, 3]), 'ShapeError', /Conv2d: a size .* \[height, width\], not \[1,2,3\]/],
  [() => new nn.Conv2d(1, 1, 3, { padding: 'same', stride: 2 }), 'ShapeError', /padding 'same' needs stride 1/],
  [() => new nn.Conv2d(2, 2, 1, { groups: -1 }), 'ShapeError', /2 input and 2 output channels .* into -1 groups/],
  [
    () => new nn.Conv1d(1, 1, 2, { padding: 4, paddingMode: 'circular' }).forward(zeros([1, 1, 3])),
    'ShapeError',
    /circular padding of 4 is more than the 3/,
  ],
  [
    () => new nn.ConvTranspose2d(3, 2, 2).forward(zeros([1, 2, 4, 4])),
    'ShapeError',
    /takes \[N, 3, H, W\] or \[3, H, W\], got \[1, 2/,
  ],
  [() => new nn.ConvTranspose1d(3, 2, 2, { outputPadding: 1 }), 'ShapeError', /outputPadding 1 must be less than str/],
  [() => new nn.ConvTranspose1d(1, 1, 1, { padding: 2 }).forward(zeros([1, 1, 3])), 'ShapeError', /leaves nothing/],
  [() => new nn.ZeroPad2d([1, 2]), 'ShapeError', /\[1, 2\] must be one number or 4/],
  [() => F.avgPool1d(zeros([1, 1, 2]), 3), 'ShapeError', /avgPool1d: \[1, 1, 2\] is smaller than the kernel \[3\]/],
  [() => F.maxPool3d(zeros([1, 1, 2]), 1), 'ShapeError', /maxPool3d: takes \[N, C, D, H, W\] or .* got \[1, 1, 2\]/],
  [() => F.maxPool2d(zeros([1, 1, 2, 2]), 2, { padding: 2 }), 'ShapeError', /padding 2 is more than half/],
  [() => F.adaptiveAvgPool2d(zeros([1, 1, 2, 2]), 0), 'ShapeError', /adaptiveAvgPool2d: a size .* at least 1/],
  [() => F.layerNorm(zeros([2, 3]), [2]), 'ShapeError', /layerNorm: takes \[\.\.\., 2\], got \[2, 3\]/],
  [() => new nn.RMSNorm([2, 3]).forward(zeros([3])), 'ShapeError', /rmsNorm: takes \[\.\.\., 2, 3\], got \[3\]/],
  [() => new nn.GroupNorm(2, 3), 'ShapeError', /GroupNorm: 3 channels do not divide into 2 groups/],
  [
    () => new nn.GroupNorm(2, 4).forward(zeros([2, 6])),
    'ShapeError',
    /GroupNorm: takes \[N, 4, \.\.\.\], got \[2, 6\]/,
  ],
  [() => F.groupNorm(zeros([2, 3]), 2), 'ShapeError', /groupNorm: .* multiple of the 2 groups, got \[2, 3\]/],
  [() => new nn.InstanceNorm2d(3).forward(zeros([1, 2, 4, 4])), 'ShapeError', /InstanceNorm2d: takes \[N, 3, H, W\]/],
  [
    () => new nn.Embedding(4, 2).forward(zeros([3])),
    'DTypeError',
    /embedding: takes whole numbers \(i32\), got f32 \[3\]/,
  ],
  [() => new nn.Embedding(4, 2, { paddingIdx: 4 }), 'RangeError', /paddingIdx 4 is not one of the 4 rows/],
  [() => new nn.Embedding(4, 2).forward(tensor([4], { dtype: 'i32' })).data(), 'IndexError', /4/],
  [() => new nn.Bilinear(2, 3, 1).forward(zeros([4, 2]), zeros([5, 3])), 'ShapeError', /got \[4, 2\] and \[5, 3\]/],
  [() => F.pixelShuffle(zeros([1, 6, 1, 1]), 2), 'ShapeError', /6 channels do not divide by 2² = 4/],
  [() => F.pixelUnshuffle(zeros([1, 1, 3, 4]), 2), 'ShapeError', /\[1, 1, 3, 4\] does not divide into squares of 2/],
  [
    () => F.interpolate(zeros([1, 1, 2]), { size: 2, mode: 'bilinear' }),
    'ShapeError',
    /'bilinear' does not take \[1, 1/,
  ],
  [() => F.interpolate(zeros([1, 1, 2]), {}), 'RangeError', /either a size or a scaleFactor/],
  [() => F.interpolate(zeros([1, 1, 2]), { size: 2, scaleFactor: 2 }), 'RangeError', /either a size or a scaleFactor/],
  [
    () => F.interpolate(zeros([1, 1, 2]), { size: [2, 2] }),
    'ShapeError',
    /1 spatial dimensions: give one number, or 1/,
  ],
  [() => F.interpolate(zeros([1, 1, 2]), { scaleFactor: 0.1 }), 'ShapeError', /an extent of 0 is not possible/],
  [() => new nn.Unflatten(1, [2, 2]).forward(zeros([3, 5])), 'ShapeError', /\[3, 5\]/],
  [() => new nn.ModuleList([]).forward(), 'Error', /no forward/],
  [() => new nn.Dropout2d(0.5).forward(zeros([2, 3])), 'ShapeError', /takes \[N, C, H, W\], got \[2, 3\]/],
  [() => new nn.AlphaDropout(-1), 'RangeError', /p = -1 is not a probability/],
  [() => F.dropout(zeros([2]), 2), 'RangeError', /p = 2 is not a probability/],
  [() => new nn.MultiheadAttention(5, 2), 'ShapeError', /a width of 5 does not divide into 2 heads/],
  [
    () => new nn.MultiheadAttention(4, 2).forward(zeros([2, 3, 4]), zeros([5, 2, 4]), zeros([5, 2, 4])),
    'ShapeError',
    /query \[L, N, 4\], key \[S, N, 4\] and value \[S, N, 4\], got \[2,3,4\].*Did you mean \{ batchFirst: true \}/,
  ],
  [() => masked({ attnMask: zeros([5, 3]) }), 'ShapeError', /attnMask \[5, 3\] is neither \[3, 5\] nor \[4, 3, 5\]/],
  [
    () => masked({ keyPaddingMask: full([5, 2], 1).bool() }),
    'ShapeError',
    /keyPaddingMask is \[5, 2\] instead of \[2, 5\]/,
  ],
  [
    () => new nn.TransformerEncoderLayer(4, 2).forward(zeros([3, 2, 5])),
    'ShapeError',
    /MultiheadAttention: takes query/,
  ],
  [() => new nn.PositionalEncoding(3), 'RangeError', /a width of 3 is odd/],
  [
    () => new nn.PositionalEncoding(4, { maxLength: 2 }).forward(zeros([1, 3, 4])),
    'ShapeError',
    /takes \[N, L, 4\] with L up to 2, got \[1, 3, 4\]/,
  ],
  [() => F.rotary(zeros([2, 3])), 'ShapeError', /even E, got \[2, 3\]/],
]

function masked(masks: nn.AttendOptions): unknown {
  const [query, memory] = [zeros([3, 2, 4]), zeros([5, 2, 4])]
  return new nn.MultiheadAttention(4, 2).forward(query, memory, memory, masks)
}

for (const [run, name, message] of refused) {
  test(`refused: ${String(run).slice(6)}`, () => {
    assert.throws(run, { name, message })
  })
}
