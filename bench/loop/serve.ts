/**
 * How many requests a served model answers, and how fast: `node bench/loop/serve.ts [seconds] [rounds]`. The server is `descent serve` in a
 * process of its own, this process is the load. Digits of MNIST, 784 raw pixels a request, over 64 connections of 127.0.0.1.
 * The best of the rounds counts: other programs of the machine only take away.
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
console.log(line('perceptron, raw pixels', best(logged)))
console.log(line('perceptron, not logged', best(unlogged)))
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

console.log(`\n${await logging(20)}`)
console.log(await swaps(made, 100))
console.log(`Load after ${load1()}.`)
await made.remove()

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** Two servers, one that logs and one that does not, in turns of a second, so that what else runs disturbs both alike. */
async function logging(turns: number): Promise<string> {
  const servers = [await startServer(project.folder), await startServer(project.folder, ['--no-log'])] as const
  const rates: [number[], number[]] = [[], []]
  const work: [number[], number[]] = [[], []]
  for (let i = -2; i < 2 * turns; i++) {
    const which = (i & 1) as 0 | 1
    const { port, pid } = servers[which]
    const before = await processorSeconds(pid)
    const { perSecond, answered } = await load({ port, connections, seconds: 1, requests: pixels })
    const { answering } = await processorSeconds(pid)
    if (i < 0) continue
    rates[which].push(perSecond)
    work[which].push((1e6 * (answering - before.answering)) / answered)
  }
  const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number
  const [[on, off], [busyOn, busyOff]] = [rates.map(middle), work.map(middle)] as [[number, number], [number, number]]
  const last = (await servers[0].stop()).trim().split('\n').at(-1)
  await servers[1].stop()
  return `Logging, ${turns} turns of a second each, medians: ${whole(on)} requests a second with it, ${whole(off)} without (costs ${percent(1 - on / off)}); the thread that answers: ${busyOn.toFixed(1)} and ${busyOff.toFixed(1)} µs a request (${percent(busyOn / busyOff - 1)} more). ${last}`
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
