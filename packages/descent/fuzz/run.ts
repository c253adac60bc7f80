/**
 * Random graphs on all devices, eager and compiled, against the reference.
 *
 *   npm run fuzz -- --graphs 10000 --seed 1 --devices reference,wasm,x64 --time 600 --verbose
 *   npm run fuzz -- --graph 1234
 *
 * `--time` ends it after so many seconds; `--graph` checks one graph again; `--verbose` counts operations. Without
 * `--devices`, all that work here. A failure is made small and printed as code. The last line is
 * `N graphs, F failed`; exit code 1 on a failure, 2 for options that cannot be.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { DeviceName } from '../src/index.ts'
import { operations } from '../src/ops/index.ts'
import { duration } from '../src/train/progress.ts'
import { reportCrash } from './crash.ts'
import { deviceNames, workingDevices } from './devices.ts'
import type { Line, Task } from './worker.ts'

const WORKERS = 2
/** Failures whose graphs are printed as code; of more there is one line each. */
const REPORTS = 3
/** A worker that says nothing for so long hangs; making a graph small may take a minute. */
const PATIENCE_MS = 150_000

interface Options {
  readonly graphs: number
  readonly seed: number
  readonly graph: number | null
  readonly seconds: number
  readonly devices: readonly DeviceName[]
  readonly verbose: boolean
}

function fail(message: string): never {
  console.error(`fuzz: ${message}`)
  process.exit(2)
}

function whole(name: string, text: string): number {
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= 0 ? value : fail(`--${name} ${text}: expected a whole number`)
}

