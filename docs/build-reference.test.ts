import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { buildReference, type Reference } from './build-reference.ts'

let folder = ''
let reference: Reference
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reference-'))
  reference = await buildReference(join(folder, 'reference'))
})
after(() => rm(folder, { recursive: true }))

test('the reference is built without a complaint', () => {
  assert.deepEqual(reference.complaints, [])
})

test('every public name has a docstring', () => {
  assert.deepEqual(reference.undocumented, [])
})

test('every link in the reference leads somewhere', () => {
  const out = join(folder, 'reference')
  const pages = globSync('**/*.html', { cwd: out })
  assert.ok(pages.includes('classes/descent.nn.Linear.html'))
  const ids = new Map<string, Set<string>>()
  const read = (page: string): string => readFileSync(page, 'utf8')
  const idsOf = (page: string): Set<string> => {
    let found = ids.get(page)
    if (!found) {
      found = new Set(Array.from(read(page).matchAll(/ id="([^"]+)"/g), ([, id]) => id as string))
      ids.set(page, found)
    }
    return found
  }
  const broken: string[] = []
  let links = 0
  for (const name of pages) {
    const page = join(out, name)
    for (const [, href = ''] of read(page).matchAll(/ (?:href|src)="([^"]*)"/g)) {
      if (/^(https?|data|mailto):/.test(href)) continue
      links++
      const [path = '', anchor = ''] = href.replaceAll('&amp;', '&').split('#')
      const target = path === '' ? page : resolve(dirname(page), decodeURIComponent(path.split('?')[0] as string))
      const missing =
        !existsSync(target) ||
        (anchor !== '' && target.endsWith('.html') && !idsOf(target).has(decodeURIComponent(anchor)))
      if (missing) broken.push(`${name} → ${href}`)
    }
  }
  assert.deepEqual(broken, [])
  assert.ok(links > 1000)
})
