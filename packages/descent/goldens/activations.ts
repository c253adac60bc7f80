/** The functions of `activations.json`, called as a user calls them. */
import * as d from '../src/index.ts'
import type { Operation, Operations } from './operation.ts'

const unary =
  (f: (x: d.Tensor) => d.Tensor): Operation =>
  ({ x }) =>
    f(x as d.Tensor)

export const activationOperations: Operations = {
  sigmoid: unary((x) => x.sigmoid()),
  tanh: unary((x) => x.tanh()),
  relu: unary((x) => x.relu()),
  softmax: ({ x }, args) => (x as d.Tensor).softmax(args.number('dim')),
  log_softmax: ({ x }, args) => (x as d.Tensor).logSoftmax(args.number('dim')),
  softmin: ({ x }, args) => d.softmin(x as d.Tensor, args.number('dim')),
  heaviside: unary((x) => d.heaviside(x)),
  relu6: unary((x) => d.relu6(x)),
  leaky_relu: ({ x }, args) => d.leakyRelu(x as d.Tensor, args.number('negative_slope')),
  elu: ({ x }, args) => d.elu(x as d.Tensor, args.number('alpha')),
  selu: unary((x) => d.selu(x)),
  celu: ({ x }, args) => d.celu(x as d.Tensor, args.number('alpha')),
  gelu: ({ x }, args) => {
    const approximate = args.text('approximate')
    if (approximate !== 'none' && approximate !== 'tanh') throw new Error(`no gelu approximated by ${approximate}`)
    return d.gelu(x as d.Tensor, approximate)
  },
  silu: unary((x) => d.silu(x)),
  mish: unary((x) => d.mish(x)),
  softplus: ({ x }, args) => d.softplus(x as d.Tensor, args.number('beta', 1), args.number('threshold', 20)),
  softsign: unary((x) => d.softsign(x)),
  hardtanh: ({ x }, args) => d.hardtanh(x as d.Tensor, args.number('min'), args.number('max')),
  hardsigmoid: unary((x) => d.hardsigmoid(x)),
  hardswish: unary((x) => d.hardswish(x)),
  log_sigmoid: unary((x) => d.logSigmoid(x)),
  tanhshrink: unary((x) => d.tanhshrink(x)),
  softshrink: ({ x }, args) => d.softshrink(x as d.Tensor, args.number('lambda')),
  hardshrink: ({ x }, args) => d.hardshrink(x as d.Tensor, args.number('lambda')),
  threshold: ({ x }, args) => d.threshold(x as d.Tensor, args.number('threshold'), args.number('value')),
  glu: ({ x }, args) => d.glu(x as d.Tensor, args.number('dim')),
  prelu: ({ x, weight }) => d.prelu(x as d.Tensor, weight as d.Tensor),
}
