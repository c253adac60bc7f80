/**
 * The text form of kernels and plans, for people and as a key: `printKernel` gives the same text exactly for kernels
 * that are equal up to the ids of their variables (these are numbered anew, in the order of their loops), so equal
 * text means that the code can be shared. A part that several expressions of a stage share is printed once, as
 * `t0 = …`.
 */
import { type Expr, operands } from './expr.ts'
import { type Index, indexKey, substitute, variable } from './index-expr.ts'
import type { Axis, BufferUse, Kernel, Launch, Part, Plan, PlanBuffer, Stage, Store } from './kernel.ts'

export function printIndex(x: Index): string {
  return indexKey(x).replaceAll('+-', '-')
}

export function printExpr(e: Expr): string {
  const scope = new Scope(new Map(), [e])
  const value = scope.print(e)
  return [...scope.takeLines(), value].join('\n')
}

export function printKernel(kernel: Kernel): string {
  const names = new Map<number, Index>()
  for (const axis of axesOf(kernel)) {
    if (!names.has(axis.id)) names.set(axis.id, variable(names.size, Math.max(axis.size, 2)))
  }
  const flat = kernel.kind === 'loops' && kernel.flat ? ' flat' : ''
  const fixed = kernel.kind === 'gemm' && kernel.fixed ? ` with fixed ${kernel.fixed}` : ''
  const header = `${kernel.kind}${flat}${fixed}(${kernel.buffers.map(printUse).join(', ')})`
  return [header, ...printBody(kernel, names)].join('\n')
}

export function printPlan(plan: Plan): string {
  const lines: string[] = [`arena: ${plan.arenaBytes} bytes`]
  for (const [i, buffer] of plan.buffers.entries()) {
    lines.push(`buffer ${i}: ${buffer.dtype}[${buffer.length}] ${printPlace(buffer.place)}`)
  }
  for (const [i, check] of plan.checks.entries()) lines.push(`check ${i}: ${check.label}, below ${check.size}`)
  for (const [i, kernel] of plan.kernels.entries()) lines.push('', `kernel ${i}: ${printKernel(kernel)}`)
  lines.push('')
  for (const [i, launches] of plan.steps.entries()) {
    const loop = plan.loops?.find(({ first, length }) => i >= first && i < first + length)
    if (loop?.first === i) lines.push(`${loop.count} times:`)
    lines.push(`${loop ? '  ' : ''}step ${i}: ${launches.map(printLaunch).join(', ')}`)
  }
  return lines.join('\n')
}

function printLaunch(launch: Launch): string {
  const size = launch.size === null ? '' : ` × ${launch.size}`
  const bound = launch.buffers.map((buffer, i) => `${buffer}${printPart(launch.parts?.[i])}`)
  return `kernel ${launch.kernel}${size} (${bound.join(', ')})`
}

function printPart(part: Part | undefined): string {
  if (!part || (part.start === 0 && part.stride === 0)) return ''
  const { start, stride, period } = part
  if (stride === 0) return ` from ${start}`
  return ` from ${start} ${stride < 0 ? '-' : '+'} ${Math.abs(stride)}·${period === null ? 'i' : `(i mod ${period})`}`
}

function printPlace(place: PlanBuffer['place']): string {
  switch (place.kind) {
    case 'argument':
      return `argument ${place.position} ${place.access}${place.resident ? ' resident' : ''}`
    case 'arena':
      return `arena at ${place.offset}`
    case 'constant':
      return `constant ${place.values.length > 8 ? `${place.values.slice(0, 8).join(' ')} …` : place.values.join(' ')}`
  }
}

function printUse(use: BufferUse, i: number): string {
  return `b${i}: ${use.access} ${use.dtype}${use.length > 0 ? `[${use.length}]` : ''}`
}

/** Every loop of the kernel, outer loops first. */
function axesOf(kernel: Kernel): readonly Axis[] {
  switch (kernel.kind) {
    case 'loops':
      return [...kernel.rows, ...kernel.stages.flatMap((stage) => stage.axes)]
    case 'gemm':
      return [...kernel.batch, kernel.m, kernel.n, kernel.k]
    case 'scan':
      return [...kernel.rows, kernel.axis]
    case 'scatter':
      return [...kernel.rows, kernel.fill, kernel.source]
    case 'sort':
      return []
  }
}

type Names = Map<number, Index>

function printBody(kernel: Kernel, names: Names): string[] {
  switch (kernel.kind) {
    case 'loops': {
      const stages = kernel.stages.flatMap((stage, s) => printStage(stage, s, names))
      if (kernel.flat) return nest([`for ${axisName(kernel.rows[0] as Axis, names)} < size`], stages)
      return nest(loops(kernel.rows, names), stages)
    }
    case 'gemm': {
      const inputs = new Scope(names, [kernel.a, kernel.b])
      const product = `tile += ${inputs.print(kernel.a)} · ${inputs.print(kernel.b)}`
      const inner = nest(loops([kernel.k], names), [...inputs.takeLines(), product])
      return nest(loops([...kernel.batch, kernel.m, kernel.n], names), [...inner, ...printStores(kernel.stores, names)])
    }
    case 'scan': {
      const scope = new Scope(names, [kernel.value])
      const line = `b${kernel.buffer}[${scope.index(kernel.index)}] = running ${kernel.op} of ${scope.print(kernel.value)}`
      return nest(loops([...kernel.rows, kernel.axis], names), [...scope.takeLines(), line])
    }
    case 'scatter': {
      const filling = new Scope(names, [kernel.initial])
      const fill = `b${kernel.buffer}[${filling.index(kernel.index)}] = ${filling.print(kernel.initial)}`
      const adding = new Scope(names, [kernel.position, kernel.value])
      const base = adding.index(kernel.base)
      const position = adding.print(kernel.position)
      const add = `b${kernel.buffer}[${base}+${kernel.stride}*{${position}}] += ${adding.print(kernel.value)}`
      return nest(loops(kernel.rows, names), [
        ...nest(loops([kernel.fill], names), [...filling.takeLines(), fill]),
        ...nest(loops([kernel.source], names), [...adding.takeLines(), add]),
      ])
    }
    case 'sort':
      return [`${kernel.rows} rows of ${kernel.length}, ${kernel.descending ? 'descending' : 'ascending'}`]
  }
}

