/** Generated code to be read by a person: each kernel's functions, instruction by instruction, in WebAssembly's text names. */
import type { Plan } from '../../kernel/kernel.ts'
import { printKernel } from '../../kernel/print.ts'
import type { EmittedKernel } from '../vector/target.ts'
import type { FunctionBuilder, ModuleBuilder } from './encode.ts'
import * as op from './opcodes.ts'

export function listModule(plan: Plan, kernels: readonly EmittedKernel[], module: ModuleBuilder): string {
  return kernels
    .map((kernel, i) => {
      const bodies = kernel.phases.map((phase) => module.functionAt(phase.body.index) as FunctionBuilder)
      const phases = bodies.map((body, p) => `phase ${p}, function ${body.index}\n${disassemble(body)}`)
      const called = calledBy(bodies, module).map((f) => `function ${f.index}\n${disassemble(f)}`)
      const text = printKernel(plan.kernels[i] as Plan['kernels'][number])
      return `kernel ${i}: ${text}\n\n${[...phases, ...called].join('\n')}`
    })
    .join('\n\n')
}

/** What the functions call, directly or not, in the order of the module. */
function calledBy(bodies: readonly FunctionBuilder[], module: ModuleBuilder): FunctionBuilder[] {
  const found = new Set<FunctionBuilder>()
  const visit = (f: FunctionBuilder): void => {
    for (const index of f.callees) {
      const callee = module.functionAt(index)
      if (!callee || found.has(callee)) continue
      found.add(callee)
      visit(callee)
    }
  }
  for (const body of bodies) visit(body)
  return [...found].filter((f) => !bodies.includes(f)).sort((a, b) => a.index - b.index)
}

/** What follows an opcode: how to read it. */
type Operands = 'none' | 'index' | 'i32' | 'i64' | 'f32' | 'f64' | 'memory' | 'block' | 'table' | 'two'

const plain = new Map<number, [name: string, operands: Operands]>([
  [0x00, ['unreachable', 'none']],
  [0x02, ['block', 'block']],
  [0x03, ['loop', 'block']],
  [0x04, ['if', 'block']],
  [0x05, ['else', 'none']],
  [0x0b, ['end', 'none']],
  [0x0c, ['br', 'index']],
  [0x0d, ['br_if', 'index']],
  [0x0e, ['br_table', 'table']],
  [0x0f, ['return', 'none']],
  [0x10, ['call', 'index']],
  [0x11, ['call_indirect', 'two']],
  [0x1a, ['drop', 'none']],
  [0x1b, ['select', 'none']],
  [0x1c, ['select', 'two']],
  [0x20, ['local.get', 'index']],
  [0x21, ['local.set', 'index']],
  [0x22, ['local.tee', 'index']],
  [0x23, ['global.get', 'index']],
  [0x24, ['global.set', 'index']],
  [0x41, ['i32.const', 'i32']],
  [0x42, ['i64.const', 'i64']],
  [0x43, ['f32.const', 'f32']],
  [0x44, ['f64.const', 'f64']],
])
const named = (
  codes: Record<string, number>,
  prefix: string,
  operands: Operands,
  into: Map<number, [string, Operands]>,
): void => {
  for (const [name, code] of Object.entries(codes)) into.set(code, [prefix + name, operands])
}
named(op.i32, 'i32.', 'none', plain)
named(op.i64, 'i64.', 'none', plain)
named(op.f32, 'f32.', 'none', plain)
named(op.f64, 'f64.', 'none', plain)
named(op.conversion, '', 'none', plain)
named(op.load, '', 'memory', plain)
named(op.store, '', 'memory', plain)

const atomic = new Map<number, [string, Operands]>([[0x03, ['atomic.fence', 'index']]])
named(op.atomic, '', 'memory', atomic)

