import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { tensor } from '../create.ts'
import { parseCsv } from './csv.ts'
import { Preprocessing } from './preprocessing.ts'
import { PreprocessingFit } from './preprocessing-fit.ts'

const people = parseCsv(
  'age,city,member,joined,kind\n20,Rome,yes,2024-01-01,b\n40,Oslo,no,2024-01-03,a\n60,Rome,yes,2024-01-05,b\n',
  { types: { city: 'category', kind: 'category' } },
)

const near = (got: unknown, want: readonly number[]) => {
  const values = (got as number[][]).flat()
  assert.equal(values.length, want.length)
  for (const [i, value] of values.entries()) assert.ok(Math.abs(value - (want[i] as number)) < 1e-6, `${values}`)
}

test('numbers and dates are standardised, categories one-hot, booleans 0 or 1, classes numbered by name', () => {
  const dataset = people.toDataset({ target: 'kind' })
  const { x, y } = dataset.batch(Int32Array.of(0, 1, 2))
  const d = Math.sqrt(1.5)
  near(x.toArray(), [-d, 0, 1, 1, -d, 0, 1, 0, 0, 0, d, 0, 1, 1, d])
  assert.deepEqual(y.toArray(), [1, 0, 1])
  assert.deepEqual(dataset.classes, ['a', 'b'])
  assert.deepEqual(dataset.preprocessing.featureNames, ['age', 'city=Oslo', 'city=Rome', 'member', 'joined'])
})

test('new rows are treated as the training data was, also after a way through JSON', () => {
  const { preprocessing } = people.toDataset({ target: 'kind' })
  const again = Preprocessing.fromJSON(JSON.parse(JSON.stringify(preprocessing)))
  const rows = [...people.rows()].map(({ kind, ...features }) => features)
  assert.deepEqual(again.transform(rows).toArray(), again.transform(people).toArray())
  const text = 'age,city,member,joined,kind\n100,Oslo,no,2024-01-03,a\n'
  const other = parseCsv(text, { types: { city: 'category', kind: 'category' } }).toDataset({ preprocessing: again })
  near(other.batch(Int32Array.of(0)).x.toArray(), [3 * Math.sqrt(1.5), 1, 0, 0, 0])
  assert.throws(() => Preprocessing.fromJSON({}), /not the settings of a preprocessing/)
})

test('other ways to treat numbers and categories', () => {
  const features = ['age', 'city', 'joined']
  const x = (options: object) => people.toDataset({ target: 'kind', features, ...options }).batch(Int32Array.of(1, 2)).x
  near(x({ numbers: 'minMax', categories: 'index' }).toArray(), [0.5, 0, 0.5, 1, 1, 1])
  near(x({ numbers: 'none', categories: 'index' }).toArray(), [40, 0, 19725, 60, 1, 19727])
})

test('targets that are numbers, standardised if wanted, and what outputs mean', () => {
  const one = people.toDataset({ target: 'age', features: ['member'], targetScaling: 'standardize' })
  const { y } = one.batch(Int32Array.of(0, 1, 2))
  assert.deepEqual(y.shape, [3, 1])
  const decoded = one.preprocessing.decode(y) as number[]
  near([decoded], [20, 40, 60])
  const two = parseCsv('a,b,c\n1,2,3\n').toDataset({ target: ['b', 'c'] })
  assert.deepEqual(two.batch(Int32Array.of(0)).y.toArray(), [[2, 3]])
  const digits = parseCsv('x,digit\n1,9\n2,10\n3,9\n').toDataset({ target: 'digit', targetType: 'class' })
  assert.deepEqual(digits.classes, ['9', '10'])
  assert.deepEqual(digits.batch(Int32Array.of(1)).y.toArray(), [1])
  assert.deepEqual(
    digits.preprocessing.decode(
      tensor([
        [0.1, 2],
        [3, 1],
      ]),
    ),
    ['10', '9'],
  )
  assert.throws(() => digits.preprocessing.decode(tensor([[1, 2, 3]])), /takes outputs \[N, 2\], got \[1, 3\]/)
})

test('missing values are an error that names the place, or skipped, or filled in', () => {
  const table = parseCsv('n,c,b,t\n1,x,true,p\n,x,true,q\n5,,false,p\n3,y,,q\n9,x,true,\n', {
    types: { c: 'category', t: 'category' },
  })
  assert.throws(() => table.toDataset({ target: 't' }), /CSV data, line 3: 'n' is missing/)
  const skipped = table.toDataset({ target: 't', missing: 'skip' })
  assert.deepEqual([...skipped.rows], [0])
  const filled = table.select(Int32Array.of(0, 1, 2, 3)).toDataset({ target: 't', missing: 'impute', numbers: 'none' })
  assert.deepEqual(filled.batch(Int32Array.of(0, 1, 2, 3)).x.toArray(), [
    [1, 1, 0, 1],
    [3, 1, 0, 1],
    [5, 1, 0, 0],
    [3, 0, 1, 1],
  ])
  assert.throws(() => table.toDataset({ target: 't', missing: 'impute' }), /line 6: the target 't' is missing/)
})

