import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { exists } from './names.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = globSync('{*.md,{docs,examples,packages,bench}/**/*.md}', { cwd: root })
  .filter((page) => !/node_modules|docs\/reference\//.test(page))
  .sort()
const read = (page: string): string => readFileSync(root + page, 'utf8')

/** Headings as the anchors that they get. */
function anchors(text: string): Set<string> {
  const headings = text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)
  return new Set(
    Array.from(headings, ([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

test('links between pages, to files and to headings lead somewhere', () => {
  const broken: string[] = []
  let links = 0
  for (const page of pages) {
    const text = read(page).replaceAll(/```[\s\S]*?```/g, '')
    for (const [, href = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?|mailto):/.test(href)) continue
      links++
      const [path = '', anchor] = href.split('#')
      const target = path === '' ? root + page : resolve(dirname(root + page), path)
      const there = existsSync(target) && (anchor === undefined || anchors(read(relative(root, target))).has(anchor))
      if (!there) broken.push(`${page}: ${href}`)
    }
  }
  assert.deepEqual(broken, [])
  assert.ok(links > 50)
})

test('the map of the documentation leads to every page', () => {
  const map = read('docs/README.md')
  const missing = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
  assert.deepEqual(
    missing.filter((page) => !map.includes(`(${relative('docs', page)})`)),
    [],
  )
})

test('the glossary is in order, and what it names exists', () => {
  const rows = read('docs/glossary.md')
    .split('\n')
    .filter((line) => line.startsWith('| **'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const words = rows.map(([, word = '']) => word.replaceAll('**', '').replaceAll('-', ' '))
  assert.deepEqual(words, [...words].sort())
  assert.ok(words.length > 60)
  const names = rows.flatMap(([, , , library = '']) =>
    Array.from(library.matchAll(/`([^`]+)`/g), ([, name = '']) => name),
  )
  assert.deepEqual(
    names.filter((name) => !exists(name)),
    [],
  )
})

test('the words at the end of each tutorial stand in the glossary', () => {
  const glossary = read('docs/glossary.md').toLowerCase()
  const missing: string[] = []
  for (const page of pages.filter((name) => /tutorials\/\d/.test(name))) {
    const words = read(page).split('## Words of this page')[1]?.split('**Try it**')[0] ?? ''
    for (const [, word = ''] of words.matchAll(/\*\*([^*]+)\*\*/g)) {
      const name = word.replaceAll(/\s+/g, ' ').toLowerCase()
      if (!glossary.includes(`| **${name}** |`)) missing.push(`${page}: ${name}`)
    }
  }
  assert.deepEqual(missing, [])
})
