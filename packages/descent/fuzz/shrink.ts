/** The smallest graph that still fails in the same way, as far as simple steps lead. */
import type { Mode } from './interpret.ts'
import {
  type Fill,
  isList,
  mapRefs,
  type Param,
  type Program,
  type Statement,
  sizeOf,
  statementRefs,
  type TensorInput,
  valuesOf,
} from './program.ts'

/** Whether a graph fails as the first one did, in a mode. */
export type Fails = (program: Program, mode: Mode) => boolean

export interface Shrunk {
  readonly program: Program
  readonly mode: Mode
}

export function shrink(program: Program, mode: Mode, fails: Fails, seconds = 60): Shrunk {
  const end = performance.now() + seconds * 1000
  let best = program
  let bestMode = mode
  if (mode === 'compiled' && fails(program, 'eager')) bestMode = 'eager'
  for (let progress = true; progress; ) {
    progress = false
    for (const candidates of [fewer, simpler, smaller, plainer]) {
      for (let again = true; again; ) {
        again = false
        for (const next of candidates(best)) {
          if (performance.now() > end) return { program: best, mode: bestMode }
          const candidate = tidy(next)
          if (costOf(candidate) >= costOf(best) || !fails(candidate, bestMode)) continue
          best = candidate
          progress = true
          again = true
          break
        }
      }
    }
    if (bestMode === 'compiled' && fails(best, 'eager')) {
      bestMode = 'eager'
      progress = true
    }
  }
  return { program: best, mode: bestMode }
}

/** What a person has to read: each step must make it less. */
function costOf({ inputs, setup, body, args, outputs, calls, zeroGrad }: Program): number {
  let cost = 1000 * body.length + 900 * setup.length + 100 * calls + 30 * outputs.length + 10 * args.length
  cost += zeroGrad ? 5 : 0
  for (const { params } of [...setup, ...body]) cost += params.reduce((sum: number, p) => sum + paramCost(p), 0)
  for (const input of inputs) {
    cost += 50
    if (input.kind !== 'tensor') continue
    cost += (input.requiresGrad ? 20 : 0) + 5 * input.shape.length
    const values = valuesOf(input)
    cost += 2 * Math.min(values.length, 1e5)
    for (const value of values.slice(0, 256))
      cost += value === 0 ? 0 : value === 1 ? 0.1 : Number.isInteger(value) ? 0.3 : 1
  }
  return cost
}

function paramCost(param: Param): number {
  if (param === null || param === false) return 0.5
  if (typeof param === 'number') return 1 + Math.min(Math.abs(param - 1) || 0, 100) / 10
  if (typeof param !== 'object') return 1
  if (isList(param)) return param.reduce((sum: number, p) => sum + paramCost(p), 1)
  if (!('options' in param)) return 1
  return Object.values(param.options).reduce((sum: number, p) => sum + 2 + paramCost(p), 1)
}

/** Without the inputs that nothing uses. */
function tidy(program: Program): Program {
  const used = new Set([...program.setup, ...program.body].flatMap(statementRefs).concat(program.outputs))
  return {
    ...program,
    args: program.args.filter((id) => used.has(id)),
    inputs: program.inputs.filter((input) => used.has(input.id)),
    setup: program.setup,
  }
}

// ── fewer statements ───────────────────────────────────────────────────────────────────────────────────────────

function* fewer(program: Program): Generator<Program> {
  const { body, setup, outputs } = program
  if (program.calls > 1) yield { ...program, calls: program.calls - 1 }
  // Long tails first: what comes after the fault is of no use.
  for (let count = Math.floor(body.length / 2); count >= 1; count = Math.floor(count / 2)) {
    const kept = body.slice(0, body.length - count)
    const gone = new Set(body.slice(body.length - count).map((s) => s.id))
    const left = outputs.filter((id) => !gone.has(id))
    const last = kept.at(-1)
    yield { ...program, body: kept, outputs: left.length > 0 || !last ? left : [last.id] }
  }
  if (outputs.length > 1) for (const id of outputs) yield { ...program, outputs: outputs.filter((x) => x !== id) }
  for (const statement of body) {
    const others = body.filter((s) => s !== statement)
    yield without(program, { body: others }, statement)
    yield* replacing(program, { body: others }, statement)
  }
  for (const statement of setup) {
    const others = setup.filter((s) => s !== statement)
    yield* replacing(program, { setup: others }, statement)
    yield without(program, { setup: others }, statement)
  }
  for (const id of program.args) yield { ...program, args: program.args.filter((x) => x !== id) }
  // What it is made from, instead of an output.
  for (const id of outputs) {
    const made = body.find((s) => s.id === id)
    for (const from of made ? statementRefs(made) : [])
      if (body.some((s) => s.id === from)) yield { ...program, outputs: outputs.map((x) => (x === id ? from : x)) }
  }
  if (program.zeroGrad) yield { ...program, zeroGrad: false }
}

function without(program: Program, change: Partial<Program>, statement: Statement): Program {
  return {
    ...program,
    ...change,
    outputs: program.outputs.filter((id) => id !== statement.id),
    args: program.args.filter((id) => id !== statement.id),
  }
}

/** One of its operands, or an input of its own, stands for the statement's value. */
function* replacing(program: Program, change: Partial<Program>, statement: Statement): Generator<Program> {
  const rest = { ...program, ...change }
  for (const from of new Set(statementRefs(statement))) yield renamed(rest, statement.id, from)
  for (const input of program.inputs) if (input.kind === 'tensor') yield renamed(rest, statement.id, input.id)
}

