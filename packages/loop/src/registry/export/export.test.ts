/** Exported folders, run by Node and by a real browser from the disk: the answers are those of the registry. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'
import sharp from 'sharp'
import { findChromium, flags } from '../../../../descent/browser/chromium.ts'
import { descent } from '../../cli/test-command.ts'
import type { Content } from '../../store/content.ts'
import { testFolder } from '../../test-project.ts'
import { penguins } from '../../training/test-data.ts'
import { loadVersion } from '../load-version.ts'
import { registerRun } from '../register.ts'
import type { Answer } from '../served-model.ts'
import {
  carProject,
  digitProject,
  mailProject,
  penguinProject,
  type TrainedProject,
  trained,
} from '../test-versions.ts'
import { exportVersion } from './export.ts'
import { planesOf } from './runtime/pixels.ts'

const run = promisify(execFile)
const executablePath = findChromium()
const missing = 'there is no Chromium here: install one, or name it in CHROMIUM_PATH'

/** What an exported `predict` takes for a content. */
function inputOf(content: Content): unknown {
  switch (content.kind) {
    case 'row':
      return content.values
    case 'text':
      return content.text
    case 'image': {
      const { width, height, channels, bytes } = content
      return { width, height, channels, pixels: [...bytes] }
    }
    default:
      return content satisfies never
  }
}

type Exported = Record<string, unknown> & { probabilities?: Record<string, number>; value?: number; label?: string }

/** All numbers of an answer within 1e-5, and the same label. */
function requireSame(got: Exported, want: Answer, classes: readonly string[], what: string): void {
  if ('label' in want) {
    assert.equal(got.label, want.label, what)
    for (const [k, name] of classes.entries()) {
      const [a, b] = [got.probabilities?.[name] ?? Number.NaN, want.probabilities[k] as number]
      assert.ok(Math.abs(a - b) <= 1e-5, `${what}: ${name} ${a} is not ${b}`)
    }
    return
  }
  assert.ok(Math.abs((got.value ?? Number.NaN) - want.value) <= 1e-5 * Math.max(1, Math.abs(want.value)), what)
}

interface Case {
  readonly name: string
  readonly make: (t: TestContext) => Promise<TrainedProject>
}

const cases: readonly Case[] = [
  { name: 'rows by class', make: (t) => penguinProject(t) },
  { name: 'rows by number', make: (t) => carProject(t) },
  { name: 'images, by a perceptron', make: (t) => digitProject(t) },
  {
    name: 'images, by convolutions',
    make: (t) => digitProject(t, { epochs: 1, recipe: { network: { type: 'resnet', channels: [4, 8] } } }),
  },
  { name: 'texts, as bags of words', make: (t) => mailProject(t) },
  {
    name: 'texts, as tokens',
    make: (t) =>
      mailProject(t, {
        epochs: 1,
        recipe: {
          preprocess: { type: 'bytePairs', vocabulary: 400, length: 48 },
          network: { type: 'textTransformer', width: 16, heads: 2, layers: 1 },
        },
      }),
  },
]

