/** `npm run bench`: Descent beside its peers, taking turns in one run on one machine. */
import { existsSync } from 'node:fs'
import type { DeviceName } from 'descent'
import { choose, parseArguments, usage } from './arguments.ts'
import { type Contender, descent, peers, Session, timeCompile, timeOnce } from './contenders.ts'
import { fastDevices, unusable } from './devices.ts'
import { type Limits, type Measures, machineLimits, measureLimits } from './limits.ts'
import { schedule, summary } from './measure.ts'
import { headings, layout, type Outcome, row } from './table.ts'
import type { Workload } from './workload.ts'
import { compilations } from './workloads/compile.ts'
import { w8, workloads } from './workloads/index.ts'

const prepareLimitMs = 120_000
const processRounds = 8

class Running {
  readonly contender: Contender
  readonly #threads: number
  #session: Session | null = null

  constructor(contender: Contender, threads: number) {
    this.contender = contender
    this.#threads = threads
  }

  /** The contender's process; one that has died or was too slow is started anew. */
  session(): Session | string {
    const { needs } = this.contender
    if (needs !== null && !existsSync(needs)) return 'not installed'
    this.#session ??= new Session(this.contender, this.#threads)
    return this.#session
  }

  close(): void {
    this.#session?.close()
    this.#session = null
  }
}

interface Result {
  readonly outcome: Outcome
  readonly threads: number
}

async function measure(name: string, contenders: readonly Running[], threads: number): Promise<Result[]> {
  const times = contenders.map((): number[] => [])
  const used = contenders.map(() => threads)
  const failures = contenders.map((): string | null => null)
  const spent = contenders.map(() => 0)
  for (const [i, running] of contenders.entries()) {
    const session = running.session()
    const reply =
      typeof session === 'string' ? { cannot: session } : await session.ask({ prepare: name, threads }, prepareLimitMs)
    if ('cannot' in reply) {
      failures[i] = reply.cannot
      if (reply.cannot === 'too slow' || reply.cannot === 'has crashed') running.close()
    } else if ('threads' in reply) used[i] = reply.threads
  }
  const { rounds, turnMs, least, most, budgetMs } = schedule
  for (let round = 0; round < rounds; round++) {
    for (const [i, running] of contenders.entries()) {
      const session = running.session()
      if (failures[i] !== null || typeof session === 'string' || (spent[i] as number) > budgetMs) continue
      const start = performance.now()
      const reply = await session.ask({ run: { ms: turnMs, least, most } }, prepareLimitMs)
      spent[i] = (spent[i] as number) + performance.now() - start
      if ('times' in reply) times[i]?.push(...reply.times)
      else if ('cannot' in reply) {
        failures[i] = reply.cannot
        running.close()
      }
    }
  }
  return contenders.map((_, i) => ({
    outcome: failures[i] ?? summary(times[i] as number[]),
    threads: used[i] as number,
  }))
}

/** Starts a process for each timing, the contenders taking turns. */
async function measureProcesses(
  contenders: readonly Running[],
  threads: number,
  time: (contender: Contender) => Promise<number | string>,
): Promise<Result[]> {
  const times = contenders.map((): number[] => [])
  const failures = contenders.map((): string | null => null)
  for (let round = 0; round < processRounds; round++) {
    for (const [i, { contender }] of contenders.entries()) {
      if (failures[i] !== null) continue
      const taken = await time(contender)
      if (typeof taken === 'string') failures[i] = taken
      // The first start reads the files from disk.
      else if (round > 0) times[i]?.push(taken)
    }
  }
  return contenders.map((_, i) => ({ outcome: failures[i] ?? summary(times[i] as number[]), threads }))
}

function measureWorkload(workload: Workload, contenders: readonly Running[], threads: number): Promise<Result[]> {
  if (workload === w8) return measureProcesses(contenders, threads, (contender) => timeOnce(contender, threads))
  const compilation = compilations.find(({ name }) => name === workload.name)
  if (!compilation) return measure(workload.name, contenders, threads)
  return measureProcesses(contenders, threads, (contender) => timeCompile(contender, compilation, threads))
}

function printJson(workload: Workload, contenders: readonly Running[], results: readonly Result[]): void {
  for (const [i, { outcome, threads }] of results.entries()) {
    const { name: peer, device } = (contenders[i] as Running).contender
    if (typeof outcome === 'string') {
      process.stderr.write(`${workload.name} ${peer} ${device}: ${outcome}\n`)
      continue
    }
    const { median, min, n } = outcome
    console.log(JSON.stringify({ workload: workload.name, peer, device, threads, median_ms: median, min_ms: min, n }))
  }
}

function described({ x64, wasm }: Measures, threads: number): string {
  const rates = ({ flops, bytes }: Limits): string =>
    `multiply-add ${(flops / 1e9).toFixed(0)} GFLOP/s, triad ${(bytes / 1e9).toFixed(1)} GB/s`
  const native = x64 ? `native code ${rates(x64)}; ` : ''
  return `Limits on ${threads} ${threads === 1 ? 'thread' : 'threads'}: ${native}WebAssembly ${rates(wasm)}.`
}

/** What the table's columns mean. */
function explained(device: DeviceName, { x64 }: Measures): string {
  return `Times in ms, medians; in brackets how many times as long as Descent on ${device}.
limit: what the workload's arithmetic, or its traffic to main memory, takes at the rates of ${x64 ? 'native code (of WebAssembly, where that reached more)' : 'WebAssembly, for native code could not be measured here'}.
share: how much of a device's median that is.`
}

function chooseDevices(asked: readonly DeviceName[] | null): readonly DeviceName[] {
  for (const name of asked ?? []) {
    const reason = unusable(name)
    if (reason !== null) throw new RangeError(`--device ${name}: ${reason}`)
  }
  return asked ?? fastDevices()
}

async function main(): Promise<void> {
  const { names, devices: asked, threads, json, alone } = parseArguments(process.argv.slice(2))
  const chosen = choose(workloads, names)
  const devices = chooseDevices(asked)
  const own = devices.map((device) => descent(device, threads))
  const contenders = [...own, ...(alone ? [] : peers)].map((contender) => new Running(contender, threads))
  const measures = json ? null : measureLimits(threads)
  if (measures) console.log(described(measures, threads))
  const shows = !json && process.stderr.isTTY
  const rows = [
    headings(
      devices,
      contenders.slice(devices.length).map(({ contender }) => contender.name),
    ),
  ]
  for (const workload of chosen) {
    if (shows) process.stderr.write(`\r\x1b[K${workload.name} …`)
    const results = await measureWorkload(workload, contenders, threads)
    if (!measures) printJson(workload, contenders, results)
    else {
      const outcomes = results.map(({ outcome }) => outcome)
      const [ours, theirs] = [outcomes.slice(0, devices.length), outcomes.slice(devices.length)]
      rows.push(row(workload, ours, theirs, machineLimits(measures)))
    }
  }
  for (const running of contenders) running.close()
  if (!measures) return
  if (shows) process.stderr.write('\r\x1b[K')
  console.log(`\n${layout(rows)}\n\n${explained(devices[0] as DeviceName, measures)}\n`)
  for (const { name, about } of chosen) console.log(`${name}: ${about}`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof RangeError || (error instanceof TypeError && 'code' in error))) throw error
  console.error(`${error.message}\n\n${usage}`)
  process.exitCode = 2
}
