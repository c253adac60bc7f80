/** The command line of the bench. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { DeviceName } from 'descent'
import { deviceNames } from './devices.ts'

export interface BenchArguments {
  /** Names or their beginnings; empty for all. */
  readonly names: readonly string[]
  /** Descent's devices, the one that ratios refer to first; null for every fast one that works here. */
  readonly devices: readonly DeviceName[] | null
  readonly threads: number
  readonly json: boolean
  /** Without the peers. */
  readonly alone: boolean
}

export const usage = `npm run bench -- [WORKLOAD…] [--device x64,wasm,reference] [--threads N] [--json] [--alone]
  WORKLOAD  a name or its beginning: W1, W2, W2_b32, COMPILE, GEMM, … (default: all)
  --device  one of Descent's devices, or several with commas; ratios refer to the first (default: the fast ones)
  --json    one JSON object a line instead of the table
  --alone   Descent only, without its peers`

export function parseArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      device: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
      alone: { type: 'boolean', default: false },
    },
  })
  const threads = Number(values.threads)
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`--threads ${values.threads}: give a whole number from 1.`)
  const devices = values.device === undefined ? null : [...new Set(values.device.split(',').map(known))]
  return { names: positionals, devices, threads, json: values.json, alone: values.alone }
}

function known(name: string): DeviceName {
  const found = deviceNames.find((device) => device === name)
  if (found) return found
  throw new RangeError(`--device ${name}: choose from ${deviceNames.join(', ')}.`)
}

/** The entries whose name is, or begins with, one that was asked for; `W1` is not meant to find `W10`. */
export function choose<T extends { readonly name: string }>(all: readonly T[], names: readonly string[]): T[] {
  const matches = (name: string, wanted: string): boolean => name === wanted || name.startsWith(`${wanted}_`)
  const unknown = names.find((wanted) => !all.some(({ name }) => matches(name, wanted)))
  if (unknown !== undefined) {
    throw new RangeError(`There is no workload ${unknown}. There are: ${all.map(({ name }) => name).join(', ')}.`)
  }
  return names.length === 0 ? [...all] : all.filter(({ name }) => names.some((wanted) => matches(name, wanted)))
}
