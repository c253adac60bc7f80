/**
 * `npm run bench:bandwidth`: operations that compute little for what they read and write, on arrays larger than the
 * caches, and their share of the machine's memory bandwidth (the triad of devices/x64/limits.ts). Outputs lie in memory
 * that is there, as the values inside of a plan do.
 *
 * Operation and triad take turns, so that a machine with other work to do slows both, and a share is the median of the
 * turns' shares. In a turn each runs twice and the second time counts: what the other has left in the caches is gone then.
 *
 *   npm run bench:bandwidth -- softmax 'layer norm'      some of them; without names, all
 *   npm run bench:bandwidth -- --processor               on one thread, by the processor's time that it takes: it hardly
 *                                                        changes where other processes take their turns
 */

import { availableParallelism } from 'node:os'
import { nn, randint, randn, setThreads, softmax, type Tensor, zeros } from 'descent'
import { currentDevice } from '../packages/descent/src/backend.ts'
import { planOf } from '../packages/descent/src/compile.ts'
import { openTriad, type Triad } from '../packages/descent/src/devices/x64/limits.ts'
import { summary } from './measure.ts'

interface Case {
  readonly name: string
  /** How many arrays of `size` floats its kernels must read and write. */
  readonly arrays: number
  readonly size: number
  readonly inputs: readonly Tensor[]
  readonly fn: (...inputs: readonly Tensor[]) => Tensor
}

const [rows, columns] = [8192, 2048]
const [count, width, picked] = [50_000, 512, 32_768]
const turns = 15
const byProcessor = process.argv.includes('--processor')

/** The gradient of a function's input, for a cotangent. */
function backwards(fn: (x: Tensor) => Tensor, parameters: readonly Tensor[] = []): Case['fn'] {
  return (x, cotangent) => {
    const leaf = (x as Tensor).detach().requiresGrad_()
    for (const p of parameters) p.grad = null
    fn(leaf).backward(cotangent as Tensor)
    return leaf.grad as Tensor
  }
}

function cases(): Case[] {
  const matrix = [randn([rows, columns]), randn([rows, columns])] as const
  const images = [randn([64, 64, 64, 64]), randn([64, 64, 64, 64])] as const
  const [size, pixels] = [rows * columns, 64 ** 4]
  const layerNorm = new nn.LayerNorm([columns])
  const [batchNorm, fixed] = [new nn.BatchNorm2d(64), new nn.BatchNorm2d(64).eval()]
  const table = randn([count, width])
  const places = randint(0, count, [picked])
  const one = (x: Tensor, y?: Tensor) => (y ? [x, y] : [x])
  return [
    { name: 'softmax', arrays: 2, size, inputs: one(matrix[0]), fn: (x) => softmax(x as Tensor, 1) },
    { name: 'softmax backwards', arrays: 3, size, inputs: matrix, fn: backwards((x) => softmax(x, 1)) },
    { name: 'layer norm', arrays: 2, size, inputs: one(matrix[0]), fn: (x) => layerNorm.forward(x as Tensor) },
    // Input and cotangent are read twice: along the rows, and along the columns for the gradients of weight and bias.
    {
      name: 'layer norm backwards',
      arrays: 5,
      size,
      inputs: matrix,
      fn: backwards((x) => layerNorm.forward(x), layerNorm.parameters()),
    },
    // Read twice: for mean and variance, then to be normalised.
    { name: 'batch norm', arrays: 3, size: pixels, inputs: one(images[0]), fn: (x) => batchNorm.forward(x as Tensor) },
    {
      name: 'batch norm in use',
      arrays: 2,
      size: pixels,
      inputs: one(images[0]),
      fn: (x) => fixed.forward(x as Tensor),
    },
    {
      name: 'batch norm backwards',
      arrays: 5,
      size: pixels,
      inputs: images,
      fn: backwards((x) => batchNorm.forward(x), batchNorm.parameters()),
    },
    {
      name: 'embedding',
      arrays: 2,
      size: picked * width,
      inputs: [table, places],
      fn: (t, i) => (t as Tensor).indexSelect(0, i as Tensor),
    },
    // The table's gradient is filled with zeros; then every row is read, added to, and written.
    {
      name: 'embedding backwards',
      arrays: 3 + count / picked,
      size: picked * width,
      inputs: [randn([picked, width]), places],
      fn: (g, i) => {
        const at = (i as Tensor).reshape(picked, 1).expand([picked, width])
        return zeros([count, width]).scatterAdd(0, at, g as Tensor)
      },
    },
  ]
}

interface Turn {
  /** Seconds of the operation, and of the triad right before. */
  readonly operation: number
  readonly triad: number
}

/** Seconds that have gone by, or that this process has computed for. */
function now(): number {
  if (!byProcessor) return performance.now() / 1000
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Runs it twice; seconds of the second time. */
function secondTime(run: () => void): number {
  run()
  const start = now()
  run()
  return now() - start
}

function turnsOf({ fn, inputs }: Case, triad: Triad): Turn[] {
  const device = currentDevice()
  const { planned, storages, inputs: read, outputs } = planOf(fn as (...x: Tensor[]) => Tensor, [...inputs])
  const bound = [...storages]
  for (const { slot, position } of read) bound[position] = (inputs[slot] as Tensor).stored.storage
  for (const { position, shape, dtype } of outputs) {
    bound[position] = device.allocate(
      dtype,
      shape.reduce((n, extent) => n * extent, 1),
    )
  }
  const runner = device.prepare(planned.plan)
  const run = (): void => runner.run(bound)
  run()
  return Array.from({ length: turns }, () => ({ triad: secondTime(triad.run), operation: secondTime(run) }))
}

const median = (values: readonly number[]): number => summary(values).median

const triad = openTriad(byProcessor ? 1 : availableParallelism())
if (byProcessor) setThreads(1)
const wanted = process.argv.slice(2).filter((name) => name !== '--processor')
console.log(`device ${currentDevice().name}${byProcessor ? ", one thread, processor's time" : ''}\n`)
console.log(`${'operation'.padEnd(22)}  median ms  min ms   GB/s  triad  share`)
for (const c of cases().filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const bytes = 4 * c.arrays * c.size
  const measured = turnsOf(c, triad)
  const { median: seconds, min } = summary(measured.map(({ operation }) => operation))
  const limit = triad.bytes / median(measured.map((turn) => turn.triad))
  const share = median(measured.map((turn) => bytes / turn.operation / (triad.bytes / turn.triad)))
  const columnsOf = [
    (1000 * seconds).toFixed(2).padStart(9),
    (1000 * min).toFixed(2).padStart(7),
    (bytes / seconds / 1e9).toFixed(1).padStart(6),
    (limit / 1e9).toFixed(1).padStart(6),
  ]
  console.log(`${c.name.padEnd(22)}  ${columnsOf.join(' ')}   ${(100 * share).toFixed(0)} %`)
}
triad.close()
