/** The library in a real browser: the same losses as in Node, to the last bit, with threads and without. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { findChromium, flags } from './chromium.ts'
import { servePage } from './server.ts'
import { inspect, learn, type Report } from './training.ts'

const executablePath = findChromium()
const inCI = process.env.CI === 'true'
const missing = 'there is no Chromium here: install one, or name it in CHROMIUM_PATH'

describe('in Chromium', { skip: executablePath === null && !inCI ? missing : false }, () => {
  let browser: Browser
  let expected: Report

  before(async () => {
    if (executablePath === null) throw new Error(missing)
    browser = await chromium.launch({ executablePath, args: flags, headless: true })
    expected = learn(1)
  })
  after(() => browser?.close())

  for (const isolated of [true, false]) {
    const how = isolated ? 'cross-origin isolated, with threads' : 'without shared memory, on one thread'
    test(`a network learns as it does in Node, ${how}`, { timeout: 60_000 }, async () => {
      const { url, server } = await servePage(isolated)
      const page = await browser.newPage()
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`)
      })
      try {
        await page.goto(url)
        await page.waitForFunction(() => 'learn' in globalThis || document.readyState === 'complete')
        const ready = await page.evaluate(() => 'learn' in globalThis)
        assert.ok(ready, `the page did not load: ${complaints.join('; ')}`)
        assert.equal(await page.evaluate(() => crossOriginIsolated), isolated)
        const threads = isolated ? 2 : null
        const learnThere = () =>
          page.evaluate(
            (count) => (globalThis as unknown as { learn(threads: number | null): Report }).learn(count),
            threads,
          )
        const worker = isolated ? page.waitForEvent('worker', { timeout: 20_000 }) : null
        assert.deepEqual(await learnThere(), expected)
        // A worker starts when the page's own thread is free: from the second run on it takes part.
        await worker
        assert.deepEqual(await learnThere(), expected)
        assert.equal(page.workers().length, isolated ? 1 : 0)
        const [error, printed, sum] = await page.evaluate(() =>
          (globalThis as unknown as { inspect: typeof inspect }).inspect(),
        )
        assert.match(error, /^print: .*await loadInspection\(\)/)
        assert.deepEqual([printed, sum], (await inspect()).slice(1))
        assert.deepEqual(complaints, [])
      } finally {
        await page.close()
        server.close()
      }
    })
  }
})

test('the network of this test learns', () => {
  const [first, last] = [0, -1].map(
    (i) => new Float32Array(new Int32Array([learn(1).losses.at(i) as number]).buffer)[0],
  )
  assert.ok((last as number) < 0.5 * (first as number), `${first} → ${last}`)
})
