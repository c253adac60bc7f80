/** The layer table of a network: what each module gives, how much it learns, and how much it computes. */
import { noGrad } from '../autograd.ts'
import { ones } from '../create.ts'
import type { Shape } from '../dtype.ts'
import { shapeText } from '../ops/op.ts'
import { defaultGenerator } from '../random.ts'
import { Tensor } from '../tensor.ts'
import { flopsOf } from './flops.ts'
import type { AnyModule } from './module.ts'

/** One module of a network. */
export interface SummaryRow {
  /** As in the state dict, 'layers.0'; '' for the network itself. */
  readonly name: string
  /** The name of its class. */
  readonly type: string
  /** In how many modules it lies. */
  readonly depth: number
  /** The shapes of the tensors that its last call gave; none where it was not called. */
  readonly outputs: readonly Shape[]
  /** How often it was called. */
  readonly calls: number
  /** The number of learned values that it holds itself, without those of modules inside of it. */
  readonly parameters: number
  /** Floating-point operations of all its calls, without those of modules inside of it. */
  readonly flops: number
}

/** A network as a table. */
export interface Summary {
  /** Outer modules before inner ones, each once. */
  readonly rows: readonly SummaryRow[]
  /** The number of learned values. */
  readonly parameters: number
  /** The number of values of the state that is not learned, running statistics for instance. */
  readonly buffers: number
  /** Those of the learned values that require gradients. */
  readonly trainable: number
  /** Floating-point operations of one forward. */
  readonly flops: number
  /** What parameters and buffers take, in MB (10⁶ bytes). */
  readonly megabytes: number
  /** The table. */
  toString(): string
}

/**
 * Runs the network once, in eval mode and without gradients, and tells of every module inside its name, type, output
 * shape, parameters and floating-point operations; printed, it is a table. The input is a shape, the batch included
 * (ones go in), or a tensor, or a list of these and of what else the forward takes. Afterwards everything is as before:
 * modes, running statistics, random numbers.
 *
 * Floating-point operations: 2 for each multiply-add of linear and bilinear layers, convolutions, attention and
 * recurrent layers; 1 for each element of the output of any other module without modules inside, but 0 where values
 * are only moved (flatten, padding, embedding, pixel shuffle) or passed on (identity, dropout). What a module computes
 * by functions beside the modules inside of it does not count.
 *
 * Throws what the network throws, with the name of the module in the message.
 *
 * @example
 * ```ts
 * import { nn } from 'descent'
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2))
 * const { parameters, flops, rows } = nn.summary(net, [1, 4])
 * console.log(parameters, flops) // → 58 104
 * console.log(rows[1]?.name, rows[1]?.type, rows[1]?.outputs[0]) // → 0 Linear [ 1, 8 ]
 * ```
 */
export function summary(net: AnyModule, input: Shape | Tensor | readonly unknown[]): Summary {
  const inputs = (input instanceof Tensor || isShape(input) ? [input] : input).map((x) => (isShape(x) ? ones(x) : x))
  const calls = new Map<AnyModule, { count: number; outputs: readonly Tensor[]; flops: number }>()
  const places = placesOf(net)
  const unchanged = keep(net)
  const unwrap = places.map(({ module, name }) =>
    wrap(module, name, (given, outputs) => {
      const { count = 0, flops = 0 } = calls.get(module) ?? {}
      calls.set(module, { count: count + 1, outputs, flops: flops + flopsOf(module, given, outputs) })
    }),
  )
  try {
    noGrad(() => net.eval().forward(...(inputs as never[])))
  } finally {
    for (const undo of unwrap) undo()
    unchanged()
  }
  const counted = new Set<Tensor>()
  const rows = places.map(({ module, name, depth }): SummaryRow => {
    const { count = 0, outputs = [], flops = 0 } = calls.get(module) ?? {}
    const inner = new Set(module.children().flatMap((child) => child.parameters()))
    const own = module.parameters().filter((value) => !inner.has(value) && !counted.has(value))
    for (const value of own) counted.add(value)
    const parameters = sizeOf(own)
    const type = module.constructor.name
    return { name, type, depth, outputs: outputs.map(({ shape }) => shape), calls: count, parameters, flops }
  })
  const all = net.parameters()
  return new Table({
    rows,
    parameters: sizeOf(all),
    buffers: sizeOf(net.buffers()),
    trainable: sizeOf(all.filter((value) => value.requiresGrad)),
    flops: rows.reduce((sum, row) => sum + row.flops, 0),
    megabytes: ((sizeOf(all) + sizeOf(net.buffers())) * 4) / 1e6,
  })
}

function isShape(input: unknown): input is Shape {
  return Array.isArray(input) && input.every((extent) => typeof extent === 'number')
}

function sizeOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { size }) => sum + size, 0)
}