describe('an exported folder', () => {
  let browser: Browser | null = null
  before(async () => {
    if (executablePath !== null) browser = await chromium.launch({ executablePath, args: flags, headless: true })
    else if (process.env.CI === 'true') throw new Error(missing)
  })
  after(() => browser?.close())

  for (const { name, make } of cases) {
    test(`${name}: the same answers in Node and in a page`, { timeout: 120_000 }, async (t) => {
      const { project, examples } = await make(t)
      await registerRun(project)
      const folder = join(await testFolder(t), 'out')
      const { files } = await exportVersion(project, 1, { to: folder })
      for (const file of ['index.html', 'model.safetensors', 'model.wasm', 'predict.ts'])
        assert.ok(files.includes(file), file)
      const model = await loadVersion(project, 1)
      const contents = examples.slice(0, 24).map(({ content }) => content)
      const wanted = await model.predict(contents)
      const { output } = model.signature
      const classes = output.task === 'class' ? output.classes : []

      const { predict } = (await import(pathToFileURL(join(folder, 'predict.ts')).href)) as {
        predict(input: unknown): Promise<Exported>
      }
      const inNode: Exported[] = []
      for (const content of contents) inNode.push(await predict(inputOf(content)))
      for (const [i, answer] of inNode.entries()) requireSame(answer, wanted[i] as Answer, classes, `in Node, ${i}`)

      if (!browser) return t.diagnostic(missing)
      const page = await browser.newPage()
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('request', (request) => {
        if (!/^(file|data|blob):/.test(request.url())) complaints.push(`asks for ${request.url()}`)
      })
      await page.goto(pathToFileURL(join(folder, 'index.html')).href)
      await page.waitForFunction(() => 'predict' in globalThis)
      const inPage = await page.evaluate(async (inputs) => {
        const { predict } = globalThis as unknown as { predict(input: unknown): Promise<Exported> }
        const answers: Exported[] = []
        for (const input of inputs) answers.push(await predict(input))
        return answers
      }, contents.map(inputOf))
      for (const [i, answer] of inPage.entries()) requireSame(answer, wanted[i] as Answer, classes, `in the page, ${i}`)
      assert.deepEqual(complaints, [])
      await page.close()
    })
  }

  test('the page shows what it was asked, from any static host too', { timeout: 120_000 }, async (t) => {
    if (!browser) return t.skip(missing)
    const { project, examples } = await penguinProject(t)
    await registerRun(project)
    const folder = join(await testFolder(t), 'out')
    await exportVersion(project, 1, { to: folder })
    const server = createServer((request, response) => {
      if (request.url !== '/') response.writeHead(404).end()
      else
        readFile(join(folder, 'index.html')).then((html) =>
          response.writeHead(200, { 'Content-Type': 'text/html' }).end(html),
        )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const { content } = examples[3] as (typeof examples)[0]
    assert.ok(content.kind === 'row')
    for (const [name, value] of Object.entries(content.values)) {
      if (value === null) continue
      const field = page.locator(`[name="${name}"]`)
      if (typeof value === 'number') await field.fill(String(value))
      else await field.selectOption(value as string)
    }
    await page.click('#ask:not([disabled])')
    await page.waitForSelector('#answer strong')
    const [answer] = await (await loadVersion(project, 1)).predict([content])
    assert.ok(answer && 'label' in answer)
    assert.equal(await page.textContent('#answer strong'), answer.label)
    const percent = `${(100 * Math.max(...answer.probabilities)).toFixed(2)} %`
    assert.ok((await page.textContent('#answer .bar'))?.includes(percent))
    await page.close()
  })

  test('an image file is read by the page and by Node as it was for training', { timeout: 120_000 }, async (t) => {
    const { project, examples } = await digitProject(t)
    await registerRun(project)
    const home = await testFolder(t)
    const folder = join(home, 'out')
    const { code, out, err } = await descent(project.folder, ['export', '1', '--to', folder])
    assert.equal(code, 0, err)
    assert.match(out, /^Exported version 1 to .*index\.html.*\n.*index\.html\n.*predict\.ts\n$/)
    const { content } = examples[5] as (typeof examples)[0]
    assert.ok(content.kind === 'image')
    const file = join(home, 'digit.png')
    const raw = { width: 28, height: 28, channels: 1 } as const
    await writeFile(file, await sharp(content.bytes, { raw }).png().toBuffer())
    const [want] = await (await loadVersion(project, 1)).predict([content])
    assert.ok(want && 'label' in want)
    const classes = (await loadVersion(project, 1)).signature.output
    assert.ok(classes.task === 'class')

    await linkSharp(folder)
    const { stdout } = await run(process.execPath, [join(folder, 'predict.ts'), file])
    requireSame(JSON.parse(stdout) as Exported, want, classes.classes, 'in Node')
    if (!browser) return t.diagnostic(missing)
    const page = await browser.newPage()
    await page.goto(pathToFileURL(join(folder, 'index.html')).href)
    await page.waitForSelector('#ask:not([disabled])')
    await page.setInputFiles('#file', file)
    await page.waitForSelector('#answer strong')
    assert.equal(await page.textContent('#answer strong'), want.label)
    const percent = `${(100 * Math.max(...want.probabilities)).toFixed(2)} %`
    assert.ok((await page.textContent('#answer .bar'))?.includes(percent))
    await page.setInputFiles('#file', join(folder, 'settings.json'))
    await page.waitForFunction(() => document.getElementById('answer')?.textContent?.includes('no image'))
    await page.close()
  })
})

/** So that the folder finds sharp, as after `npm install sharp`. */
async function linkSharp(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules')
  await mkdir(modules)
  const installed = fileURLToPath(import.meta.resolve('sharp')).replace(/(node_modules[\\/]sharp)[\\/].*/, '$1')
  await symlink(installed, join(modules, 'sharp'))
}

test('names that look like code are names', { timeout: 120_000 }, async (t) => {
  const nasty = `"></select></script><script>throw Error('run')</script>\u2028*/ \${x} '\\`
  const { examples } = penguins()
  const renamed = examples.map(({ content, label }) => ({
    content: {
      kind: 'row' as const,
      values: { [nasty]: (content as Extract<Content, { kind: 'row' }>).values['Body Mass (g)'] ?? null },
    },
    label: `${label} ${nasty}`,
  }))
  const { project } = await trained(t, 'tabular', renamed, [{ name: nasty, type: 'number' }], { epochs: 2 })
  await registerRun(project)
  const folder = join(await testFolder(t), 'out')
  await exportVersion(project, 1, { to: folder })
  const { predict } = (await import(pathToFileURL(join(folder, 'predict.ts')).href)) as {
    predict(input: unknown): Promise<Exported>
  }
  const { label } = await predict({ [nasty]: 5400 })
  assert.equal(label, `Gentoo ${nasty}`)
  if (executablePath === null) return t.diagnostic(missing)
  const browser = await chromium.launch({ executablePath, args: flags, headless: true })
  t.after(() => browser.close())
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(pathToFileURL(join(folder, 'index.html')).href)
  await page.fill('input[type=number]', '5400')
  await page.click('#ask:not([disabled])')
  assert.equal(await page.textContent('#answer strong'), label)
  assert.deepEqual(complaints, [])
})

test('predict.ts is typed by the signature: strict TypeScript takes it, and wrong fields are refused', async (t) => {
  const { project } = await penguinProject(t, { epochs: 1 })
  await registerRun(project)
  const folder = join(await testFolder(t), 'out')
  await exportVersion(project, 1, { to: folder })
  const types = fileURLToPath(new URL('.', import.meta.resolve('@types/node/package.json')))
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true })
  await symlink(types.replace(/\/$/, ''), join(folder, 'node_modules/@types/node'))
  const use = `import { type Label, predict } from './predict.ts'
const { label } = await predict({ 'Body Mass (g)': 4200, Sex: null, Island: 'Atlantis' })
const right: Label = label
// @ts-expect-error a number
await predict({ 'Body Mass (g)': 'heavy' })
// @ts-expect-error no field
await predict({ Beak: 3 })
// @ts-expect-error no class
const wrong: 'Emperor' = label
console.log(right, wrong)
`
  await writeFile(join(folder, 'use.ts'), use)
  const tsc = fileURLToPath(new URL('./bin/tsc', new URL('.', import.meta.resolve('typescript/package.json'))))
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--allowImportingTsExtensions', '--types', 'node']
  const said = await run(process.execPath, [tsc, ...flags, 'use.ts'], { cwd: folder }).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
  assert.equal(said, '')
})

