/** A saved model in a real browser: fetched, and the same predictions as in Node, from a bundle with mangled names. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { compile, manualSeed, nn, noGrad, randn, saveModel, setDevice, type Tensor } from '../src/index.ts'
import { findChromium, flags } from './chromium.ts'

const executablePath = findChromium()
const missing = 'there is no Chromium here: install one, or name it in CHROMIUM_PATH'

/** The page's program: loads the model in both ways, with a class of its own, and predicts. */
const program = `
import { compile, loadModel, loadModelWith, nn, noGrad, setDevice, tensor } from './src/index.ts'
class Residual extends nn.Module {
  constructor(inner) {
    super()
    this.inner = inner
    this.record(Residual, [inner])
  }
  forward(x) {
    return x.add(this.inner.forward(x))
  }
}
setDevice('wasm')
globalThis.predict = async (values, shape) => {
  const { Conv2d, Flatten, Linear, ReLU, Sequential } = nn
  const nets = [
    await loadModel('model', { classes: { Residual } }),
    await loadModelWith(new URL('model', location.href), { Conv2d, Flatten, Linear, ReLU, Residual, Sequential }),
  ]
  return nets.map((net) => {
    const answer = compile((x) => net.forward(x))
    return [...noGrad(() => answer(tensor(Float32Array.from(values), { shape }))).data()]
  })
}
globalThis.failure = (folder) => loadModel(folder).then(() => 'loaded', (error) => error.name + ': ' + error.message)
`

class Residual extends nn.Module {
  readonly inner: nn.Module
  constructor(inner: nn.Module) {
    super()
    this.inner = inner
    this.record(Residual, [inner])
  }
  override forward(x: Tensor): Tensor {
    return x.add(this.inner.forward(x))
  }
}

interface Page {
  predict(values: readonly number[], shape: readonly number[]): Promise<number[][]>
  failure(folder: string): Promise<string>
}

describe('in Chromium', { skip: executablePath === null && process.env.CI !== 'true' ? missing : false }, () => {
  let browser: Browser
  let server: Server
  let folder = ''

  before(async () => {
    if (executablePath === null) throw new Error(missing)
    browser = await chromium.launch({ executablePath, args: flags, headless: true })
    folder = await mkdtemp(join(tmpdir(), 'page-'))
    const bundled = await build({
      stdin: { contents: program, resolveDir: fileURLToPath(new URL('..', import.meta.url)) },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      external: ['node:*', 'koffi', 'hyparquet', 'sharp'],
      write: false,
    })
    const script = bundled.outputFiles[0]?.contents as Uint8Array
    const page =
      '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="main.js"></script>'
    server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname
      if (path === '/') response.writeHead(200, { 'Content-Type': 'text/html' }).end(page)
      else if (path === '/main.js') response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script)
      else {
        readFile(join(folder, path)).then(
          (bytes) => response.end(bytes),
          () => response.writeHead(404).end(),
        )
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    await browser?.close()
    server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('a saved folder is fetched and predicts the same, to the last bit', { timeout: 60_000 }, async () => {
    setDevice('wasm')
    manualSeed(5)
    const inner = new nn.Sequential(new nn.Conv2d(2, 2, 3, { padding: 1 }), new nn.ReLU())
    const net = new nn.Sequential(new Residual(inner), new nn.Flatten(), new nn.Linear(72, 5)).eval()
    await saveModel(net, join(folder, 'model'), { classes: { Residual } })
    const x = randn([3, 2, 6, 6])
    const answer = compile((input: Tensor) => net.forward(input))
    const wanted = [...noGrad(() => answer(x)).data()]
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    try {
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      await page.waitForFunction(() => 'failure' in globalThis || document.readyState === 'complete')
      const found = await page.evaluate(
        ([values, shape]) => (globalThis as unknown as Page).predict(values as number[], shape as number[]),
        [[...x.data()], [...x.shape]] as const,
      )
      assert.deepEqual(found, [wanted, wanted])
      const failure = await page.evaluate(() => (globalThis as unknown as Page).failure('nowhere'))
      assert.equal(failure, 'FormatError: nowhere/model.safetensors: the server answered 404.')
      assert.deepEqual(complaints, [])
    } finally {
      await page.close()
    }
  })
})
