/**
 * How many requests a served model answers, and how fast: `node bench/loop/serve.ts [seconds] [rounds]`. The server is `descent serve` in a
 * process of its own, this process is the load. Digits of MNIST, 784 raw pixels a request, over 64 connections of 127.0.0.1.
 *
 * What is compared (logging on and off) is measured in turns and the best round counts, so that other programs of the machine
 * disturb both alike; processor time a request disturbs least.
 */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { setAlias } from '../../packages/loop/src/registry/aliases.ts'
import { type DigitsProject, digitsProject, memoryOf, processorSeconds, startServer } from './digits-project.ts'
import { type LoadResult, load, post } from './load.ts'

const seconds = Number(process.argv[2] ?? 5)
const rounds = Number(process.argv[3] ?? 3)
const connections = 64

interface Measured {
  readonly load: LoadResult
  /** Processor time of the server in microseconds a request: the thread that answers, and all together. */
  readonly answering: number
  readonly processor: number
  readonly memory: number
  readonly last: string
}

const made = await digitsProject()
const { project, digits } = made
const pixels = digits.slice(0, 500).map((digit) => post('/predict', 'application/octet-stream', digit.pixels))
const json = digits
  .slice(0, 500)
  .map((digit) => post('/predict', 'application/json', JSON.stringify({ pixels: [...digit.pixels] })))

async function measure(args: readonly string[], requests: readonly Buffer[], rate?: number): Promise<Measured> {
  const server = await startServer(project.folder, args)
  try {
    await load({ port: server.port, connections, seconds: 1, requests })
    const before = await processorSeconds(server.pid)
    const result = await load({ port: server.port, connections, seconds, requests, ...(rate && { rate }) })
    const after = await processorSeconds(server.pid)
    const each = (from: number, to: number) => (1e6 * (to - from)) / result.answered
    const memory = await memoryOf(server.pid)
    return {
      load: result,
      answering: each(before.answering, after.answering),
      processor: each(before.all, after.all),
      memory,
      last: (await server.stop()).trim().split('\n').at(-1) ?? '',
    }
  } finally {
    await server.kill()
  }
}

const best = (all: readonly Measured[]) => all.reduce((a, b) => (b.load.perSecond > a.load.perSecond ? b : a))
const ms = (value: number) => `${value.toFixed(1)} ms`
const whole = (value: number) => Math.round(value).toLocaleString('en')
const failed = ({ statuses, lost }: LoadResult) =>
  lost + [...statuses].reduce((sum, [status, count]) => sum + (status === 200 ? 0 : count), 0)

function line(name: string, { load: result, answering, processor, memory }: Measured): string {
  return `| ${name} | ${whole(result.perSecond)} | ${ms(result.p50)} | ${ms(result.p99)} | ${failed(result)} | ${whole(answering)} of ${whole(processor)} µs | ${whole(memory)} MB |`
}

const load1 = () => (loadavg()[0] as number).toFixed(1)

console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, load before ${load1()}; ${seconds} s each, best of ${rounds}\n`,
)
console.log(
  '| | requests/s | p50 | p99 | failed | thread that answers, of all | memory |\n|---|---|---|---|---|---|---|',
)

const [logged, unlogged, asJson]: [Measured[], Measured[], Measured[]] = [[], [], []]
for (let i = 0; i < rounds; i++) {
  logged.push(await measure([], pixels))
  unlogged.push(await measure(['--no-log'], pixels))
  asJson.push(await measure([], json))
}
const [on, off] = [best(logged), best(unlogged)]
console.log(line('perceptron, raw pixels', on))
console.log(line('perceptron, not logged', off))
console.log(line('perceptron, pixels as JSON', best(asJson)))
const half = []
for (let i = 0; i < rounds; i++) half.push(await measure([], pixels, 2500))
console.log(
  line(
    'perceptron, at 2,500 a second',
    half.reduce((a, b) => (b.load.p99 < a.load.p99 ? b : a)),
  ),
)

await setAlias(project, 'champion', 2)
const convolution: Measured[] = []
for (let i = 0; i < rounds; i++) convolution.push(await measure([], pixels))
console.log(line('convolutional network', best(convolution)))
await setAlias(project, 'champion', 1)

console.log(
  `\nLogging: ${percent(1 - on.load.perSecond / off.load.perSecond)} fewer requests a second, ${percent(on.answering / off.answering - 1)} more work for the thread that answers. ${on.last}`,
)
console.log(await swaps(made, 100))
console.log(`Load after ${load1()}.`)
await made.remove()

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** The champion changes again and again under full load. */
async function swaps({ project }: DigitsProject, count: number): Promise<string> {
  const server = await startServer(project.folder)
  const seen: number[] = []
  let asking = true
  const memory = await memoryOf(server.pid)
  const loading = (async () => {
    const results: LoadResult[] = []
    while (asking) {
      results.push(
        await load({
          port: server.port,
          connections: 16,
          seconds: 2,
          requests: pixels,
          onBody(body) {
            const version = Number(/"version":(\d+)/.exec(body)?.[1])
            if (version !== seen.at(-1)) seen.push(version)
          },
        }),
      )
    }
    return results
  })()
  const delays: number[] = []
  for (let i = 0; i < count; i++) {
    // The champion before is kept ready; of three, the next one must always be loaded.
    const next = [3, 4, 1][i % 3] as number
    const since = performance.now()
    await setAlias(project, 'champion', next)
    while (seen.at(-1) !== next) await new Promise((resolve) => setTimeout(resolve, 2))
    delays.push(performance.now() - since)
  }
  asking = false
  const results = await loading
  const answered = results.reduce((sum, result) => sum + result.answered, 0)
  const after = await memoryOf(server.pid)
  await server.stop()
  delays.sort((a, b) => a - b)
  return `${count} swaps under load: ${whole(answered)} requests, ${results.reduce((sum, result) => sum + failed(result), 0)} failed; noticed after ${ms(delays[count >> 1] as number)} (median), ${ms(delays.at(-1) as number)} (worst); memory ${whole(memory)} MB before, ${whole(after)} MB after.`
}
