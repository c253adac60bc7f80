/** For the measurements of serving: a project of digits with four versions: perceptrons (1, 3, 4) and a convolutional network (2). */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { initProject, type Project } from '@descent/loop'
import { setAlias } from '../../packages/loop/src/registry/aliases.ts'
import { registerRun } from '../../packages/loop/src/registry/register.ts'
import { addExamples } from '../../packages/loop/src/test-examples.ts'
import { mnist } from '../../packages/loop/src/training/test-data.ts'
import { trainRun } from '../../packages/loop/src/training/train-run.ts'
import { makeSnapshot } from '../../packages/loop/src/versioning/snapshot.ts'

export interface DigitsProject {
  readonly project: Project
  /** Raw pixels of test digits, 784 bytes each, and their labels. */
  readonly digits: readonly { readonly pixels: Uint8Array; readonly label: string }[]
  /** Removes it. */
  remove(): Promise<void>
}

const recipes = {
  perceptron: { name: 'perceptron', network: { type: 'mlp', hidden: [128], dropout: 0 }, augmentation: [] },
  convolution: { name: 'convolution', network: { type: 'convolution' }, augmentation: [] },
}

/** Trains them on `count` digits. The champion is version 1. */
export async function digitsProject(count = 2000): Promise<DigitsProject> {
  const folder = await mkdtemp(join(tmpdir(), 'digits-'))
  const project = await initProject(join(folder, 'digits'), 'image')
  const examples = [...mnist(count, 500)]
  await addExamples(project, examples)
  await makeSnapshot(project, { freeze: true })
  for (const [name, recipe] of Object.entries(recipes))
    await writeFile(join(project.folder, `${name}.json`), JSON.stringify(recipe))
  for (const [name, seed] of [
    ['perceptron', 1],
    ['convolution', 1],
    ['perceptron', 2],
    ['perceptron', 3],
  ] as const) {
    const run = await trainRun(project, { recipe: `${name}.json`, seed, epochs: 3 })
    await registerRun(project, run.number)
  }
  await setAlias(project, 'champion', 1, { why: 'to begin with' })
  const digits = examples.flatMap(({ content, label }) =>
    content.kind === 'image' ? { pixels: content.bytes, label: String(label) } : [],
  )
  return {
    project,
    digits,
    async remove() {
      await project.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface ServerProcess {
  readonly port: number
  readonly pid: number
  /** What it has printed. */
  readonly output: () => string
  /** Ends it as Ctrl-C does; what it printed at its end. */
  stop(): Promise<string>
  /** kill -9 */
  kill(): Promise<void>
}

const bin = fileURLToPath(new URL('../../packages/loop/bin/descent.mjs', import.meta.url))

/** `descent serve` in a process of its own. */
export async function startServer(folder: string, args: readonly string[] = []): Promise<ServerProcess> {
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', ...args], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = /answers at http:\/\/[\d.]+:(\d+)/.exec(output)
      if (found) resolve(Number(found[1]))
    })
    void ended.then(() => reject(new Error(`The server has ended: ${output}`)))
  })
  return {
    port,
    pid: child.pid as number,
    output: () => output,
    async stop() {
      child.kill('SIGINT')
      await ended
      return output
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Seconds of processor time that a process has used: of the thread that answers, and of all together (Linux). */
export async function processorSeconds(pid: number): Promise<{ readonly answering: number; readonly all: number }> {
  const read = async (path: string) => {
    const text = await readFile(path, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  }
  return { answering: await read(`/proc/${pid}/task/${pid}/stat`), all: await read(`/proc/${pid}/stat`) }
}

/** Megabytes of memory that a process holds (Linux). */
export async function memoryOf(pid: number): Promise<number> {
  const found = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1]) / 1000
}
