/** Matrix products, einsum, and convolution. */
import { ShapeError } from '../errors.ts'
import { type ConvAttrs, conv as convOp, inputGradient } from '../ops/conv.ts'
import { matmul as matmulOp } from '../ops/matmul.ts'
import { broadcastShapes, shapeText } from '../ops/op.ts'
import type { Tensor } from '../tensor.ts'

export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.ndim === 0 || b.ndim === 0) {
    throw new ShapeError(
      `matmul: ${shapeText(a.shape)} × ${shapeText(b.shape)}: both need at least one dimension; use mul() for scalars.`,
    )
  }
  const left = a.ndim === 1 ? a.unsqueeze(0) : a
  const right = b.ndim === 1 ? b.unsqueeze(1) : b
  let product: Tensor
  if (right.ndim === 2 && left.ndim > 2) {
    // Many matrices times one are one tall matrix times that one.
    const tall = left.reshape([-1, left.shape.at(-1) as number])
    product = tall.apply(matmulOp, {}, right).reshape([...left.shape.slice(0, -1), right.shape.at(-1) as number])
  } else {
    const batch = broadcastShapes('matmul', left.shape.slice(0, -2), right.shape.slice(0, -2))
    product = left
      .expand([...batch, ...left.shape.slice(-2)])
      .apply(matmulOp, {}, right.expand([...batch, ...right.shape.slice(-2)]))
  }
  const shape = product.shape.filter(
    (_, d) => !(a.ndim === 1 && d === product.ndim - 2) && !(b.ndim === 1 && d === product.ndim - 1),
  )
  return product.reshape(shape)
}

/**
 * Convolution without padding (pad first): x [N, C, ...S] or [C, ...S], w [O, C/groups, ...K] → [N, O, ...P] or [O, ...P] with
 * P = ⌊(S − dilation·(K − 1) − 1) / stride⌋ + 1, for any number of spatial dimensions. It is the field's convolution,
 * a cross-correlation: the kernel is not turned around. Throws ShapeError where shapes do not fit.
 *
 * @example
 * ```ts
 * import { arange, conv, ones } from 'descent'
 * const y = conv(arange(16).reshape(1, 1, 4, 4), ones([1, 1, 3, 3]))
 * console.log(y.squeeze().toArray()) // → [ [ 45, 54 ], [ 81, 90 ] ]
 * ```
 */
export function conv(
  x: Tensor,
  weight: Tensor,
  options: { stride?: readonly number[]; dilation?: readonly number[]; groups?: number } = {},
): Tensor {
  const spatial = weight.shape.slice(2).map(() => 1)
  const attrs: ConvAttrs = {
    stride: options.stride ?? spatial,
    dilation: options.dilation ?? spatial,
    groups: options.groups ?? 1,
  }
  return x.ndim === weight.ndim - 1
    ? x.unsqueeze(0).apply(convOp, attrs, weight).squeeze(0)
    : x.apply(convOp, attrs, weight)
}

/**
 * The way back of a convolution: x [N, I, ...S] or [I, ...S], w [I, O/groups, ...K] → [N, O, ...P] or [O, ...P] with
 * P = (S − 1)·stride − 2·padding + dilation·(K − 1) + outputPadding + 1. Throws ShapeError where shapes do not fit.
 * Source: torch.nn.functional.conv_transpose2d.
 *
 * @example
 * ```ts
 * import { convTranspose, ones } from 'descent'
 * const y = convTranspose(ones([1, 1, 2]), ones([1, 1, 3]), { stride: [2] })
 * console.log(y.flatten().toArray()) // → [ 1, 1, 2, 1, 1 ]
 * ```
 */
export function convTranspose(
  x: Tensor,
  weight: Tensor,
  options: {
    stride?: readonly number[]
    padding?: readonly number[]
    outputPadding?: readonly number[]
    dilation?: readonly number[]
    groups?: number
  } = {},
): Tensor {
  if (x.ndim === weight.ndim - 1) return convTranspose(x.unsqueeze(0), weight, options).squeeze(0)
  const kernel = weight.shape.slice(2)
  const each = (values: readonly number[] | undefined, otherwise: number) => values ?? kernel.map(() => otherwise)
  const [stride, padding, more, dilation] = [
    each(options.stride, 1),
    each(options.padding, 0),
    each(options.outputPadding, 0),
    each(options.dilation, 1),
  ]
  const { groups = 1 } = options
  if (x.ndim !== weight.ndim || x.ndim < 3 || x.shape[1] !== weight.shape[0] || (x.shape[1] as number) % groups !== 0) {
    throw new ShapeError(
      `convTranspose: ${shapeText(x.shape)} with weight ${shapeText(weight.shape)}: needs input [N, I, ...S] and weight [I, O/groups, ...K] with as many spatial dimensions.`,
    )
  }
  const whole = kernel.map((size, i) => {
    const [step, apart, extent] = [stride[i] as number, dilation[i] as number, x.shape[2 + i] as number]
    return (extent - 1) * step + apart * (size - 1) + 1 + (more[i] as number)
  })
  const kept = whole.map((extent, i) => [padding[i] as number, extent - (padding[i] as number)] as const)
  if (kept.some(([low, high]) => high <= low)) {
    throw new ShapeError(
      `convTranspose: padding [${padding.join(', ')}] leaves nothing of a result [${whole.join(', ')}].`,
    )
  }
  const channels = (weight.shape[1] as number) * groups
  const y = inputGradient(x, weight, [x.shape[0] as number, channels, ...whole], { stride, dilation, groups })
  return padding.every((size) => size === 0) ? y : y.slice(null, null, ...kept)
}