test('a folder that holds something is left as it is', async (t) => {
  const { project } = await penguinProject(t, { epochs: 1 })
  await registerRun(project)
  const folder = await testFolder(t)
  await writeFile(join(folder, 'mine.txt'), 'mine')
  await assert.rejects(exportVersion(project, 1, { to: folder }), /is not empty/)
  await assert.rejects(exportVersion(project, 1, { to: join(folder, 'mine.txt') }), /is no folder to export to/)
  assert.equal(await readFile(join(folder, 'mine.txt'), 'utf8'), 'mine')
  await assert.rejects(exportVersion(project, 'champion', { to: join(folder, 'out') }), /points to no version/)
})

test('images of other sizes and channels become what sharp makes of them, but for a level or two', async () => {
  // A picture with edges and soft parts.
  const [width, height] = [61, 47]
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        pixels[(y * width + x) * 3 + c] =
          (x - 30) ** 2 + (y - 20) ** 2 < 200
            ? 240 - 40 * c
            : 128 + Math.round(90 * Math.sin(x / (5 + c)) * Math.cos(y / 7))
  const raw = { width, height, channels: 3 } as const
  for (const [newWidth, newHeight, channels] of [
    [32, 24, 3],
    [32, 24, 1],
    [61, 47, 1],
    [90, 80, 1],
    [90, 20, 3],
    [7, 5, 3],
    [3, 4, 1],
  ] as const) {
    const state = { type: 'pixels', width: newWidth, height: newHeight, channels, mean: 0, deviation: 1 } as const
    const own = planesOf({ width, height, channels: 3, pixels }, state)
    const { data, info } = await sharp(pixels, { raw })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .resize(newWidth, newHeight, { fit: 'fill' })
      .raw()
      .toBuffer({ resolveWithObject: true })
    let [most, sum] = [0, 0]
    for (let i = 0; i < newWidth * newHeight; i++)
      for (let c = 0; c < channels; c++) {
        const away = Math.abs((own[c * newWidth * newHeight + i] as number) - (data[i * info.channels + c] as number))
        most = Math.max(most, away)
        sum += away
      }
    const mean = sum / (newWidth * newHeight * channels)
    assert.ok(mean < 0.5 && most <= 3, `${newWidth} × ${newHeight} × ${channels}: mean ${mean}, most ${most}`)
  }
})
