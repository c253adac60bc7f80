import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as losses from '../../packages/descent/src/nn/losses/index.ts'
import { expectedOutput, markdownBlocks, runBlock } from '../code-blocks.ts'
import { draw } from './chart.ts'
import { chartOf, pictures } from './pictures.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const read = (name: string): string => readFileSync(`${folder}${name}`, 'utf8')
const pages = globSync('*.md', { cwd: folder }).sort()

describe('the examples of the pages on losses run and print what they say', () => {
  for (const page of pages) {
    for (const { line, code } of markdownBlocks(read(page))) {
      test(`${page}:${line}`, async () => assert.deepEqual(await runBlock(code), expectedOutput(code)))
    }
  }
})

describe('the pictures are what the script draws', () => {
  for (const [name, picture] of Object.entries(pictures)) {
    test(name, () => {
      assert.ok(read(name) === draw(chartOf(picture)), `${name} is out of date: run node docs/losses/draw.ts`)
    })
  }
})

test('every picture is on a page, and every picture on a page is drawn', () => {
  const shown = pages.flatMap((page) => Array.from(read(page).matchAll(/!\[[^\]]*\]\(([^)]*)\)/g), ([, name]) => name))
  assert.deepEqual(shown.sort(), Object.keys(pictures).sort())
  assert.deepEqual(globSync('*.svg', { cwd: folder }).sort(), Object.keys(pictures).sort())
})

test('every loss has a section with a formula, when to use it, what it does to outliers, and an example', () => {
  const sections = new Map(
    pages.flatMap((page) =>
      read(page)
        .split(/^## /m)
        .slice(1)
        .map((section): [string, string] => [section.slice(0, section.indexOf('\n')), section]),
    ),
  )
  for (const name of Object.keys(losses)) {
    if (name === 'checkLossFit') continue
    const section = sections.get(name) ?? assert.fail(`no section on ${name}`)
    for (const part of ['**When:**', '**Outliers:**', '`nn.', `import {`, `${name}(`])
      assert.ok(section.includes(part), `the section on ${name} has no ${part}`)
  }
})

test('links between the pages lead to sections that exist', () => {
  const anchors = (page: string): string[] =>
    Array.from(read(page).matchAll(/^#+ (.*)$/gm), ([, title]) =>
      (title as string)
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
  for (const page of pages) {
    for (const [, target, anchor] of read(page).matchAll(/\]\(([\w-]+\.md)(?:#([\w-]+))?\)/g)) {
      assert.ok(pages.includes(target as string), `${page}: ${target}`)
      if (anchor) assert.ok(anchors(target as string).includes(anchor), `${page}: ${target}#${anchor}`)
    }
  }
})
