/** A graph as TypeScript that can be pasted and run against 'descent': it prints what each device gives. */
import type { DeviceName } from '../src/index.ts'
import type { Mode } from './interpret.ts'
import {
  type Input,
  isList,
  overwritten,
  type Param,
  type Program,
  type Statement,
  statementRefs,
  type TensorInput,
  valuesOf,
} from './program.ts'

function number(x: number): string {
  if (Object.is(x, -0)) return '-0'
  if (Number.isNaN(x)) return 'NaN'
  return String(x)
}

function param(p: Param): string {
  if (p === null || typeof p === 'boolean') return String(p)
  if (typeof p === 'number') return number(p)
  if (typeof p === 'string') return `'${p}'`
  if (isList(p)) return `[${p.map(param).join(', ')}]`
  if ('ref' in p) return `v${p.ref}`
  if ('grad' in p) return `(v${p.grad}.grad as Tensor)`
  const entries = Object.entries(p.options).map(([name, item]) => `${name}: ${param(item)}`)
  return `{ ${entries.join(', ')} }`
}

function statementText({ id, on, call, params, part }: Statement, used: ReadonlySet<number>): string {
  const called = `${on === null ? '' : `v${on}.`}${call}(${params.map(param).join(', ')})`
  const whole = part === undefined ? called : typeof part === 'string' ? `${called}.${part}` : `${called}[${part}]`
  const sure = typeof part === 'number' ? `${whole} as Tensor` : whole
  return used.has(id) ? `const v${id} = ${sure}` : whole
}

function tensorText(input: TensorInput, call = 0): string {
  const { shape, dtype, requiresGrad } = input
  const values = `[${valuesOf(input, call).map(number).join(', ')}]`
  const kind = dtype === 'f32' ? 'Float32Array' : dtype === 'i32' ? 'Int32Array' : 'Uint8Array'
  const gradient = requiresGrad ? ', requiresGrad: true' : ''
  return `tensor(${kind}.of(${values.slice(1, -1)}), { shape: [${shape.join(', ')}]${gradient} })`
}

function inputText(input: Input): string {
  switch (input.kind) {
    case 'tensor':
      return tensorText(input)
    case 'number':
      return number(input.value)
    case 'generator':
      return `new Generator(${input.seed})`
  }
}

function argumentText(program: Program, id: number, call: number): string {
  const input = program.inputs.find((candidate) => candidate.id === id)
  if (call > 0 && input?.kind === 'number') return number(Math.fround(input.value + 0.5 * call))
  if (call > 0 && input?.kind === 'tensor' && !input.requiresGrad) return tensorText(input, call)
  return `v${id}`
}

export interface Printed {
  readonly program: Program
  readonly device: DeviceName
  readonly mode: Mode
  /** The device that is right, operation by operation; the reference where nothing is given. */
  readonly expected?: DeviceName
  /** Lines of comment above the code. */
  readonly heading: readonly string[]
}

export function print({ program, device, mode, expected = 'reference', heading }: Printed): string {
  const { inputs, setup, body, outputs, args, calls } = program
  const leaves = inputs.filter((input) => input.kind === 'tensor' && input.requiresGrad)
  const written = [...overwritten(program)]
  const used = new Set([...setup, ...body].flatMap(statementRefs).concat(outputs, args, written))
  const names = new Set(['setDevice', 'type Tensor'])
  for (const input of inputs) if (input.kind !== 'number') names.add(input.kind === 'tensor' ? 'tensor' : 'Generator')
  const ofLoops = new Set<string>()
  for (const { on, call } of [...setup, ...body])
    if (on === null) (call === 'loopOf' || call === 'recurrent' ? ofLoops : names).add(call)
  const runs: { readonly device: DeviceName; readonly compiled: boolean }[] = [
    { device: expected, compiled: false },
    { device, compiled: mode === 'compiled' },
  ]
  if (mode === 'compiled') names.add('compile')
  const argument = (id: number): string => {
    const number = inputs.some((input) => input.id === id && input.kind === 'number')
    return `v${id}: ${number ? 'number' : 'Tensor'}`
  }
  const lines: string[] = []
  for (const input of inputs) {
    if (used.has(input.id) || leaves.includes(input)) lines.push(`const v${input.id} = ${inputText(input)}`)
  }
  for (const statement of setup) lines.push(statementText(statement, used))
  lines.push(`const graph = (${args.map(argument).join(', ')}) => {`)
  if (program.zeroGrad && leaves.length > 0)
    lines.push(`  for (const x of [${leaves.map(({ id }) => `v${id}`).join(', ')}]) x.grad = null`)
  for (const statement of body) lines.push(`  ${statementText(statement, used)}`)
  lines.push(`  return [${outputs.map((id) => `v${id}`).join(', ')}]`, '}')
  lines.push(mode === 'compiled' ? 'const run = compiled ? compile(graph) : graph' : 'const run = graph')
  lines.push('const outputs: Tensor[][] = []')
  for (let call = 0; call < calls; call++)
    lines.push(`outputs.push(run(${args.map((id) => argumentText(program, id, call)).join(', ')}))`)
  const shown = ['outputs: outputs.map((list) => list.map((x) => x.toArray()))']
  for (const { id } of leaves) shown.push(`gradient${id}: v${id}.grad?.toArray()`)
  for (const id of written) shown.push(`v${id}: v${id}.toArray()`)
  lines.push(`return { ${shown.join(', ')} }`)
  const calledWith = mode === 'compiled' ? 'compiled: boolean' : ''
  return [
    ...heading.map((line) => `// ${line}`),
    `import { ${[...names].sort((a, b) => plain(a).localeCompare(plain(b))).join(', ')} } from 'descent'`,
    ...(ofLoops.size > 0
      ? [`import { ${[...ofLoops].join(', ')} } from '${new URL('./loops.ts', import.meta.url).href}'`]
      : []),
    '',
    `function results(${calledWith}) {`,
    ...lines.map((line) => `  ${line}`),
    '}',
    '',
    ...runs.flatMap((run) => [
      `setDevice('${run.device}')`,
      `console.log('${run.device}${run.compiled ? ', compiled' : ''}:', JSON.stringify(results(${mode === 'compiled' ? run.compiled : ''}), show))`,
    ]),
    '',
    '/** JSON has no NaN, infinities or negative zero. */',
    'function show(_: string, x: unknown): unknown {',
    "  return typeof x === 'number' && (!Number.isFinite(x) || Object.is(x, -0)) ? (Object.is(x, -0) ? '-0' : String(x)) : x",
    '}',
    '',
  ].join('\n')
}

function plain(name: string): string {
  return name.replace('type ', '').toLowerCase()
}