function renamed(program: Program, from: number, to: number): Program {
  const change = (id: number): number => (id === from ? to : id)
  const within = (s: Statement): Statement => ({
    ...s,
    on: s.on === null ? null : change(s.on),
    params: s.params.map((p) => mapRefs(p, change)),
  })
  return {
    ...program,
    setup: program.setup.map(within),
    body: program.body.map(within),
    outputs: [...new Set(program.outputs.map(change))],
    args: [...new Set(program.args.map(change))],
  }
}

// ── simpler settings ───────────────────────────────────────────────────────────────────────────────────────────

function* simpler(program: Program): Generator<Program> {
  for (const [s, statement] of program.body.entries()) {
    for (const params of otherParams(statement.params)) {
      yield { ...program, body: program.body.map((x, i) => (i === s ? { ...statement, params } : x)) }
    }
  }
  for (const input of program.inputs) {
    if (input.kind === 'tensor' && input.requiresGrad) yield withInput(program, { ...input, requiresGrad: false })
  }
}

function* otherParams(params: readonly Param[]): Generator<Param[]> {
  for (const [i, param] of params.entries()) {
    for (const other of otherParam(param)) yield params.map((p, j) => (j === i ? other : p))
  }
}

function* otherParam(param: Param): Generator<Param> {
  if (param === true) yield false
  if (typeof param === 'number' && param !== 0 && param !== 1) {
    yield 1
    if (param > 2 && Number.isInteger(param)) yield Math.floor(param / 2)
    if (param > 2 && Number.isInteger(param)) yield param - 1
  }
  if (typeof param !== 'object' || param === null) return
  if (isList(param)) {
    yield* otherParams(param)
    return
  }
  if (!('options' in param)) return
  for (const [name, item] of Object.entries(param.options)) {
    const others = Object.entries(param.options).filter(([other]) => other !== name)
    yield { options: Object.fromEntries(others) }
    for (const other of otherParam(item)) yield { options: { ...param.options, [name]: other } }
  }
}

// ── smaller shapes ─────────────────────────────────────────────────────────────────────────────────────────────

function withInput(program: Program, input: TensorInput): Program {
  return { ...program, inputs: program.inputs.map((x) => (x.id === input.id ? input : x)) }
}

function tensors(program: Program): TensorInput[] {
  return program.inputs.filter((input) => input.kind === 'tensor')
}

/** Extents that several inputs share shrink together, wherever else they stand. */
function* smaller(program: Program): Generator<Program> {
  const extents = [...new Set(tensors(program).flatMap((input) => [...input.shape]))].sort((a, b) => b - a)
  for (const extent of extents) {
    for (const less of [1, 2, Math.floor(extent / 2), extent - 1]) {
      if (less < 1 || less >= extent) continue
      const change = (e: number): number => (e === extent ? less : e)
      const everywhere = (p: Param): Param => {
        if (typeof p === 'number') return change(p)
        if (typeof p !== 'object' || p === null) return p
        if (isList(p)) return p.map(everywhere)
        return p
      }
      const inputs = program.inputs.map((x) => (x.kind === 'tensor' ? reshaped(x, x.shape.map(change)) : x))
      yield { ...program, inputs }
      yield { ...program, inputs, body: program.body.map((s) => ({ ...s, params: s.params.map(everywhere) })) }
    }
  }
  for (const input of tensors(program)) {
    for (const [d, extent] of input.shape.entries()) {
      yield withInput(
        program,
        reshaped(
          input,
          input.shape.filter((_, i) => i !== d),
        ),
      )
      for (const less of [1, Math.floor(extent / 2), extent - 1]) {
        if (less < 1 || less >= extent) continue
        yield withInput(
          program,
          reshaped(
            input,
            input.shape.map((e, i) => (i === d ? less : e)),
          ),
        )
      }
    }
  }
}

function reshaped(input: TensorInput, shape: readonly number[]): TensorInput {
  const { fill } = input
  if (typeof fill !== 'object' || !('values' in fill)) return { ...input, shape }
  const size = sizeOf(shape)
  return { ...input, shape, fill: { values: Array.from({ length: size }, (_, i) => fill.values[i] ?? 0) } }
}

// ── plainer values ─────────────────────────────────────────────────────────────────────────────────────────────

function* plainer(program: Program): Generator<Program> {
  for (const input of tensors(program)) {
    const values = valuesOf(input)
    const filled = (fill: Fill): Program => withInput(program, { ...input, fill })
    const same = (other: readonly number[]): boolean => other.every((x, i) => Object.is(x, values[i]))
    const wholes = [values.map(() => 0), values.map(() => 1), values.map((_, i) => i % 5)]
    for (const other of wholes) if (!same(other)) yield filled({ values: other })
    const rounded = values.map((x) => (Number.isFinite(x) && Math.abs(x) < 1e6 ? Math.round(x) : x))
    if (!same(rounded)) yield filled({ values: rounded })
    if (values.length > 64) continue
    for (const [i, value] of values.entries()) {
      if (value === 0 || value === 1) continue
      for (const plain of [0, 1]) yield filled({ values: values.map((x, j) => (j === i ? plain : x)) })
    }
  }
}