function printStage(stage: Stage, number: number, names: Names): string[] {
  const scope = new Scope(names, [...stage.reductions.map((r) => r.value), ...stage.stores.map((s) => s.value)])
  const reductions = stage.reductions.map((r, slot) => `r${number}.${slot} = ${r.op} of ${scope.print(r.value)}`)
  const stores = stage.stores.map((s) => `b${s.buffer}[${scope.index(s.index)}] = ${scope.print(s.value)}`)
  const body = [...scope.takeLines(), ...reductions, ...stores]
  return stage.axes.length === 0 ? nest(['once'], body) : nest(loops(stage.axes, names), body)
}

function printStores(stores: readonly Store[], names: Names): string[] {
  const scope = new Scope(
    names,
    stores.map((s) => s.value),
  )
  const lines = stores.map((s) => `b${s.buffer}[${scope.index(s.index)}] = ${scope.print(s.value)}`)
  return [...scope.takeLines(), ...lines]
}

function loops(axes: readonly Axis[], names: Names): string[] {
  return axes.map((axis) => `for ${axisName(axis, names)} < ${axis.size}`)
}

function axisName(axis: Axis, names: Names): string {
  const name = names.get(axis.id)
  return name ? indexKey(name) : `v${axis.id}`
}

/** `head {`, the lines two further to the right, `}`; for every head in turn. */
function nest(heads: readonly string[], lines: readonly string[]): string[] {
  let inner = [...lines]
  for (const head of heads.toReversed()) inner = [`${head} {`, ...inner.map((line) => `  ${line}`), '}']
  return inner
}

const infix: Partial<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  lt: '<',
  le: '<=',
  eq: '==',
  ne: '!=',
  and: '&',
  or: '|',
  xor: '^',
  shl: '<<',
  shr: '>>>',
}

/** Prints the expressions of one loop body, in which shared parts get a line and a name of their own. */
class Scope {
  readonly #names: Names
  readonly #uses = new Map<Expr, number>()
  readonly #printed = new Map<Expr, string>()
  #lines: string[] = []
  #count = 0

  constructor(names: Names, roots: readonly Expr[]) {
    this.#names = names
    const count = (e: Expr): void => {
      const uses = this.#uses.get(e) ?? 0
      this.#uses.set(e, uses + 1)
      if (uses === 0) for (const x of operands(e)) count(x)
    }
    for (const root of roots) count(root)
  }

  takeLines(): string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }

  index(x: Index): string {
    return printIndex(this.#names.size === 0 ? x : substitute(x, this.#names))
  }

  print(e: Expr): string {
    const seen = this.#printed.get(e)
    if (seen !== undefined) return seen
    let text = this.#text(e)
    if ((this.#uses.get(e) ?? 0) > 1 && operands(e).length > 0) {
      const name = `t${this.#count++}`
      this.#lines.push(`${name} = ${text}`)
      text = name
    }
    this.#printed.set(e, text)
    return text
  }

  #text(e: Expr): string {
    switch (e.kind) {
      case 'const':
        return printConstant(e.dtype, e.value)
      case 'load':
        return `b${e.buffer}[${this.index(e.index)}]${e.guarded ? '?' : ''}`
      case 'gather':
        return `b${e.buffer}[${this.index(e.base)}+${e.stride}*{${this.print(e.position)}}]`
      case 'check':
        return `check${e.id}(${this.print(e.x)} < ${e.size})`
      case 'index':
        return `index(${this.index(e.index)})`
      case 'result':
        return `r${e.stage}.${e.slot}`
      case 'tile':
        return 'tile'
      case 'unary':
        return `${e.op}(${this.print(e.x)})`
      case 'binary': {
        const a = this.print(e.a)
        const b = this.print(e.b)
        const sign = infix[e.op]
        return sign === undefined ? `${e.op}(${a}, ${b})` : `(${a} ${sign} ${b})`
      }
      case 'fma': {
        const a = this.print(e.a)
        const b = this.print(e.b)
        return `fma(${a}, ${b}, ${this.print(e.c)})`
      }
      case 'select': {
        const condition = this.print(e.condition)
        const a = this.print(e.a)
        return `(${condition} ? ${a} : ${this.print(e.b)})`
      }
      case 'cast':
        return `${e.dtype}(${this.print(e.x)})`
      case 'bitcast':
        return `bits_as_${e.dtype}(${this.print(e.x)})`
    }
  }
}

/** f32 constants always show a point, an exponent, or a word, so that 1 and 1.0 differ. */
function printConstant(dtype: Expr['dtype'], value: number): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true'
  if (dtype === 'i32') return String(value)
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text
}