test('levels that the training data did not have are an error, or ignored', () => {
  const strict = people.toDataset({ target: 'kind', features: ['city'] }).preprocessing
  assert.throws(() => strict.transform([{ city: 'Bonn' }]), /Row 0: 'city' is "Bonn".*Oslo, Rome/)
  const ignoring = people.toDataset({ target: 'kind', features: ['city'], unknown: 'ignore' }).preprocessing
  assert.deepEqual(ignoring.transform([{ city: 'Bonn' }, { city: 'Rome' }]).toArray(), [
    [0, 0],
    [0, 1],
  ])
  const other = parseCsv('city,kind\nRome,z\n', { types: { city: 'category', kind: 'category' } })
  assert.throws(
    () => other.toDataset({ preprocessing: strict }),
    /line 2: the target 'kind' is "z", none of the classes a, b/,
  )
})

test('columns that cannot be used are errors that say why', () => {
  const named = parseCsv('name,n,t\nann,1,a\nbob,2,b\n')
  assert.throws(
    () => named.toDataset({ target: 'x' }),
    /There is no column 'x' in CSV data, which has 'name', 'n', 't'/,
  )
  assert.throws(() => named.toDataset({ target: 't', features: ['name'] }), /'name' is text, which is no feature/)
  assert.throws(() => named.toDataset({ target: 't', features: ['t'] }), /'t' is text|both a feature and the target/)
  assert.throws(() => named.toDataset({ target: ['n', 't'] }), /the target 't' is of type text, not number/)
  const strict = people.toDataset({ target: 'kind', features: ['age'] }).preprocessing
  assert.throws(() => strict.transform([{ age: 'old' }]), /Row 0: 'age' is "old", not a number/)
  assert.throws(() => strict.transform([{}]), /Row 0: 'age' is missing/)
})

test('learning piece by piece gives the statistics of the whole', () => {
  const numbers = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 2, maxLength: 30 })
  fc.assert(
    fc.property(numbers, fc.nat(30), (values, cut) => {
      const table = parseCsv(`x,t\n${values.map((v, i) => `${v},${i % 3}`).join('\n')}\n`, { types: { x: 'number' } })
      const at = Math.min(cut, values.length)
      const range = (from: number, to: number) =>
        table.select(Int32Array.from({ length: to - from }, (_, i) => from + i))
      const fit = new PreprocessingFit({ target: 't', targetType: 'class' })
      fit.add(range(0, at))
      fit.add(range(at, values.length))
      const [feature] = fit.state().features
      const mean = values.reduce((a, b) => a + b, 0) / values.length
      const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) || 1
      assert.ok(Math.abs((feature?.shift ?? 0) - mean) < 1e-9 * (1 + Math.abs(mean)))
      assert.ok(Math.abs((feature?.scale ?? 0) / deviation - 1) < 1e-6)
      assert.deepEqual(fit.state().target, Preprocessing.fit(table, { target: 't', targetType: 'class' }).state.target)
    }),
    { numRuns: 60 },
  )
})

test('a split is random, whole, and stratified where wanted', () => {
  const table = parseCsv(
    `x,k\n${Array.from({ length: 100 }, (_, i) => `${i},${i % 10 === 0 ? 'rare' : 'usual'}`).join('\n')}\n`,
  )
  const [train, test] = table.split([0.8, 0.2], { seed: 1, stratify: 'k' })
  assert.deepEqual([train?.length, test?.length], [80, 20])
  const rare = [...(test?.rows() ?? [])].filter(({ k }) => k === 'rare')
  assert.equal(rare.length, 2)
  const all = [train, test].flatMap((part) => [...(part?.rows() ?? [])].map(({ x }) => x as number))
  assert.deepEqual(
    all.sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  )
  assert.deepEqual(
    table.split([70, 30]).map(({ length }) => length),
    [70, 30],
  )
  assert.throws(() => table.split([0.5, 0.3]), /shares that add up to 1, or counts that add up to 100/)
  assert.throws(() => table.split([0.5, 0.5], { stratify: 'x' }), /'x' is a column of type number/)
})
