/** The workloads, in the order of the table. */
import type { Step, Workload } from '../workload.ts'
import { compilations } from './compile.ts'
import * as gemm from './gemm.ts'
import * as one from './w1.ts'
import * as two from './w2.ts'
import * as three from './w3.ts'
import * as four from './w4.ts'
import * as five from './w5.ts'
import * as six from './w6.ts'
import * as seven from './w7.ts'
import * as nine from './w9.ts'

/** Measured by starting processes, as the compilations are: see run.ts. */
export const w8: Workload = {
  name: 'W8',
  about: "process start to the end of W2's first step, batch 32",
  flops: 0,
  bytes: 0,
}

const prepared: readonly (readonly [Workload, () => Step])[] = [
  [one.w1, one.prepare],
  [two.w2b32, () => two.prepare(32)],
  [two.w2b256, () => two.prepare(256)],
  [three.w3, three.prepare],
  [four.w4, four.prepare],
  [five.w5mlp, () => five.prepare('mlp')],
  [five.w5cnn, () => five.prepare('cnn')],
  [six.w6, six.prepare],
  [seven.w7, seven.prepare],
  [nine.w9, nine.prepare],
  ...gemm.gemms.map((g) => [g, () => gemm.prepare(g.product)] as const),
]

export const workloads: readonly Workload[] = prepared
  .map(([workload]) => workload)
  .toSpliced(prepared.findIndex(([{ name }]) => name === 'W7') + 1, 0, w8, ...compilations)

export function prepare(name: string): Step {
  const found = prepared.find(([workload]) => workload.name === name)
  if (!found) throw new RangeError(`There is no workload ${name}.`)
  return found[1]()
}
