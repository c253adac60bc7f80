/**
 * The golden cases as they stand in the files: what PyTorch computed in double precision (see the folder's README).
 * A family is one file, a JSON list of cases.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Tensor, tensor } from '../src/index.ts'

export const families = ['tensor', 'activations', 'losses', 'layers', 'optimizers', 'schedulers', 'training'] as const
export type Family = (typeof families)[number]

export interface TensorValue {
  readonly shape: readonly number[]
  readonly dtype: 'f32' | 'i32' | 'bool'
  readonly data: readonly (number | string | boolean)[]
}
type TensorValues = Readonly<Record<string, TensorValue>>

/** An operation, loss or layer: inputs, outputs, and the gradients of sum(output · cotangent). */
export interface OperationCase {
  readonly name: string
  readonly op: string
  readonly args: Readonly<Record<string, unknown>>
  readonly inputs: TensorValues
  readonly outputs: readonly TensorValue[]
  /** One for each float output, in order. */
  readonly cotangents?: readonly TensorValue[]
  readonly gradients?: TensorValues
  readonly state?: TensorValues
  readonly parameter_gradients?: TensorValues
  readonly state_after?: TensorValues
}

/** A parameter and what each step, given a gradient, made of it; or gradients and what clipping made of them. */
export interface OptimizerCase {
  readonly name: string
  readonly op: string
  readonly args: Readonly<Record<string, unknown>>
  readonly parameter?: TensorValue
  readonly steps?: readonly { readonly gradient: TensorValue; readonly parameter: TensorValue }[]
  readonly gradients?: readonly TensorValue[]
  readonly clipped?: readonly TensorValue[]
  readonly norm?: number | null
}

export interface SchedulerCase {
  readonly name: string
  readonly op: string
  readonly args: Readonly<Record<string, unknown>>
  readonly rates: readonly number[]
  /** What a schedule that follows a measure is given at each step. */
  readonly metrics?: readonly number[]
}

export interface TrainingCase {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  readonly state: TensorValues
  readonly x: TensorValue
  readonly y: TensorValue
  readonly losses: readonly number[]
  readonly state_after: TensorValues
}

/** The cases of each family of which the folder has a file. */
export interface Cases {
  tensor?: readonly OperationCase[]
  activations?: readonly OperationCase[]
  losses?: readonly OperationCase[]
  layers?: readonly OperationCase[]
  optimizers?: readonly OptimizerCase[]
  schedulers?: readonly SchedulerCase[]
  training?: readonly TrainingCase[]
}

export function readCases(folder: string, wanted: readonly Family[]): Cases {
  const cases: Record<string, unknown> = {}
  for (const family of wanted) {
    const file = join(folder, `${family}.json`)
    if (existsSync(file)) cases[family] = JSON.parse(readFileSync(file, 'utf8'))
  }
  return cases
}

export function numbersOf(value: TensorValue): number[] {
  return value.data.map((x) =>
    x === 'nan' ? Number.NaN : x === 'inf' ? Infinity : x === '-inf' ? -Infinity : Number(x),
  )
}

export function tensorOf(value: TensorValue): Tensor {
  const numbers = numbersOf(value)
  const values = value.dtype === 'f32' ? Float32Array.from(numbers) : Int32Array.from(numbers)
  return tensor(values, { shape: value.shape, dtype: value.dtype })
}

export function tensorsOf(values: TensorValues): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tensorOf(value)]))
}

/** The arguments of a case, read with their types; a missing one without a fallback is an error. */
export class Args {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null
  }

  number(name: string, fallback?: number): number {
    const value = this.#values[name] ?? fallback
    if (typeof value !== 'number') throw new TypeError(`argument ${name}: ${JSON.stringify(value)} is not a number`)
    return value
  }

  flag(name: string, fallback = false): boolean {
    const value = this.#values[name] ?? fallback
    if (typeof value !== 'boolean') throw new TypeError(`argument ${name}: ${JSON.stringify(value)} is not a boolean`)
    return value
  }

  text(name: string, fallback?: string): string {
    const value = this.#values[name] ?? fallback
    if (typeof value !== 'string') throw new TypeError(`argument ${name}: ${JSON.stringify(value)} is not a text`)
    return value
  }

  numbers(name: string): number[] {
    const value = this.#values[name]
    if (!isNumbers(value)) throw new TypeError(`argument ${name}: ${JSON.stringify(value)} is not a list of numbers`)
    return value
  }

  /** A number or a list of them: the size of a kernel or a stride. */
  sizes(name: string, fallback?: number): number | number[] {
    const value = this.#values[name] ?? fallback
    return isNumbers(value) ? value : this.number(name, fallback)
  }

  /** A dimension, several, or null for all. */
  dims(name: string): number | number[] | null {
    return this.has(name) ? this.sizes(name) : null
  }

  /** One entry a dimension: null, an index, or [start, stop, step]. */
  slices(name: string): (null | number | [number, number, number])[] {
    const value = this.#values[name]
    if (!Array.isArray(value)) throw new TypeError(`argument ${name}: ${JSON.stringify(value)} is not a list`)
    return value.map((spec: unknown) => {
      if (spec === null || typeof spec === 'number') return spec
      if (isNumbers(spec) && spec.length === 3) return [spec[0] as number, spec[1] as number, spec[2] as number]
      throw new TypeError(`argument ${name}: ${JSON.stringify(spec)} is not a slice`)
    })
  }
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((x) => typeof x === 'number')
}
