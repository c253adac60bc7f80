import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cell } from '../../store/content.ts'
import { fitTable, type TableColumn, TableFeatures } from './table.ts'

const settings = { type: 'table', numbers: 'standardize', rareBelow: 2, maxLevels: 3 } as const
const column = (name: string, type: TableColumn['type']): TableColumn => ({ name, type })
type Row = Record<string, Cell>

async function fitted(
  rows: readonly Row[],
  columns: readonly TableColumn[],
  more: Partial<Record<'numbers', 'minMax' | 'none'>> = {},
) {
  async function* contents() {
    for (const values of rows) yield { kind: 'row', values } as const
  }
  const features = new TableFeatures(await fitTable({ ...settings, ...more }, contents(), columns))
  const encode = async (...some: Row[]) => {
    const { shape, values } = await features.encode(some.map((row) => ({ kind: 'row', values: row })))
    const width = shape[1] as number
    return some.map((_, i) => Array.from(values.subarray(i * width, (i + 1) * width)))
  }
  return { features, encode }
}

test('numbers have mean 0 and deviation 1 over training; missing ones stand at the mean, with an indicator', async () => {
  const rows = [
    { a: 1, b: 10 },
    { a: 3, b: null },
    { a: 5, b: 30 },
  ]
  const { encode, features } = await fitted(rows, [column('a', 'number'), column('b', 'number')])
  assert.deepEqual(features.layout, { type: 'table', numbers: 3, categories: [] })
  const [first, second] = await encode({ a: 3, b: 30 }, { b: null })
  assert.deepEqual(first, [0, 1, 0])
  assert.deepEqual(second, [0, 0, 1])
  // A typing mistake does not drown the others.
  assert.deepEqual((await encode({ a: 3e9, b: -1e9 }))[0], [10, -10, 0])
  const as = await fitted(rows, [column('a', 'number')], { numbers: 'none' })
  assert.deepEqual(await as.encode({ a: 3e5 }), [[3e5]])
  const between = await fitted(rows, [column('a', 'number')], { numbers: 'minMax' })
  assert.deepEqual(await between.encode({ a: 1 }, { a: 5 }, { a: 3 }), [[0], [1], [0.5]])
})

test('levels have numbers from 2; rare and unknown ones are 0, missing ones 1; dates and booleans are numbers', async () => {
  const rows = ['x', 'y', 'x', 'y', 'z'].map((c, i) => ({ c, ok: i % 2 === 0, day: `2024-01-0${i + 1}` }))
  const columns = [column('c', 'category'), column('ok', 'boolean'), column('day', 'date')]
  const { encode, features } = await fitted(rows, columns)
  assert.deepEqual(features.layout, { type: 'table', numbers: 2, categories: [4] })
  const codes = (await encode({ c: 'x' }, { c: 'y' }, { c: 'z' }, { c: 'w' }, { c: null }, {})).map((row) => row[2])
  assert.deepEqual(codes, [2, 3, 0, 0, 1, 1])
  const days = (await encode({ day: '2024-01-03' }, { day: '2024-01-05' })).map((row) => row[1] as number)
  assert.equal(days[0], 0)
  assert.ok(Math.abs((days[1] as number) - Math.SQRT2) < 1e-6)
  assert.deepEqual(
    (await encode({ ok: true }, { ok: 'no' })).map((row) => (row[0] as number) > 0),
    [true, false],
  )
})

test('columns of no use are left out, with the reason; a value of another type is one sentence', async () => {
  const rows = [1, 2, 3, 4].map((n) => ({ n, same: 7, name: `name ${n}`, words: `some text ${n}` }))
  const columns = [column('n', 'number'), column('same', 'number'), column('name', 'category'), column('words', 'text')]
  const { features, encode } = await fitted(rows, columns)
  assert.deepEqual(features.notes, [
    "Column 'same' is left out: it is the same in all training rows.",
    "Column 'name' is left out: it has 4 levels, more than 3 (preprocess.maxLevels).",
    "Column 'words' is left out: it holds free text.",
  ])
  await assert.rejects(encode({ n: 'many' }), /Column 'n': "many" is no number\./)
  await assert.rejects(fitted([], columns), /The training split has no rows/)
  await assert.rejects(fitted(rows, columns.slice(1, 2)), /No column is left to learn from: same is left out/)
})
