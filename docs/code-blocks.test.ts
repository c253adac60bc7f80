import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { x64Device } from '../packages/descent/src/devices/x64/device.ts'
import { compile, randn, setDevice, type Tensor, zeros } from '../packages/descent/src/index.ts'
import { importFiles, initProject } from '../packages/loop/src/index.ts'
import { type Block, docstringBlocks, expectedOutput, markdownBlocks, runBlock } from './code-blocks.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

// The examples of the loop find a folder with penguins.jsonl and a project that has imported it.
const folder = await mkdtemp(join(tmpdir(), 'descent-docs-'))
const start = process.cwd()
before(async () => {
  const require = createRequire(`${root}packages/loop/package.json`)
  process.chdir(folder)
  const path = join(require.resolve('vega-datasets'), '../../data/penguins.json')
  const rows = JSON.parse(readFileSync(path, 'utf8')) as unknown[]
  await writeFile('penguins.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const project = await initProject('penguins', 'tabular')
  await importFiles(project, ['penguins.jsonl'], { target: 'Species' })
  await project.close()
})
after(async () => {
  process.chdir(start)
  await rm(folder, { recursive: true, force: true })
})

function testBlocks(files: readonly string[], read: (text: string) => Block[]): void {
  for (const file of files) {
    for (const { line, code } of read(readFileSync(`${root}${file}`, 'utf8'))) {
      test(`${file}:${line}`, async () => {
        const printed = await runBlock(code)
        const expected = expectedOutput(code)
        if (expected.length > 0) assert.deepEqual(printed, expected)
      })
    }
  }
}

describe('the examples of the docstrings run and print what they say', () => {
  const files = globSync('packages/{descent,loop}/src/**/*.ts', { cwd: root }).filter(
    (file) => !file.endsWith('.test.ts'),
  )
  testBlocks(files.sort(), docstringBlocks)

  test('every example is a block of code that runs', () => {
    // Inside of the devices, examples show machine code.
    const without = files.filter((file) => {
      if (file.includes('/devices/')) return false
      const text = readFileSync(`${root}${file}`, 'utf8')
      return text.split(/^ *\* @example/m).length - 1 > docstringBlocks(text).length
    })
    assert.deepEqual(without, [])
  })
})

describe('the examples of the pages run and print what they say', () => {
  // The blocks of a tutorial are one program: tutorials/tutorials.test.ts runs it.
  const pages = globSync('docs/**/*.md', { cwd: root }).filter(
    (page) => !/node_modules|^docs\/(reference|tutorials)\//.test(page),
  )
  testBlocks(['README.md', 'CONTRIBUTING.md', ...pages.sort()], markdownBlocks)
})

const x64 = x64Device()
const listings = [
  { language: 'wasm', device: 'wasm', skip: false },
  {
    language: 'asm',
    device: 'x64',
    skip: typeof x64 === 'string' ? x64 : x64.wide ? false : 'the page shows AVX-512, which is not here',
  },
] as const
for (const { language, device, skip } of listings) {
  test(`the listing on the page from matmul to machine code is what ${device} emits`, { skip }, () => {
    const page = readFileSync(`${root}docs/from-matmul-to-machine-code.md`, 'utf8')
    setDevice(device)
    const w = randn([128, 784])
    const layer = compile((x: Tensor) => x.matmul(w.t()).relu())
    layer(zeros([32, 784]))
    const listing = trimmed(layer.print('code'))
    const excerpts = [...page.matchAll(new RegExp(`\`\`\`${language}\n([^\`]*)\`\`\``, 'g'))]
    assert.equal(excerpts.length, 2)
    for (const [, excerpt] of excerpts)
      assert.ok(listing.includes(trimmed(excerpt ?? '')), `not in the listing:\n${excerpt}`)
  })
}

function trimmed(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim()
}

test('blocks are found with their lines, and what they print', () => {
  const text = "a\n```ts\nconsole.log(1) // → 1\nconsole.log('x y') // → x\n//   y\nfoo()\n```\n```sh\nls\n```\n"
  const [block, ...others] = markdownBlocks(text)
  assert.equal(block?.line, 3)
  assert.deepEqual(others, [])
  assert.deepEqual(expectedOutput(block?.code ?? ''), ['1', 'x y'])
})
