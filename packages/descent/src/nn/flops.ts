/** How many floating-point operations one call of a module takes by itself, without the modules inside of it. */
import type { Tensor } from '../tensor.ts'
import { Bilinear } from './bilinear.ts'
import { Identity, Unflatten } from './containers.ts'
import { Conv } from './conv.ts'
import { ConvTranspose } from './conv-transpose.ts'
import { AlphaDropout, Dropout } from './dropout.ts'
import { Embedding } from './embedding.ts'
import { Flatten } from './flatten.ts'
import { Linear } from './linear.ts'
import type { AnyModule } from './module.ts'
import { Pad } from './padding.ts'
import { PixelShuffle, PixelUnshuffle } from './pixel-shuffle.ts'
import { Cell } from './recurrent/cells.ts'
import { Recurrent } from './recurrent/layer.ts'
import { MultiheadAttention } from './transformer/multihead-attention.ts'

/** They move values, or in use pass them on. */
const movers = [Flatten, Unflatten, Identity, Dropout, AlphaDropout, Embedding, Pad, PixelShuffle, PixelUnshuffle]

/** See `summary` for the rule. */
export function flopsOf(module: AnyModule, inputs: readonly unknown[], outputs: readonly Tensor[]): number {
  const [x, key] = inputs as Tensor[]
  const size = outputs.reduce((sum, y) => sum + y.size, 0)
  if (!x) return 0
  if (module instanceof Conv)
    return (2 * module.weight.size * size) / (outputs[0]?.shape.at(1 - module.weight.ndim) as number)
  if (module instanceof ConvTranspose) return (2 * module.weight.size * x.size) / (module.weight.shape[0] as number)
  if (module instanceof Linear || module instanceof Recurrent || module instanceof Cell) {
    // Every weight of a matrix counts once for each row, or each step of each sequence.
    const rows = x.size / (x.shape.at(-1) as number)
    return 2 * rows * weights(module)
  }
  if (module instanceof Bilinear)
    return (2 * x.size * module.weight.size) / (x.shape.at(-1) as number) + 2 * pairs(module, x)
  if (module instanceof MultiheadAttention) return attention(module, x, key as Tensor)
  if (module.children().length > 0 || movers.some((kind) => module instanceof kind)) return 0
  return size
}

function weights(module: AnyModule): number {
  return module.parameters().reduce((sum, weight) => sum + (weight.ndim === 2 ? weight.size : 0), 0)
}

/** Multiply-adds with the second input. */
function pairs({ weight }: Bilinear, x: Tensor): number {
  const [outputs, first, second] = weight.shape as [number, number, number]
  return (x.size / first) * outputs * second
}

/** Projections of queries, keys and values, and for each pair of places the score and the share of the value. */
function attention(module: MultiheadAttention, query: Tensor, key: Tensor): number {
  const { batchFirst, inProjWeight, qProjWeight, kProjWeight, vProjWeight } = module
  const width = query.shape.at(-1) as number
  const count = query.ndim === 2 ? 1 : (query.shape[batchFirst ? 0 : 1] as number)
  const [queries, keys] = [query.size / width, key.size / (key.shape.at(-1) as number)]
  const own = (weight: Tensor | null) => weight?.size ?? (inProjWeight as Tensor).size / 3
  const projections = queries * own(qProjWeight) + keys * (own(kProjWeight) + own(vProjWeight))
  return 2 * projections + (4 * queries * keys * width) / count
}
