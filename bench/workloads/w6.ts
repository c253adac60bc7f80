/** W6: a decoder transformer, written from operations: pre-norm, learned positions, GELU. */
import {
  compile,
  crossEntropy,
  gelu,
  nn,
  ones,
  optim,
  randn,
  scaledDotProductAttention,
  type Tensor,
  tensor,
  zeros,
} from 'descent'
import { classes, type Step, type Workload } from '../workload.ts'

const [layers, width, heads, hidden, length, vocabulary, batch] = [4, 128, 4, 512, 64, 96, 16]
const tokens = batch * length

export const w6: Workload = {
  name: 'W6',
  about: 'decoder transformer, 4 layers, width 128, 4 heads, sequence 64, batch 16, AdamW: one step',
  flops:
    3 *
    (layers * 2 * tokens * (4 * width * width + 2 * width * hidden + 2 * length * width) +
      2 * tokens * width * vocabulary),
  bytes: 0,
}

class LayerNorm extends nn.Module {
  readonly weight = nn.parameter(ones([width]))
  readonly bias = nn.parameter(zeros([width]))

  override forward(x: Tensor): Tensor {
    const centred = x.sub(x.mean(-1, true))
    const scale = centred.mul(centred).mean(-1, true).add(1e-5).rsqrt()
    return centred.mul(scale).mul(this.weight).add(this.bias)
  }
}

class Block extends nn.Module {
  readonly norm1 = new LayerNorm()
  readonly projection = new nn.Linear(width, 3 * width)
  readonly out = new nn.Linear(width, width)
  readonly norm2 = new LayerNorm()
  readonly up = new nn.Linear(width, hidden)
  readonly down = new nn.Linear(hidden, width)

  /** [N, T, width] → [N, T, width] */
  override forward(x: Tensor): Tensor {
    const split = this.projection
      .forward(this.norm1.forward(x))
      .reshape([batch, length, 3, heads, width / heads])
      .permute(2, 0, 3, 1, 4)
    const [q, k, v] = [0, 1, 2].map((i) => split.slice(i)) as [Tensor, Tensor, Tensor]
    const attended = scaledDotProductAttention(q, k, v, { causal: true })
      .permute(0, 2, 1, 3)
      .reshape([batch, length, width])
    const mixed = x.add(this.out.forward(attended))
    return mixed.add(this.down.forward(gelu(this.up.forward(this.norm2.forward(mixed)))))
  }
}

class Decoder extends nn.Module {
  readonly tokens = nn.parameter(randn([vocabulary, width]).mul(0.02))
  readonly positions = nn.parameter(randn([length, width]).mul(0.02))
  readonly blocks = Array.from({ length: layers }, () => new Block())
  readonly norm = new LayerNorm()
  readonly head = new nn.Linear(width, vocabulary, { bias: false })

  /** i32 [N·T] → logits [N·T, vocabulary] */
  override forward(ids: Tensor): Tensor {
    let x = this.tokens.indexSelect(0, ids).reshape([batch, length, width]).add(this.positions)
    for (const block of this.blocks) x = block.forward(x)
    return this.head.forward(this.norm.forward(x)).reshape([tokens, vocabulary])
  }
}

export function prepare(): Step {
  const net = new Decoder()
  const optimizer = new optim.AdamW(net.parameters(), { lr: 3e-4 })
  const text = classes(tokens + 1, vocabulary)
  const [x, y] = [tensor(text.slice(0, tokens)), tensor(text.slice(1))]
  const step = compile(() => {
    optimizer.zeroGrad()
    const loss = crossEntropy(net.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss
  })
  return () => step().item()
}
