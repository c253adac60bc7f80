/** The operations of `tensor.json`, called as a user calls them. */
import { cat, einsum, grad, scaledDotProductAttention, stack, type Tensor, where } from '../src/index.ts'
import type { Inputs, Operation, Operations } from './operation.ts'

const unary =
  (f: (x: Tensor) => Tensor): Operation =>
  ({ x }) =>
    f(x as Tensor)

const binary =
  (f: (a: Tensor, b: Tensor) => Tensor): Operation =>
  ({ a, b }) =>
    f(a as Tensor, b as Tensor)

const index = (inputs: Inputs): Tensor => inputs.index as Tensor

export const tensorOperations: Operations = {
  add: binary((a, b) => a.add(b)),
  sub: binary((a, b) => a.sub(b)),
  mul: binary((a, b) => a.mul(b)),
  div: binary((a, b) => a.div(b)),
  pow: binary((a, b) => a.pow(b)),
  maximum: binary((a, b) => a.maximum(b)),
  minimum: binary((a, b) => a.minimum(b)),
  matmul: binary((a, b) => a.matmul(b)),
  pow_scalar: ({ a }, args) => (a as Tensor).pow(args.number('exponent')),
  neg: unary((x) => x.neg()),
  abs: unary((x) => x.abs()),
  exp: unary((x) => x.exp()),
  sin: unary((x) => x.sin()),
  cos: unary((x) => x.cos()),
  tan: unary((x) => x.tan()),
  square: unary((x) => x.square()),
  sign: unary((x) => x.sign()),
  erf: unary((x) => x.erf()),
  sinh: unary((x) => x.sinh()),
  cosh: unary((x) => x.cosh()),
  atan: unary((x) => x.atan()),
  expm1: unary((x) => x.expm1()),
  reciprocal: unary((x) => x.reciprocal()),
  floor: unary((x) => x.floor()),
  ceil: unary((x) => x.ceil()),
  round: unary((x) => x.round()),
  sqrt: unary((x) => x.sqrt()),
  log: unary((x) => x.log()),
  log1p: unary((x) => x.log1p()),
  rsqrt: unary((x) => x.rsqrt()),
  log2: unary((x) => x.log2()),
  clamp: ({ x }, args) => (x as Tensor).clamp(args.number('min'), args.number('max')),
  where: ({ c, a, b }) => where(c as Tensor, a as Tensor, b as Tensor),
  sum: ({ x }, args) => (x as Tensor).sum(args.dims('dim'), args.flag('keepdim')),
  mean: ({ x }, args) => (x as Tensor).mean(args.dims('dim'), args.flag('keepdim')),
  prod: ({ x }, args) => (x as Tensor).prod(args.dims('dim'), args.flag('keepdim')),
  max: ({ x }, args) => (x as Tensor).max(args.number('dim')),
  min: ({ x }, args) => (x as Tensor).min(args.number('dim')),
  argmax: ({ x }, args) => (x as Tensor).argmax(args.number('dim')),
  argmin: ({ x }, args) => (x as Tensor).argmin(args.number('dim')),
  var: ({ x }, args) => (x as Tensor).variance(args.number('dim'), { correction: args.number('correction') }),
  std: ({ x }, args) => (x as Tensor).std(args.number('dim'), { correction: args.number('correction') }),
  logsumexp: ({ x }, args) => (x as Tensor).logsumexp(args.number('dim')),
  norm: ({ x }, args) => (x as Tensor).norm(args.number('ord'), args.number('dim')),
  cumsum: ({ x }, args) => (x as Tensor).cumsum(args.number('dim')),
  cumprod: ({ x }, args) => (x as Tensor).cumprod(args.number('dim')),
  einsum: (inputs, args) => einsum(args.text('equation'), ...Object.values(inputs)),
  reshape: ({ x }, args) => (x as Tensor).reshape(args.numbers('shape')),
  permute: ({ x }, args) => (x as Tensor).permute(...args.numbers('dims')),
  transpose: ({ x }, args) => {
    const [a, b] = args.numbers('dims') as [number, number]
    return (x as Tensor).transpose(a, b)
  },
  expand: ({ x }, args) => (x as Tensor).expand(...args.numbers('shape')),
  squeeze: ({ x }, args) => (x as Tensor).squeeze(args.number('dim')),
  unsqueeze: ({ x }, args) => (x as Tensor).unsqueeze(args.number('dim')),
  flip: ({ x }, args) => (x as Tensor).flip(args.numbers('dims')),
  roll: ({ x }, args) => (x as Tensor).roll(args.number('shift'), args.number('dim')),
  slice: ({ x }, args) => (x as Tensor).slice(...args.slices('index')),
  cat: (inputs, args) => cat(Object.values(inputs), args.number('dim')),
  stack: (inputs, args) => stack(Object.values(inputs), args.number('dim')),
  pad: ({ x }, args) => {
    const mode = args.text('mode')
    if (mode !== 'constant' && mode !== 'reflect' && mode !== 'replicate') throw new Error(`no padding mode ${mode}`)
    return (x as Tensor).pad(args.numbers('pad'), { mode, value: args.number('value', 0) })
  },
  tril: ({ x }, args) => (x as Tensor).tril(args.number('diagonal')),
  triu: ({ x }, args) => (x as Tensor).triu(args.number('diagonal')),
  gather: (inputs, args) => (inputs.x as Tensor).gather(args.number('dim'), index(inputs)),
  index_select: (inputs, args) => (inputs.x as Tensor).indexSelect(args.number('dim'), index(inputs)),
  scatter_add: (inputs, args) =>
    (inputs.x as Tensor).scatterAdd(args.number('dim'), index(inputs), inputs.src as Tensor),
  topk: ({ x }, args) => {
    const { values, indices } = (x as Tensor).topk(args.number('k'), args.number('dim'))
    return [values, indices]
  },
  sort: ({ x }, args) => {
    const { values, indices } = (x as Tensor).sort(args.number('dim'), args.flag('descending'))
    return [values, indices]
  },
  one_hot: ({ x }, args) => (x as Tensor).oneHot(args.number('classes')),
  scaled_dot_product_attention: ({ q, k, v }) => scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor),
  /** df/dx of f = sum(tanh(x)³ · exp(x)), so that its gradient is one of second order. */
  double_backward: ({ x }) => grad((z: Tensor) => z.tanh().pow(3).mul(z.exp()).sum())(x as Tensor),
}