function options(): Options {
  try {
    const { values } = parseArgs({
      options: {
        graphs: { type: 'string', default: '10000' },
        seed: { type: 'string', default: '1' },
        graph: { type: 'string' },
        time: { type: 'string' },
        devices: { type: 'string' },
        verbose: { type: 'boolean', default: false },
      },
    })
    const devices = values.devices?.split(',').map((item) => {
      const found = deviceNames.find((name) => name === item)
      return found ?? fail(`--devices ${item}: expected one of ${deviceNames.join(', ')}, or several with commas`)
    })
    return {
      graphs: whole('graphs', values.graphs),
      seed: whole('seed', values.seed),
      graph: values.graph === undefined ? null : whole('graph', values.graph),
      seconds: values.time === undefined ? Number.POSITIVE_INFINITY : whole('time', values.time),
      devices: devices ?? workingDevices(),
      verbose: values.verbose,
    }
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

class Run {
  readonly #asked: Options
  readonly #total: number
  readonly #began = performance.now()
  readonly #children = new Set<ChildProcess>()
  readonly #counts = new Map<string, number>()
  #done = 0
  #failed = 0
  #reported = 0
  #stopping = false
  #shown = 0

  constructor(asked: Options) {
    this.#asked = asked
    this.#total = asked.graph === null ? asked.graphs : 1
  }

  async finish(): Promise<number> {
    const { graph, graphs, seconds, devices } = this.#asked
    console.log(`${this.#total} graphs on ${devices.join(', ')}, eager and compiled, seed ${this.#asked.seed}`)
    process.on('SIGINT', () => this.#stop())
    const timer = Number.isFinite(seconds) ? setTimeout(() => this.#stop(), seconds * 1000) : null
    const shares =
      graph === null
        ? Array.from({ length: WORKERS }, (_, first) => this.#work(first, WORKERS, graphs))
        : [this.#work(graph, 1, graph + 1)]
    await Promise.all(shares)
    if (timer) clearTimeout(timer)
    this.#clear()
    if (this.#asked.verbose) this.#showCounts()
    console.log(`${this.#done} graphs, ${this.#failed} failed`)
    return this.#failed > 0 ? 1 : 0
  }

  #stop(): void {
    this.#stopping = true
    for (const child of this.#children) child.kill('SIGTERM')
  }

  /** A share of the graphs; where one ends the process, another process goes on after it. */
  async #work(first: number, step: number, end: number): Promise<void> {
    for (let next = first; next < end && !this.#stopping; ) {
      const last = await this.#process(next, step, end)
      if (last === null) return
      next = last + step
    }
  }

  /** Gives the graph that ended the process, or null where all was well. */
  async #process(first: number, step: number, end: number): Promise<number | null> {
    const { seed, devices } = this.#asked
    const task: Task = { seed, first, step, end, devices, reports: Math.max(0, REPORTS - this.#reported) }
    const worker = fileURLToPath(new URL('./worker.ts', import.meta.url))
    const child = spawn(process.execPath, [worker, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#children.add(child)
    let running: number | null = null
    let latest = first
    let hangs = false
    let patience = setTimeout(() => {}, 0)
    const wait = (): void => {
      clearTimeout(patience)
      patience = setTimeout(() => {
        hangs = true
        child.kill('SIGKILL')
      }, PATIENCE_MS)
    }
    wait()
    const ended = new Promise<string | null>((resolve) => {
      child.on('close', (code, signal) => resolve(signal ?? (code === 0 ? null : `exit code ${code}`)))
    })
    for await (const text of createInterface({ input: child.stdout })) {
      wait()
      const line = JSON.parse(text) as Line
      if (line.kind === 'start') {
        running = line.graph
        latest = line.graph
      } else if (line.kind === 'done') {
        running = null
        this.#done++
        this.#show()
      } else if (line.kind === 'failure') this.#failure(line.graph, line.text, line.code)
      else for (const [name, count] of Object.entries(line.counts)) this.#add(name, count)
    }
    const reason = await ended
    clearTimeout(patience)
    this.#children.delete(child)
    if (reason === null || (this.#stopping && !hangs)) return null
    if (running === null) return latest
    this.#done++
    const code = this.#reported < REPORTS && !hangs ? reportCrash(seed, running, devices) : null
    this.#failure(running, hangs ? 'it hangs' : `it ended the process (${reason})`, code)
    return running
  }

  #failure(graph: number, text: string, code: string | null): void {
    this.#failed++
    this.#clear()
    console.log(`graph ${graph}: ${text}`)
    if (code === null) return
    this.#reported++
    console.log(`\n${code}`)
  }

  #add(name: string, count: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
  }

  #showCounts(): void {
    const names = new Set([...operations.map(({ name }) => name), ...this.#counts.keys()])
    const lines = [...names].map((name) => ({ name, count: this.#counts.get(name) ?? 0 }))
    for (const { name, count } of lines.sort((a, b) => b.count - a.count)) console.log(`${name.padEnd(18)} ${count}`)
  }

  // ── progress: a line that is redrawn in a terminal, elsewhere a line now and then ────────────────────────────

  #clear(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[2K')
  }

  #show(): void {
    const terminal = process.stdout.isTTY
    const now = performance.now()
    if (now - this.#shown < (terminal ? 100 : 30_000)) return
    const first = this.#shown === 0
    this.#shown = now
    if (first && !terminal) return
    const line = this.#line((now - this.#began) / 1000, (process.stdout.columns || 80) - 1)
    process.stdout.write(terminal ? `\r\x1b[2K${line}` : `${line}\n`)
  }

  #line(seconds: number, columns: number): string {
    const rate = this.#done / seconds
    const left = Math.min((this.#total - this.#done) / rate, this.#asked.seconds - seconds)
    const first = `graph ${this.#done}/${this.#total}`
    const rest = [
      `${rate.toFixed(1)} graphs/s`,
      ...(this.#failed > 0 ? [`${this.#failed} failed`] : []),
      `${duration(Math.max(0, left))} left`,
    ].join('  ')
    const width = Math.min(20, columns - first.length - rest.length - 4)
    if (width < 3) return `${first}  ${rest}`.slice(0, columns)
    const filled = Math.min(width, Math.round((this.#done / Math.max(1, this.#total)) * width))
    return `${first}  ${'━'.repeat(filled)}${'┄'.repeat(width - filled)}  ${rest}`
  }
}

process.exit(await new Run(options()).finish())