const vector = new Map<number, [string, Operands]>([[11, ['v128.store', 'memory']]])
for (const [codes, prefix] of [
  [op.v128, 'v128.'],
  [op.i32x4, 'i32x4.'],
  [op.i64x2, 'i64x2.'],
  [op.f32x4, 'f32x4.'],
  [op.f64x2, 'f64x2.'],
] as const) {
  named(codes, prefix, 'none', vector)
}
named(op.vectorLoad, '', 'memory', vector)
const lanes = new Map(Object.entries(op.laneAccess).map(([name, code]) => [code as number, name]))
const laneValues = new Map(Object.entries(op.laneValue).map(([name, code]) => [code as number, name]))

class Reader {
  at = 0
  readonly bytes: Uint8Array
  constructor(bytes: readonly number[]) {
    this.bytes = Uint8Array.from(bytes)
  }
  byte(): number {
    return this.bytes[this.at++] as number
  }
  unsigned(): number {
    let result = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      result += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return result
    }
  }
  signed(): bigint {
    let result = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte()
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return byte & 0x40 ? result - (1n << (shift + 7n)) : result
    }
  }
  view(length: number): DataView {
    this.at += length
    return new DataView(this.bytes.buffer, this.at - length, length)
  }
}

/** A function's instructions, one a line, indented by block. */
export function disassemble(f: FunctionBuilder): string {
  const reader = new Reader(f.body())
  reader.unsigned()
  for (let runs = reader.unsigned(); runs > 0; runs--) {
    reader.unsigned()
    reader.byte()
  }
  const lines: string[] = []
  let depth = 1
  while (reader.at < reader.bytes.length) {
    const code = reader.byte()
    if (code === 0x0b || code === 0x05) depth--
    lines.push('  '.repeat(Math.max(depth, 0)) + instruction(code, reader))
    if (code >= 0x02 && code <= 0x05) depth++
  }
  return lines.join('\n')
}

function instruction(code: number, reader: Reader): string {
  if (code === 0xfd) return vectorInstruction(reader)
  if (code === 0xfe) return described(atomic.get(reader.unsigned()), reader)
  if (code === 0xfc) {
    const second = reader.unsigned()
    if (second >= 0x0a) reader.at += second === 0x0a ? 2 : 1
    return ['i32.trunc_sat_f32_s', 'i32.trunc_sat_f32_u'][second] ?? (second === 0x0a ? 'memory.copy' : 'memory.fill')
  }
  return described(plain.get(code), reader)
}

function vectorInstruction(reader: Reader): string {
  const code = reader.unsigned()
  if (code === 12) {
    const view = reader.view(16)
    return `v128.const i32x4 ${[0, 4, 8, 12].map((i) => view.getInt32(i, true)).join(' ')}`
  }
  if (code === 13) {
    reader.at += 16
    return `i8x16.shuffle ${reader.bytes.slice(reader.at - 16, reader.at).join(' ')}`
  }
  const access = lanes.get(code)
  if (access) return `${described([access, 'memory'], reader)} lane=${reader.byte()}`
  const lane = laneValues.get(code)
  if (lane) return `${lane} ${reader.byte()}`
  return described(vector.get(code), reader)
}

function described(entry: [string, Operands] | undefined, reader: Reader): string {
  if (!entry) throw new Error(`an instruction without a name at byte ${reader.at}`)
  const [name, operands] = entry
  switch (operands) {
    case 'none':
      return name
    case 'index':
      return `${name} ${reader.unsigned()}`
    case 'i32':
    case 'i64':
      return `${name} ${reader.signed()}`
    case 'f32':
      return `${name} ${reader.view(4).getFloat32(0, true)}`
    case 'f64':
      return `${name} ${reader.view(8).getFloat64(0, true)}`
    case 'memory': {
      reader.unsigned()
      const offset = reader.unsigned()
      return offset === 0 ? name : `${name} offset=${offset}`
    }
    case 'block':
      reader.byte()
      return name
    case 'two':
      return `${name} ${reader.unsigned()} ${reader.unsigned()}`
    case 'table': {
      const count = reader.unsigned()
      return `${name} ${Array.from({ length: count + 1 }, () => reader.unsigned()).join(' ')}`
    }
  }
}
