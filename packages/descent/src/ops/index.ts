/** The table of all primitive operations, by name. */
import * as conv from './conv.ts'
import * as elementwise from './elementwise.ts'
import * as indexing from './indexing.ts'
import * as loop from './loop.ts'
import * as matmul from './matmul.ts'
import * as movement from './movement.ts'
import * as random from './random.ts'
import * as reduce from './reduce.ts'

/** What the table tells of an operation: whether it has a gradient. */
export interface Operation {
  readonly name: string
  readonly differentiable: boolean
}

const families = [elementwise, reduce, movement, matmul, conv, indexing, random, loop]

export const operations: readonly Operation[] = families
  .flatMap((family) => Object.values(family) as readonly unknown[])
  .filter(
    (item): item is { name: string; lower: unknown; vjp?: unknown } =>
      typeof item === 'object' && item !== null && 'lower' in item,
  )
  .map((op) => ({ name: op.name, differentiable: op.vjp !== undefined }))