interface Place {
  readonly module: AnyModule
  readonly name: string
  readonly depth: number
}

/** Every module, where it is met first. */
function placesOf(net: AnyModule): Place[] {
  const found = new Map<AnyModule, Place>()
  const visit = (module: AnyModule, name: string, depth: number): void => {
    if (found.has(module)) return
    found.set(module, { module, name, depth })
    for (const [own, child] of module.namedChildren()) visit(child, name ? `${name}.${own}` : own, depth + 1)
  }
  visit(net, '', 0)
  return [...found.values()]
}

/** Notes modes, buffers and the random state; the result puts them back. */
function keep(net: AnyModule): () => void {
  const modes = net.modules().map((module) => [module, module.training] as const)
  const tensors = [...net.buffers(), defaultGenerator().draws].map((value) => [value, value.detach().clone()] as const)
  return () => {
    // A mode reaches all modules inside; those shared by several may need another round.
    for (let changed = true; changed; ) {
      changed = false
      for (const [module, mode] of modes) {
        if (module.training === mode) continue
        module.train(mode)
        changed = true
      }
    }
    noGrad(() => {
      for (const [value, before] of tensors) value.copy_(before)
    })
  }
}

/** Has every call of the module noted; the result undoes it. */
function wrap(module: AnyModule, name: string, note: (given: unknown[], outputs: Tensor[]) => void): () => void {
  const before = Object.getOwnPropertyDescriptor(module, 'forward')
  const forward = module.forward as (...given: unknown[]) => unknown
  let inside = false
  const value = (...given: unknown[]): unknown => {
    // A forward that calls itself is one call.
    if (inside) return forward.apply(module, given)
    inside = true
    try {
      const output = forward.apply(module, given)
      note(given, tensorsOf(output))
      return output
    } catch (error) {
      if (error instanceof Error && !located.has(error)) {
        located.add(error)
        error.message += ` (summary: in ${name ? `'${name}', a ` : 'the '}${module.constructor.name})`
      }
      throw error
    } finally {
      inside = false
    }
  }
  Object.defineProperty(module, 'forward', { value, configurable: true })
  return () => {
    if (before) Object.defineProperty(module, 'forward', before)
    else Reflect.deleteProperty(module, 'forward')
  }
}

/** Errors whose message says where they arose. */
const located = /* @__PURE__ */ new WeakSet<Error>()

function tensorsOf(output: unknown): Tensor[] {
  if (output instanceof Tensor) return [output]
  if (typeof output !== 'object' || output === null) return []
  return Object.values(output).flatMap(tensorsOf)
}

class Table implements Summary {
  readonly rows: readonly SummaryRow[]
  readonly parameters: number
  readonly buffers: number
  readonly trainable: number
  readonly flops: number
  readonly megabytes: number

  constructor(values: Omit<Summary, 'toString'>) {
    this.rows = values.rows
    this.parameters = values.parameters
    this.buffers = values.buffers
    this.trainable = values.trainable
    this.flops = values.flops
    this.megabytes = values.megabytes
  }

  toString(): string {
    const number = (value: number) => value.toLocaleString('en-US')
    const cells = this.rows.map(({ name, type, depth, outputs, calls, parameters, flops }) => [
      `${'  '.repeat(depth)}${lastName(name, this.rows)}`,
      calls > 1 ? `${type} (${calls} calls)` : type,
      calls === 0 ? 'not called' : outputs.map(shapeText).join(', '),
      parameters > 0 ? number(parameters) : '',
      flops > 0 ? number(flops) : '',
    ])
    const lines = [['layer', 'type', 'output', 'parameters', 'FLOPs'], ...cells]
    const widths = (lines[0] as string[]).map((_, i) => Math.max(...lines.map((line) => (line[i] as string).length)))
    const [head, ...body] = lines.map((line) =>
      line
        .map((text, i) => (i < 3 ? text.padEnd(widths[i] as number) : text.padStart(widths[i] as number)))
        .join('  ')
        .trimEnd(),
    )
    const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2))
    const frozen = this.parameters - this.trainable
    const learned = `${number(this.parameters)} parameters${frozen > 0 ? `, ${number(frozen)} of them frozen` : ''}`
    const size = `${this.megabytes.toLocaleString('en-US', { maximumSignificantDigits: 3 })} MB`
    return [head, rule, ...body, rule, `${learned}; ${size}; ${number(this.flops)} FLOPs`].join('\n')
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** The name within the module around it. */
function lastName(name: string, rows: readonly SummaryRow[]): string {
  if (name === '') return 'net'
  const outer = rows.reduce(
    (longest, row) => (row.name.length > longest.length && name.startsWith(`${row.name}.`) ? row.name : longest),
    '',
  )
  return outer === '' ? name : name.slice(outer.length + 1)
}
