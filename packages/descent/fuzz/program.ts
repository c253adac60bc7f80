/**
 * A graph as data: inputs, statements outside of the function (views), the statements of the function, and what it
 * returns. Every value has a number; a statement calls a method of a value, or a function of the library.
 *
 * It can be run (`interpret.ts`), made smaller (`shrink.ts`) and printed as TypeScript (`print.ts`).
 */
import type { DType, Shape } from '../src/index.ts'
import { mix } from './random.ts'

/** An operand or a setting: `ref` is a value by number, `grad` the `.grad` of one. */
export type Param =
  | null
  | number
  | boolean
  | string
  | { readonly ref: number }
  | { readonly grad: number }
  | readonly Param[]
  | { readonly options: Readonly<Record<string, Param>> }

export interface Statement {
  readonly id: number
  /** A method of the value `on`, or a function of the library where `on` is null. */
  readonly on: number | null
  readonly call: string
  readonly params: readonly Param[]
  /** Which part of the result is meant: `.values`, `.indices`, or a place in a list. */
  readonly part?: string | number
}

/** How the values of an input come about; `values` stand for themselves. */
export type Fill =
  /** Whole numbers from −3 to 3. */
  | 'whole'
  /** Multiples of a half from −2 to 2. */
  | 'half'
  | 'unit'
  | 'positive'
  /** Magnitudes from 1e-30 to 1e30. */
  | 'wide'
  /** NaN, infinities, both zeros, denormals, the largest and smallest numbers among others. */
  | 'special'
  /** Any i32. */
  | 'bits'
  | { readonly below: number }
  | { readonly values: readonly number[] }

export interface TensorInput {
  readonly kind: 'tensor'
  readonly id: number
  readonly shape: Shape
  readonly dtype: DType
  readonly fill: Fill
  readonly seed: number
  readonly requiresGrad: boolean
}
export interface NumberInput {
  readonly kind: 'number'
  readonly id: number
  readonly value: number
}
export interface GeneratorInput {
  readonly kind: 'generator'
  readonly id: number
  readonly seed: number
}
export type Input = TensorInput | NumberInput | GeneratorInput

export interface Program {
  readonly inputs: readonly Input[]
  /** Run once, before the function. */
  readonly setup: readonly Statement[]
  /** Values that are handed over at each call; the function finds the others by itself. */
  readonly args: readonly number[]
  readonly body: readonly Statement[]
  readonly outputs: readonly number[]
  /** Whether the function begins by taking the gradients of its inputs away. */
  readonly zeroGrad: boolean
  readonly calls: number
}

const specials = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1e-45,
  -1e-40,
  1.1754943508222875e-38,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  1e20,
  -1e-20,
  16777217,
  0.5,
  -2.5,
  1,
  -1,
]

function element(fill: Exclude<Fill, { values: readonly number[] }>, random: number): number {
  const unit = random / 2 ** 32
  if (typeof fill === 'object') return Math.floor(unit * fill.below)
  switch (fill) {
    case 'whole':
      return Math.floor(unit * 7) - 3
    case 'half':
      return (Math.floor(unit * 9) - 4) / 2
    case 'unit':
      return Math.fround(unit * 3 - 1.5)
    case 'positive':
      return Math.fround(0.25 + 2 * unit)
    case 'wide':
      return Math.fround((random & 1 ? -1 : 1) * 10 ** (60 * unit - 30))
    case 'special':
      return random & 1
        ? Math.fround(unit * 4 - 2)
        : Math.fround(specials[Math.floor(unit * specials.length)] as number)
    case 'bits':
      return random | 0
  }
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1)
}

/** The values of an input at a call; of a dtype's own kind: whole numbers for i32, 0 or 1 for bool. */
export function valuesOf({ shape, dtype, fill, seed }: TensorInput, call = 0): number[] {
  if (typeof fill === 'object' && 'values' in fill) return [...fill.values]
  return Array.from({ length: sizeOf(shape) }, (_, i) => {
    const value = element(fill, mix(seed + 7919 * call, i))
    if (dtype === 'bool') return Number(value > 0)
    return dtype === 'i32' ? Math.trunc(value) : value
  })
}

/** The values that a parameter names. */
export function refsOf(param: Param): number[] {
  if (typeof param !== 'object' || param === null) return []
  if (isList(param)) return param.flatMap(refsOf)
  if ('ref' in param) return [param.ref]
  if ('grad' in param) return [param.grad]
  return Object.values(param.options).flatMap(refsOf)
}

export function isList(param: Param): param is readonly Param[] {
  return Array.isArray(param)
}

export function statementRefs({ on, params }: Statement): number[] {
  return [...(on === null ? [] : [on]), ...params.flatMap(refsOf)]
}

/** The parameter with other values in place of those it names. */
export function mapRefs(param: Param, change: (id: number) => number): Param {
  if (typeof param !== 'object' || param === null) return param
  if (isList(param)) return param.map((item) => mapRefs(item, change))
  if ('ref' in param) return { ref: change(param.ref) }
  if ('grad' in param) return { grad: change(param.grad) }
  return {
    options: Object.fromEntries(Object.entries(param.options).map(([name, item]) => [name, mapRefs(item, change)])),
  }
}

/** Whether some statement reads a `.grad`: then a compiled function keeps that gradient to itself. */
export function readsGradients(program: Program): boolean {
  const reads = (param: Param): boolean => {
    if (typeof param !== 'object' || param === null) return false
    if (isList(param)) return param.some(reads)
    return 'grad' in param || ('options' in param && Object.values(param.options).some(reads))
  }
  return program.body.some((s) => s.params.some(reads))
}

/** The inputs that a statement of the function overwrites. */
export function overwritten(program: Program): Set<number> {
  const inPlace = ['copy_', 'fill_', 'zero_']
  return new Set(program.body.filter((s) => s.on !== null && inPlace.includes(s.call)).map((s) => s.on as number))
}
