import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { exists } from './names.ts'

const page = readFileSync(new URL('from-pytorch.md', import.meta.url), 'utf8')

/** The names in the right column of the tables. */
function names(): string[] {
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| PyTorch'))
  const cells = rows.map((row) => row.split(' | ').at(-1) ?? '')
  return cells.flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = '']) => code))
}

test('the page names things that exist', () => {
  const all = names()
  assert.ok(all.length > 200, `${all.length} names`)
  assert.deepEqual(
    all.filter((code) => !exists(code)),
    [],
  )
})

test('a name that does not exist is noticed', () => {
  for (const code of ['nn.Lineer', 'x.fooBar()', 'optim.lrScheduler.Nope', 'nothing']) assert.equal(exists(code), false)
  for (const code of ['nn.Linear', 'x.add(b)', 'net.apply(fn)', 'optimizer.lr', 'tensor([1])'])
    assert.equal(exists(code), true)
})
