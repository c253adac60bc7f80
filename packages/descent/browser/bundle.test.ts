/**
 * How large the library is in a page, bundled and compressed as a site would serve it: all of it, a page that trains a
 * small network, one that runs a saved model, and one that only runs a trained network and carries next to nothing.
 * Bounds are what is reached, and one in a hundred more.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { exportProgram, manualSeed, nn, noGrad, randn } from '../src/index.ts'
import { findChromium, flags } from './chromium.ts'

const KB = 1024

interface Bundle {
  /** The file that the page names. */
  readonly entry: Uint8Array
  /** Compressed, with what it imports. */
  readonly atOnce: number
  /** Compressed, with what is imported on demand. */
  readonly inAll: number
}

/** A page's code with the parts of the library that it needs: in one file, or with those apart that load on demand. */
async function bundle(code: string, splitting = false): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    bundle: true,
    minify: true,
    splitting,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    outdir: '/out',
    write: false,
    metafile: true,
    external: ['node:*', 'sharp', 'hyparquet'],
    logLevel: 'silent',
  })
  const nameOf = (path: string) => path.split('/').at(-1) as string
  const files = new Map(outputFiles.map(({ path, contents }) => [nameOf(path), contents]))
  const outputs = Object.entries(metafile.outputs)
  const atOnce = new Set<string>()
  const follow = (path: string): void => {
    if (atOnce.has(path)) return
    atOnce.add(path)
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && metafile.outputs[next]) follow(next)
    }
  }
  const entry = outputs.find(([, { entryPoint }]) => entryPoint?.includes('stdin'))?.[0] as string
  follow(entry)
  const size = (paths: Iterable<string>) =>
    [...paths].reduce((sum, path) => sum + gzipSync(files.get(nameOf(path)) ?? '', { level: 9 }).length, 0)
  return {
    entry: files.get(nameOf(entry)) as Uint8Array,
    atOnce: size(atOnce),
    inAll: size(outputs.map(([path]) => path)),
  }
}

const running = `
  import { loadProgram } from '../src/index.ts'
  const program = await loadProgram(new URL('/network.wasm', location.href))
  globalThis.predict = (x) => [...program.run(x)[0]]
`

/** As a page writes it: `import * as nn from 'descent/nn'`. */
const training = `
  import { crossEntropy, manualSeed, tensor } from '../src/index.ts'
  import * as nn from '../src/nn/index.ts'
  import * as optim from '../src/optim/index.ts'
  manualSeed(1)
  const net = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 2))
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.05 })
  const [x, y] = [tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), tensor([0, 1, 1, 0], { dtype: 'i32' })]
  for (let step = 0; step < 100; step++) {
    optimizer.zeroGrad()
    crossEntropy(net.forward(x), y).backward()
    optimizer.step()
  }
  globalThis.learned = net.forward(x).argmax(1).toArray()
`

test('a page that only runs a trained network carries 1.2 KB of the library', async () => {
  const { inAll } = await bundle(running)
  assert.ok(inAll < 1.25 * KB, `${inAll} bytes`)
})

/** A saved model with its layers named, as `loadModelWith` wants them. */
const saved = `
  import { loadModelWith, noGrad, tensor } from '../src/index.ts'
  import { Linear, ReLU, Sequential } from '../src/nn/index.ts'
  globalThis.predict = async (x) => {
    const net = await loadModelWith('/model', { Linear, ReLU, Sequential })
    return noGrad(() => net.forward(tensor(x))).toArray()
  }
`

test('a page that runs a saved model carries its layers and what every operation needs', async () => {
  const { inAll } = await bundle(saved)
  assert.ok(inAll < 77 * KB, `${inAll} bytes`)
})

test('a page that trains a small network carries what it uses, whose greater part is the compiler', async () => {
  const { inAll } = await bundle(training)
  assert.ok(inAll < 76 * KB, `${inAll} bytes`)
})

test('what a training, files and printed forms need loads on demand', async () => {
  const { atOnce, inAll } = await bundle("export * from '../src/index.ts'", true)
  assert.ok(atOnce < 144 * KB, `${atOnce} bytes at once`)
  assert.ok(inAll < 180 * KB, `${inAll} bytes in all`)
})

const executablePath = findChromium()
const missing = 'there is no Chromium here: install one, or name it in CHROMIUM_PATH'
const skip = executablePath === null && process.env.CI !== 'true' ? missing : false

/** Opens a page of this script and these files, and gives what `look` finds there once `name` is defined. */
async function inPage<A, R>(
  script: Uint8Array,
  files: Readonly<Record<string, Uint8Array>>,
  name: string,
  look: (arg: A) => R,
  arg: A,
): Promise<R> {
  assert.ok(executablePath, missing)
  const server = createServer((request, response) => {
    const answer = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, { 'Content-Type': type }).end(body)
    const file = files[request.url ?? '']
    if (file) answer('application/wasm', file)
    else if (request.url === '/page.js') answer('text/javascript', script)
    else
      answer(
        'text/html',
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
      )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath, args: flags, headless: true })
  try {
    const tab = await browser.newPage()
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await tab.waitForFunction((global) => global in globalThis, name)
    return (await tab.evaluate(look as (arg: unknown) => R, arg)) as R
  } finally {
    await browser.close()
    server.close()
  }
}

test('the small page computes there what the network computes here', { skip, timeout: 60_000 }, async () => {
  manualSeed(1)
  const net = new nn.Sequential(new nn.Linear(784, 64), new nn.ReLU(), new nn.Linear(64, 10)).eval()
  const x = randn([1, 784])
  const wasm = exportProgram((rows) => net.forward(rows).softmax(1), [x])
  const { entry } = await bundle(running)
  const predict = (input: readonly number[]) =>
    (globalThis as unknown as { predict(x: readonly number[]): number[] }).predict(input)
  const got = await inPage(entry, { '/network.wasm': wasm }, 'predict', predict, Array.from(x.data()))
  const want = noGrad(() => net.forward(x).softmax(1)).data()
  for (const [i, value] of got.entries()) assert.ok(Math.abs(value - (want[i] as number)) < 1e-6)
})

test('the page that trains learns', { skip, timeout: 60_000 }, async () => {
  const { entry } = await bundle(training)
  const learned = () => (globalThis as unknown as { learned: number[] }).learned
  assert.deepEqual(await inPage(entry, {}, 'learned', learned, null), [0, 1, 1, 0])
})
