/**
 * How large the library is in a page, bundled and compressed as a site would serve it; and that a page which only runs a
 * trained network carries next to nothing of it.
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

/** The library in a page: what is loaded at once, and what only when it is asked for. */
async function bundle(
  code: string,
  splitting: boolean,
): Promise<{ first: Uint8Array; firstBytes: number; laterBytes: number }> {
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
  const sizes = new Map(outputFiles.map(({ path, contents }) => [path, gzipSync(contents, { level: 9 }).length]))
  const outputs = Object.entries(metafile.outputs)
  const pathOf = (name: string) =>
    [...sizes.keys()].find((path) => path.endsWith(name.split('/').at(-1) as string)) as string
  const atOnce = new Set<string>()
  const follow = (name: string): void => {
    if (atOnce.has(name)) return
    atOnce.add(name)
    for (const { path, kind } of metafile.outputs[name]?.imports ?? []) {
      if (kind === 'import-statement' && metafile.outputs[path]) follow(path)
    }
  }
  const entry = outputs.find(([, { entryPoint }]) => entryPoint?.includes('stdin'))?.[0] as string
  follow(entry)
  const bytes = (names: Iterable<string>) => [...names].reduce((sum, name) => sum + (sizes.get(pathOf(name)) ?? 0), 0)
  return {
    first: outputFiles.find(({ path }) => path === pathOf(entry))?.contents as Uint8Array,
    firstBytes: bytes(atOnce),
    laterBytes: bytes(outputs.map(([name]) => name).filter((name) => !atOnce.has(name))),
  }
}

const page = `
  import { loadProgram } from '../src/index.ts'
  const program = await loadProgram(new URL('/network.wasm', location.href))
  globalThis.predict = (x) => [...program.run(x)[0]]
`

test('a page that only runs a trained network carries less than 40 KB of the library', async () => {
  const { firstBytes, laterBytes } = await bundle(page, false)
  assert.ok(firstBytes + laterBytes < 4 * KB, `${firstBytes + laterBytes} bytes`)
})

const executablePath = findChromium()
const missing = 'there is no Chromium here: install one, or name it in CHROMIUM_PATH'

test('and computes there what the network computes here', {
  skip: executablePath === null && process.env.CI !== 'true' ? missing : false,
  timeout: 60_000,
}, async () => {
  assert.ok(executablePath, missing)
  manualSeed(1)
  const net = new nn.Sequential(new nn.Linear(784, 64), new nn.ReLU(), new nn.Linear(64, 10)).eval()
  const x = randn([1, 784])
  const wasm = exportProgram((rows) => net.forward(rows).softmax(1), [x])
  const { first } = await bundle(page, false)
  const server = createServer((request, response) => {
    const answer = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, { 'Content-Type': type }).end(body)
    if (request.url === '/network.wasm') answer('application/wasm', wasm)
    else if (request.url === '/page.js') answer('text/javascript', first)
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
    await tab.waitForFunction(() => 'predict' in globalThis)
    const values = Array.from(x.data())
    const got = await tab.evaluate(
      (input) => (globalThis as unknown as { predict(x: readonly number[]): number[] }).predict(input),
      values,
    )
    const want = noGrad(() => net.forward(x).softmax(1)).data()
    for (const [i, value] of got.entries()) assert.ok(Math.abs(value - (want[i] as number)) < 1e-6)
  } finally {
    await browser.close()
    server.close()
  }
})

test('the whole library does not grow unnoticed', async () => {
  const { firstBytes, laterBytes } = await bundle("export * from '../src/index.ts'", true)
  assert.ok(firstBytes < 160 * KB, `${firstBytes} bytes at once`)
  assert.ok(laterBytes < 20 * KB, `${laterBytes} bytes later`)
})
