import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { seeded } from '../random.ts'
import { importFiles } from '../sourcing/import.ts'
import { testFile } from '../sourcing/test-import.ts'
import { testProject } from '../test-project.ts'
import { importText } from './import-text.ts'

/** Customers, some of whom left; what is wrong with the table is planted. */
function customers(): string {
  const random = seeded(2)
  const rows = Array.from({ length: 400 }, (_, i) => {
    const left = random.below(10) < 3
    const age = i === 77 ? 999 : 18 + random.below(60)
    const income = (40_000 + 9000 * random.normal()).toFixed(2)
    return `${i + 1},${age},${income},NL,${left ? '2024-05-05' : ''},,${left ? 'yes' : 'no'}\n`
  })
  // A repetition, one that is nearly, one with another label, and two rows that are bad.
  const [first = '', second = '', third = ''] = rows
  const nearly = second.replace(/(\.\d\d),NL/, '$101,NL')
  const other = third.endsWith('yes\n') ? third.replace('yes\n', 'no\n') : third.replace('no\n', 'yes\n')
  return `id,age,income,country,refund,empty,churn\n${rows.join('')}${first}${nearly}${other}500,old,1.5,NL,,,no\n501,33\n`
}

test('the report of an import names what is planted in its table, and what to do', async (t) => {
  const project = await testProject(t, 'tabular')
  const path = await testFile(t, 'customers.csv', customers())
  const report = await importFiles(project, [path], { target: 'churn' })
  const lines = stripVTControlCharacters(importText(report)).split('\n')
  const has = (pattern: RegExp) =>
    assert.ok(
      lines.some((line) => pattern.test(line)),
      `${pattern}\n${lines.join('\n')}`,
    )
  has(/customers\.csv \(csv\): 405 rows in .* s, 401 added$/)
  has(/^ {2}2 duplicates within it, kept once$/)
  has(/^ {2}age +number +18 to 999, median \d+$/)
  has(/^ {2}refund +date +\d+ +2024-05-05 to 2024-05-05/)
  has(/^ {2}churn \(the label\): no \d+ \(\d+\.\d %\), yes \d+ \(\d+\.\d %\)$/)
  has(/Types are inferred\. Where one is wrong, say so in descent\.config\.ts: columns: \{ "id": 'category' \}/)
  has(/2 bad rows, not imported, kept in .*import-1\.jsonl:$/)
  has(/line 405: column 2 \('age'\): "old" is no finite number$/)
  has(/line 406: the row has 2 fields, not 7$/)
  has(/1 row with the same content as an earlier one and another label; the first label counts:$/)
  has(/'age': 1 value far from the rest, half of which lie between \d+ and \d+: 999 \(line 79\)$/)
  has(/'country' is NL in every row and tells nothing; columns: \{ "country": 'ignore' \} leaves it out$/)
  has(/'empty' has no value in any row/)
  has(/'refund' alone tells churn \(all of what a guess gets wrong\)/)
  has(/1 near-duplicate \(numbers within a hundredth of their spread\):$/)
  has(/\(line 403\) is like [0-9a-f]{8} \(line 3\)$/)
  assert.equal(lines.at(-1), 'Next: descent snapshot')

  const again = stripVTControlCharacters(importText(await importFiles(project, [path])))
  assert.match(again, /405 rows in .* s, 0 added\n.*2 duplicates within it.*\n {2}401 that the project had already\n/)
  assert.doesNotMatch(again, /Types are inferred/)
})

test('a row that was entered twice under two numbers is a near-duplicate', async (t) => {
  const project = await testProject(t, 'tabular')
  const random = seeded(4)
  const rows = Array.from({ length: 100 }, () => `${random.normal()},${random.normal()},${random.normal()}`)
  const numbered = [...rows, rows[41]].map((row, i) => `${1000 + i},${row}\n`)
  const text = importText(await importFiles(project, [await testFile(t, 'a.csv', `id,x,y,z\n${numbered.join('')}`)]))
  assert.match(text, /1 near-duplicate .*\n.*\(line 102\) is like [0-9a-f]{8} \(line 43\)/)
})

test('a table without fault has nothing worth a look; without labels, the next step is to give some', async (t) => {
  const project = await testProject(t, 'tabular')
  const random = seeded(3)
  const rows = Array.from({ length: 100 }, () => `${random.normal()},${random.normal()}\n`)
  const text = importText(await importFiles(project, [await testFile(t, 'a.csv', `x,y\n${rows.join('')}`)]))
  assert.doesNotMatch(text, /Worth a look/)
  assert.match(text, /Next: descent label$/)
})
