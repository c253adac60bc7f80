/** A network as a table: its layers, what they give, how many parameters they have and how much they compute. */
import { noGrad } from '../autograd.ts'
import { zeros } from '../create.ts'
import type { Shape } from '../dtype.ts'
import { sizeOf } from '../dtype.ts'
import { defaultGenerator } from '../random.ts'
import { Tensor } from '../tensor.ts'
import { Bilinear } from './bilinear.ts'
import { Conv1d, Conv2d, Conv3d } from './conv.ts'
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './conv-transpose.ts'
import { Linear } from './linear.ts'
import type { AnyModule } from './module.ts'
import { GRUCell, LSTMCell, RNNCell } from './recurrent/cells.ts'
import { GRU, LSTM, RNN } from './recurrent/layers.ts'
import { MultiheadAttention } from './transformer/multihead-attention.ts'

/** One module of a network. */
export interface SummaryRow {
  /** As in the state dict: 'layers.0.linear1'; '' for the network itself. */
  readonly name: string
  /** How deep it lies inside of the network. */
  readonly depth: number
  readonly type: string
  /** Of its last call, one for each tensor that it gives; empty where it was not called. */
  readonly outputs: readonly Shape[]
  /** Its own parameters, those of the modules inside of it not among them. */
  readonly parameters: number
  /** Floating-point operations of all its calls, those of the modules inside not among them. */
  readonly flops: number
}

/** A network's layers and what they come to; `toString()` draws the table. */
export class Summary {
  readonly rows: readonly SummaryRow[]
  readonly inputs: readonly Shape[]
  /** How many numbers are learned. */
  readonly parameters: number
  /** Running statistics and the like. */
  readonly buffers: number
  /** Of one forward pass over the inputs. */
  readonly flops: number

  constructor(rows: readonly SummaryRow[], inputs: readonly Shape[], parameters: number, buffers: number) {
    this.rows = rows
    this.inputs = inputs
    this.parameters = parameters
    this.buffers = buffers
    this.flops = rows.reduce((sum, row) => sum + row.flops, 0)
  }

  toString(): string {
    const head = ['layer', 'output', 'parameters', 'operations']
    // Each name without that of the module around it.
    const around: string[] = []
    const within = (name: string, depth: number): string => {
      around[depth + 1] = name === '' ? '' : `${name}.`
      return name.slice(around[depth]?.length ?? 0)
    }
    const cells = this.rows.map(({ name, depth, type, outputs, parameters, flops }) => [
      `${'  '.repeat(depth)}${`${within(name, depth)} ${type}`.trim()}`,
      outputs.length === 0 ? 'not called' : outputs.map((shape) => `[${shape.join(', ')}]`).join(' '),
      counted(parameters),
      counted(flops),
    ])
    const widths = head.map((title, c) => Math.max(title.length, ...cells.map((row) => (row[c] as string).length)))
    const line = (row: readonly string[]): string =>
      row
        .map((cell, c) => (c < 2 ? cell.padEnd(widths[c] as number) : cell.padStart(widths[c] as number)))
        .join('  ')
        .trimEnd()
    const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2))
    const megabytes = ((this.parameters + this.buffers) * 4) / 1e6
    return [
      line(head),
      rule,
      ...cells.map(line),
      rule,
      `${counted(this.parameters)} parameters, ${megabytes.toFixed(megabytes < 1 ? 3 : 1)} MB${this.buffers > 0 ? ` with ${counted(this.buffers)} further values` : ''}, ${counted(this.flops)} operations for ${this.inputs.map((shape) => `[${shape.join(', ')}]`).join(' ')}`,
    ].join('\n')
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

function counted(n: number): string {
  return n === 0 ? '' : n.toLocaleString('en')
}

/**
 * The layers of a network in the order of the state dict, from one forward pass in eval mode without gradients: over
 * zeros of the given shape, or over inputs of one's own. The network is left as it was: mode, running statistics,
 * random numbers. Operations: two for each multiply-add of linear, bilinear, convolutional, recurrent and attention
 * layers; of other layers without modules inside, one for each element that they give.
 *
 * @example
 * ```ts
 * import { nn } from 'descent'
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2))
 * const summary = nn.summary(net, [1, 4])
 * console.log(summary.parameters, summary.flops) // → 58 104
 * console.log(summary.rows.map(({ type }) => type)) // → [ 'Sequential', 'Linear', 'ReLU', 'Linear' ]
 * ```
 */
