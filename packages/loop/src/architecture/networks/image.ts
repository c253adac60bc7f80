/** Networks for images, f32 [N, C, H, W] → [N, outputs]. Images may be as small as 4 pixels a side. */
import { nn, type Tensor } from 'descent'

/**
 * A residual block (He et al., "Identity mappings in deep residual networks", 2016, in the order of 2015): two 3 × 3
 * convolutions with batch norm, added to the input; where height, width or channels change, a 1 × 1 convolution brings the
 * input to the same shape.
 */
export class ResidualBlock extends nn.Module {
  readonly conv1: nn.Conv2d
  readonly norm1: nn.BatchNorm2d
  readonly conv2: nn.Conv2d
  readonly norm2: nn.BatchNorm2d
  readonly shortcut: nn.Module | null
  readonly relu = new nn.ReLU()

  constructor(inputs: number, outputs: number, stride: number) {
    super()
    this.record(ResidualBlock, [inputs, outputs, stride])
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false })
    this.norm1 = new nn.BatchNorm2d(outputs)
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias: false })
    this.norm2 = new nn.BatchNorm2d(outputs)
    this.shortcut =
      stride === 1 && inputs === outputs
        ? null
        : new nn.Sequential(new nn.Conv2d(inputs, outputs, 1, { stride, bias: false }), new nn.BatchNorm2d(outputs))
  }

  override forward(x: Tensor): Tensor {
    const inner = this.relu.forward(this.norm1.forward(this.conv1.forward(x)))
    const changed = this.norm2.forward(this.conv2.forward(inner))
    return this.relu.forward(changed.add(this.shortcut ? this.shortcut.forward(x) : x))
  }
}

export interface ResidualOptions {
  readonly channels: readonly number[]
  readonly blocks: number
  readonly dropout: number
}

/**
 * A small residual network: a 3 × 3 convolution, halved where the image has 16 pixels a side or more, stages of residual
 * blocks, the mean over the image, a linear layer.
 */
export function residualNetwork(
  [channels, height, width]: readonly [number, number, number],
  outputs: number,
  options: ResidualOptions,
): nn.Sequential {
  const first = options.channels[0] as number
  const layers: nn.Module[] = [
    new nn.Conv2d(channels, first, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(first),
    new nn.ReLU(),
  ]
  let side = Math.min(height, width)
  if (side >= 16) {
    layers.push(new nn.MaxPool2d(2))
    side = Math.floor(side / 2)
  }
  let before = first
  for (const [stage, after] of options.channels.entries()) {
    for (let block = 0; block < options.blocks; block++) {
      const halves = stage > 0 && block === 0 && side >= 4
      if (halves) side = Math.ceil(side / 2)
      layers.push(new ResidualBlock(before, after, halves ? 2 : 1))
      before = after
    }
  }
  layers.push(new nn.AdaptiveAvgPool2d(1), new nn.Flatten())
  if (options.dropout > 0) layers.push(new nn.Dropout(options.dropout))
  layers.push(new nn.Linear(before, outputs))
  return new nn.Sequential(...layers)
}

export interface ConvolutionOptions {
  readonly channels: readonly number[]
  readonly hidden: number
  readonly dropout: number
}

/** Convolutions 3 × 3 with batch norm, each with a max pool, then a hidden layer. */
export function convolutionNetwork(
  [channels, height, width]: readonly [number, number, number],
  outputs: number,
  options: ConvolutionOptions,
): nn.Sequential {
  const layers: nn.Module[] = []
  let [before, tall, wide] = [channels, height, width]
  for (const after of options.channels) {
    layers.push(new nn.Conv2d(before, after, 3, { padding: 1, bias: false }), new nn.BatchNorm2d(after))
    if (Math.min(tall, wide) >= 2) {
      layers.push(new nn.MaxPool2d(2))
      ;[tall, wide] = [Math.floor(tall / 2), Math.floor(wide / 2)]
    }
    layers.push(new nn.ReLU())
    before = after
  }
  layers.push(new nn.Flatten(), new nn.Linear(before * tall * wide, options.hidden), new nn.ReLU())
  if (options.dropout > 0) layers.push(new nn.Dropout(options.dropout))
  layers.push(new nn.Linear(options.hidden, outputs))
  return new nn.Sequential(...layers)
}
