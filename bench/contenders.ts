/**
 * The processes that are compared: Descent and its peers, each in a process of its own that lives for the whole run
 * and is asleep while it is not its turn.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { DeviceName } from 'descent'
import type { Reply, Request } from './protocol.ts'
import type { Compilation } from './workloads/compile.ts'

export interface Command {
  readonly program: string
  readonly args: readonly string[]
}

export interface Contender {
  readonly name: string
  readonly device: string
  readonly command: Command
  /** W8: runs one step and prints a line that begins with "done". */
  readonly once: Command
  /** COMPILE: makes a plan and prints "done" with the milliseconds that took; null where that is not written. */
  readonly compile: ((compilation: Compilation) => Command) | null
  /** Where this is not there, the peer is not installed. */
  readonly needs: string | null
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const python = process.env.PYTHON ?? 'python3'
const node = process.execPath
const startup = new URL('../scripts/need-node24.mjs', import.meta.url).href

export function descent(device: DeviceName, threads: number): Contender {
  // Started as the npm scripts are.
  const started = (script: string, ...args: string[]): Command => ({
    program: node,
    args: ['--import', startup, at(`./contenders/${script}`), device, String(threads), ...args],
  })
  return {
    name: 'descent',
    device,
    command: { program: node, args: [at('./contenders/descent.ts'), device] },
    once: started('descent-once.ts'),
    compile: ({ of, warm }) => started('descent-compile.ts', of, warm ? 'warm' : 'cold'),
    needs: null,
  }
}

function pythonPeer(name: string, script: string): Contender {
  const args = [at(`./peers/${script}`)]
  return {
    name,
    device: 'cpu',
    command: { program: python, args },
    once: { program: python, args: [...args, 'once'] },
    compile: null,
    needs: null,
  }
}

function npmPeer(name: string, device: string, script: string, packageName: string): Contender {
  const args = [at(`./peers/${script}`)]
  return {
    name,
    device,
    command: { program: node, args },
    once: { program: node, args: [...args, 'once'] },
    compile: null,
    needs: at(`./peers/node_modules/${packageName}`),
  }
}

export const peers: readonly Contender[] = [
  pythonPeer('pytorch', 'pytorch.py'),
  pythonPeer('numpy', 'numpy_by_hand.py'),
  npmPeer('jax-js', 'wasm', 'jax.ts', '@jax-js/jax'),
  npmPeer('tfjs', 'wasm', 'tfjs.ts', '@tensorflow/tfjs'),
  npmPeer('onnxruntime', 'cpu', 'onnxruntime.ts', 'onnxruntime-node'),
  npmPeer('onnxruntime-web', 'wasm', 'onnxruntime-web.ts', 'onnxruntime-web'),
]

/** A running contender that answers requests one after the other. */
export class Session {
  readonly contender: Contender
  readonly #child: ChildProcessWithoutNullStreams
  #answer: ((reply: Reply) => void) | null = null
  #over: string | null = null
  #complaint = ''

  constructor(contender: Contender, threads: number) {
    this.contender = contender
    const { program, args } = contender.command
    this.#child = spawn(program, args, { env: environment(threads) })
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.#settle(JSON.parse(line) as Reply)
    })
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-2000)
    })
    this.#child.stdin.on('error', () => this.#end('has stopped'))
    this.#child.on('error', (error) =>
      this.#end('code' in error && error.code === 'ENOENT' ? 'not installed' : error.message),
    )
    this.#child.on('exit', (code) => this.#end(code === 0 ? 'not installed' : 'has crashed'))
  }

  /** What the process wrote to its standard error, the end of it. */
  get complaint(): string {
    return this.#complaint.trim()
  }

  ask(request: Request, limitMs: number): Promise<Reply> {
    if (this.#over !== null) return Promise.resolve({ cannot: this.#over })
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#end('too slow')
        this.close()
      }, limitMs)
      this.#answer = (reply) => {
        clearTimeout(timer)
        resolve(reply)
      }
      this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    })
  }

  close(): void {
    this.#child.kill()
  }

  #settle(reply: Reply): void {
    const answer = this.#answer
    this.#answer = null
    answer?.(reply)
  }

  #end(why: string): void {
    this.#over ??= why
    this.#settle({ cannot: this.#over })
  }
}

/** Milliseconds from the start of W8's process to its line "done", or why there is none. */
export async function timeOnce(contender: Contender, threads: number): Promise<number | string> {
  const done = await finish(contender.once, contender.needs, threads)
  return typeof done === 'string' ? done : done.ms
}

/** How long making a plan took in a process of its own. */
export async function timeCompile(
  contender: Contender,
  compilation: Compilation,
  threads: number,
): Promise<number | string> {
  if (contender.compile === null) return 'not written'
  const done = await finish(contender.compile(compilation), contender.needs, threads)
  return typeof done === 'string' ? done : done.value
}

interface Done {
  /** From the start of the process. */
  readonly ms: number
  /** What stands after "done". */
  readonly value: number
}

/** Runs a command until it prints a line "done VALUE"; a string says why it has not. */
function finish({ program, args }: Command, needs: string | null, threads: number): Promise<Done | string> {
  if (needs !== null && !existsSync(needs)) return Promise.resolve('not installed')
  return new Promise((resolve) => {
    const start = performance.now()
    const child = spawn(program, args, { env: environment(threads), stdio: ['ignore', 'pipe', 'ignore'] })
    let said = ''
    child.on('error', () => resolve('not installed'))
    child.on('close', (code) =>
      resolve(/^cannot (.*)$/m.exec(said)?.[1] ?? (code === 0 ? 'not installed' : 'has crashed')),
    )
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const value = /^done (.*)\n/m.exec(said)?.[1]
      if (value !== undefined) resolve({ ms: performance.now() - start, value: Number(value) })
    })
  })
}

function environment(threads: number): NodeJS.ProcessEnv {
  const count = String(threads)
  return { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count, MKL_NUM_THREADS: count }
}