/**
 * Sums of products over named indices (Einstein's convention): `einsum('bij,bjk->bik', a, b)`. Without `->` the
 * result has the indices that occur once, in alphabetical order. A repeated index in one operand takes the diagonal.
 *
 * @example
 * ```ts
 * import { arange, einsum } from 'descent'
 * console.log(einsum('ij->ji', arange(4).reshape(2, 2)).toArray()) // → [ [ 0, 2 ], [ 1, 3 ] ]
 * ```
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const { inputs, output } = parseEquation(equation, operands)
  let [result, names] = unique(operands[0] as Tensor, inputs[0] as string)
  for (let i = 1; i < operands.length; i++) {
    const [next, nextNames] = unique(operands[i] as Tensor, inputs[i] as string)
    const later = inputs.slice(i + 1).join('')
    const needed = (name: string): boolean => output.includes(name) || later.includes(name)
    ;[result, names] = contract(result, names, next, nextNames, needed)
  }
  const summed = [...names].map((name, d) => (output.includes(name) ? -1 : d)).filter((d) => d >= 0)
  if (summed.length > 0) result = result.sum(summed)
  const left = [...names].filter((name) => output.includes(name))
  return result.permute([...output].map((name) => left.indexOf(name)))
}

function parseEquation(equation: string, operands: readonly Tensor[]): { inputs: string[]; output: string } {
  const [left = '', right] = equation.replaceAll(' ', '').split('->')
  const inputs = left.split(',')
  if (inputs.length !== operands.length) {
    throw new ShapeError(`einsum: '${equation}' names ${inputs.length} operands, ${operands.length} were given.`)
  }
  const extents = new Map<string, number>()
  inputs.forEach((names, i) => {
    const { shape } = operands[i] as Tensor
    if (!/^[a-zA-Z]*$/.test(names) || names.length !== shape.length) {
      throw new ShapeError(
        `einsum: '${names}' in '${equation}' does not name the ${shape.length} dimensions of ${shapeText(shape)}.`,
      )
    }
    ;[...names].forEach((name, d) => {
      const extent = shape[d] as number
      if ((extents.get(name) ?? extent) !== extent)
        throw new ShapeError(`einsum: index '${name}' is both ${extents.get(name)} and ${extent} in '${equation}'.`)
      extents.set(name, extent)
    })
  })
  const all = inputs.join('')
  const output =
    right ??
    [...extents.keys()]
      .filter((name) => all.split(name).length === 2)
      .sort()
      .join('')
  const unknown = [...output].find((name) => !extents.has(name))
  if (unknown || new Set(output).size !== output.length)
    throw new ShapeError(
      `einsum: the result '${output}' of '${equation}' must name indices of the operands, each once.`,
    )
  return { inputs, output }
}

/** Takes the diagonal over an index that stands twice. */
function unique(x: Tensor, names: string): [Tensor, string] {
  for (let d = 0; d < names.length; d++) {
    const again = names.indexOf(names[d] as string, d + 1)
    if (again < 0) continue
    const rest = [...names].map((_, i) => i).filter((i) => i !== d && i !== again)
    const turned = x.permute([...rest, d, again]).diagonal()
    return unique(turned, rest.map((i) => names[i]).join('') + names[d])
  }
  return [x, names]
}

/** Two operands as one batched matrix product over the indices that nobody needs afterwards. */
function contract(
  a: Tensor,
  aNames: string,
  b: Tensor,
  bNames: string,
  needed: (name: string) => boolean,
): [Tensor, string] {
  const lonely = (x: Tensor, names: string, other: string): [Tensor, string] => {
    const axes = [...names].map((name, d) => (!other.includes(name) && !needed(name) ? d : -1)).filter((d) => d >= 0)
    return axes.length > 0 ? [x.sum(axes), [...names].filter((_, d) => !axes.includes(d)).join('')] : [x, names]
  }
  const [left, leftNames] = lonely(a, aNames, bNames)
  const [right, rightNames] = lonely(b, bNames, aNames)
  const both = [...leftNames].filter((name) => rightNames.includes(name))
  const batch = both.filter(needed)
  const inner = both.filter((name) => !needed(name))
  const rows = [...leftNames].filter((name) => !both.includes(name))
  const columns = [...rightNames].filter((name) => !both.includes(name))
  const arrange = (x: Tensor, names: string, order: readonly string[][]): Tensor => {
    const turned = x.permute(order.flat().map((name) => names.indexOf(name)))
    const shape = order
      .slice(1)
      .map((part) => part.reduce((n, name) => n * (x.shape[names.indexOf(name)] as number), 1))
    return turned.reshape([...(order[0] as string[]).map((name) => x.shape[names.indexOf(name)] as number), ...shape])
  }
  const product = arrange(left, leftNames, [batch, rows, inner]).matmul(
    arrange(right, rightNames, [batch, inner, columns]),
  )
  const extent = (name: string): number =>
    (leftNames.includes(name) ? left.shape[leftNames.indexOf(name)] : right.shape[rightNames.indexOf(name)]) as number
  const result = [...batch, ...rows, ...columns]
  return [product.reshape(result.map(extent)), result.join('')]
}
