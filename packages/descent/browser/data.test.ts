/** Data in a real browser: the same tables and batches as in Node, to the last bit, from a worker and without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { findChromium, flags } from './chromium.ts'
import { readData } from './data-page.ts'
import { servePage } from './server.ts'

const executablePath = findChromium()
const inCI = process.env.CI === 'true'
const missing = 'there is no Chromium here: install one, or name it in CHROMIUM_PATH'

test('CSV, pictures, streams and workers in Chromium give what they give in Node', {
  skip: executablePath === null && !inCI ? missing : false,
  timeout: 60_000,
}, async (t) => {
  if (executablePath === null) throw new Error(missing)
  t.mock.method(console, 'warn', () => {})
  const expected = await readData(0)
  assert.deepEqual((expected as { skipped: string[] }).skipped, ['a/bad.png'])
  const { url, server } = await servePage(false)
  const browser = await chromium.launch({ executablePath, args: flags, headless: true })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    for (const numWorkers of [0, 1]) {
      const found = await page.evaluate(async (workers) => {
        const { readData: read } = await import('/browser/data-page.ts' as string)
        return read(workers)
      }, numWorkers)
      assert.deepEqual(found, expected, `${numWorkers} workers`)
    }
  } finally {
    await browser.close()
    server.close()
  }
})