export function summary(net: AnyModule, inputs: Shape | Tensor | readonly unknown[]): Summary {
  const given = asInputs(inputs)
  const calls = new Map<AnyModule, { outputs: Shape[]; flops: number }>()
  const modules = net.modules()
  const { draws } = defaultGenerator()
  const drawn = draws.clone()
  const modes = modules.map((module) => module.training)
  for (const module of modules) watch(module, calls)
  try {
    net.eval()
    noGrad(() => net.forward(...(given as never[])))
  } finally {
    for (const [i, module] of modules.entries()) {
      Reflect.deleteProperty(module, 'forward')
      setMode(module, modes[i] as boolean)
    }
    draws.copy_(drawn)
  }
  const rows: SummaryRow[] = []
  const seen = new Set<AnyModule>()
  const visit = (module: AnyModule, name: string, depth: number): void => {
    if (seen.has(module)) return
    seen.add(module)
    const { outputs, flops } = calls.get(module) ?? { outputs: [], flops: 0 }
    rows.push({ name, depth, type: module.constructor.name, outputs, parameters: ownParameters(module), flops })
    for (const [child, inner] of module.namedChildren())
      visit(inner, name === '' ? child : `${name}.${child}`, depth + 1)
  }
  visit(net, '', 0)
  const sum = (tensors: readonly Tensor[]) => tensors.reduce((total, x) => total + x.size, 0)
  const shapes = given.filter((x) => x instanceof Tensor).map(({ shape }) => shape)
  return new Summary(rows, shapes, sum(net.parameters()), sum(net.buffers()))
}

function asInputs(inputs: Shape | Tensor | readonly unknown[]): readonly unknown[] {
  if (inputs instanceof Tensor) return [inputs]
  return inputs.every((extent) => typeof extent === 'number') ? [zeros(inputs as Shape)] : inputs
}

/** Puts a forward of the module's own before its class's, which notes what it gives. */
function watch(module: AnyModule, calls: Map<AnyModule, { outputs: Shape[]; flops: number }>): void {
  const forward = module.forward.bind(module) as (...inputs: readonly unknown[]) => unknown
  const noted = (...inputs: readonly unknown[]): unknown => {
    const output = forward(...inputs)
    const outputs = tensorsIn(output).map(({ shape }) => shape)
    const before = calls.get(module)?.flops ?? 0
    calls.set(module, { outputs, flops: before + flopsOf(module, tensorsIn(inputs), outputs) })
    return output
  }
  Object.defineProperty(module, 'forward', { value: noted, configurable: true, enumerable: false, writable: true })
}

/** This module's mode alone. */
function setMode(module: AnyModule, training: boolean): void {
  const children = module.modules().map((inner) => [inner, inner.training] as const)
  module.train(training)
  for (const [inner, mode] of children) if (inner !== module && inner.training !== mode) inner.train(mode)
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value]
  return Array.isArray(value) ? value.flatMap(tensorsIn) : []
}

function ownParameters(module: AnyModule): number {
  const inside = new Set(module.children().flatMap((child) => child.parameters()))
  return module.parameters().reduce((sum, p) => sum + (inside.has(p) ? 0 : p.size), 0)
}

function flopsOf(module: AnyModule, inputs: readonly Tensor[], outputs: readonly Shape[]): number {
  const [x] = inputs
  const [first] = outputs
  if (!x || !first) return 0
  const weights = module.parameters().filter(({ ndim }) => ndim > 1)
  const weight = weights.reduce((sum, p) => sum + p.size, 0)
  if (module instanceof Linear) return 2 * weight * (x.size / (x.shape.at(-1) as number))
  if (module instanceof Bilinear) return 2 * weight * (x.size / (x.shape.at(-1) as number))
  if (module instanceof Conv1d || module instanceof Conv2d || module instanceof Conv3d) {
    return 2 * weight * (first[0] as number) * sizeOf(first.slice(2))
  }
  if (module instanceof ConvTranspose1d || module instanceof ConvTranspose2d || module instanceof ConvTranspose3d) {
    return 2 * weight * (x.shape[0] as number) * sizeOf(x.shape.slice(2))
  }
  if (module instanceof RNN || module instanceof LSTM || module instanceof GRU) {
    return 2 * weight * (x.shape[0] as number) * (x.shape[1] as number)
  }
  if (module instanceof RNNCell || module instanceof LSTMCell || module instanceof GRUCell) {
    return 2 * weight * (x.shape[0] ?? 1)
  }
  if (module instanceof MultiheadAttention) {
    const [key = x] = inputs.slice(1)
    const width = x.shape.at(-1) as number
    const [queries, keys] = [x.size / width, key.size / (key.shape.at(-1) as number)]
    // The projection at the end is a module of its own. Scores and what they weigh: all queries of an example with all
    // its keys, twice.
    const inner = weight - module.outProj.weight.size
    const examples = Math.max(1, module.batchFirst ? (x.shape[0] as number) : (x.shape[1] as number))
    return 2 * inner * ((queries + 2 * keys) / 3) + 4 * width * ((queries / examples) * keys)
  }
  return module.children().length === 0 ? outputs.reduce((sum, shape) => sum + sizeOf(shape), 0) : 0
}
