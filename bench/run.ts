/** `npm run bench`: Descent beside its peers, taking turns in one run on one machine. */
import { existsSync } from 'node:fs'
import { choose, parseArguments, usage } from './arguments.ts'
import { type Contender, descent, peers, Session, timeOnce } from './contenders.ts'
import { measureLimits } from './limits.ts'
import { schedule, summary } from './measure.ts'
import { headings, layout, type Outcome, row } from './table.ts'
import { w8, workloads } from './workloads/index.ts'

const prepareLimitMs = 120_000
const onceRounds = 7

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

async function measureStart(contenders: readonly Running[], threads: number): Promise<Result[]> {
  const times = contenders.map((): number[] => [])
  const failures = contenders.map((): string | null => null)
  for (let round = 0; round < onceRounds; round++) {
    for (const [i, { contender }] of contenders.entries()) {
      if (failures[i] !== null) continue
      const time = await timeOnce(contender, threads)
      if (typeof time === 'string') failures[i] = time
      // The first start reads the files from disk.
      else if (round > 0) times[i]?.push(time)
    }
  }
  return contenders.map((_, i) => ({ outcome: failures[i] ?? summary(times[i] as number[]), threads }))
}

async function main(): Promise<void> {
  const { names, device, threads, json, alone } = parseArguments(process.argv.slice(2))
  const chosen = choose(workloads, names)
  const contenders = [descent(device, threads), ...(alone ? [] : peers)].map((c) => new Running(c, threads))
  const limits = await measureLimits(threads)
  const shows = !json && process.stderr.isTTY
  if (!json) {
    console.log(
      `${threads} ${threads === 1 ? 'thread' : 'threads'}; WebAssembly multiply-add ${(limits.flops / 1e9).toFixed(0)} GFLOP/s, triad ${(limits.bytes / 1e9).toFixed(1)} GB/s. Times in ms, medians; in brackets how many times Descent's.`,
    )
  }
  const rows = [headings(contenders.slice(1).map(({ contender }) => contender.name))]
  for (const workload of chosen) {
    if (shows) process.stderr.write(`\r\x1b[K${workload.name} …`)
    const results =
      workload === w8 ? await measureStart(contenders, threads) : await measure(workload.name, contenders, threads)
    for (const [i, { outcome, threads: used }] of results.entries()) {
      const { name: peer, device: on } = (contenders[i] as Running).contender
      if (typeof outcome === 'string') {
        if (json) process.stderr.write(`${workload.name} ${peer}: ${outcome}\n`)
      } else if (json) {
        const { median, min, n } = outcome
        console.log(
          JSON.stringify({
            workload: workload.name,
            peer,
            device: on,
            threads: used,
            median_ms: median,
            min_ms: min,
            n,
          }),
        )
      }
    }
    const [own, ...others] = results.map(({ outcome }) => outcome) as [Outcome, ...Outcome[]]
    rows.push(row(workload, own, others, limits))
  }
  for (const running of contenders) running.close()
  if (json) return
  if (shows) process.stderr.write('\r\x1b[K')
  console.log(`\n${layout(rows)}\n`)
  for (const { name, about } of chosen) console.log(`${name}: ${about}`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof RangeError || (error instanceof TypeError && 'code' in error))) throw error
  console.error(`${error.message}\n\n${usage}`)
  process.exitCode = 2
}
