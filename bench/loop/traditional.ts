/**
 * Deep against traditional learning on real data, as `descent compare` prints it:
 * `node bench/loop/traditional.ts [iris penguins cars mail mnist] [--digits 60000] [--mails 1] [--no-curve]`. `--digits`: how
 * many of MNIST's to train with; `--mails 4`: every fourth mail. Times are those of the machine as busy as it is.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareModels, initProject, learningCurves, makeSnapshot, trainRun } from '@descent/loop'
import { adviceText, comparisonText, curvesText, dimensionsText } from '../../packages/loop/src/cli/compare-text.ts'
import type { Kind } from '../../packages/loop/src/project/config.ts'
import { addColumns, addExamples, type TestExample } from '../../packages/loop/src/test-examples.ts'
import { cars, iris, mnist, penguins, spamAssassin } from '../../packages/loop/src/training/test-data.ts'
import type { SnapshotColumn } from '../../packages/loop/src/versioning/manifest.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    digits: { type: 'string', default: '60000' },
    mails: { type: 'string', default: '1' },
    curve: { type: 'boolean', default: true },
  },
})

interface Data {
  readonly examples: readonly TestExample[]
  readonly columns?: readonly SnapshotColumn[]
}

const [digits, every] = [Number(values.digits), Number(values.mails)]
const sources: Readonly<Record<string, { readonly kind: Kind; readonly load: () => Data }>> = {
  iris: { kind: 'tabular', load: iris },
  penguins: { kind: 'tabular', load: penguins },
  cars: { kind: 'tabular', load: cars },
  mail: { kind: 'text', load: () => ({ examples: spamAssassin(every) }) },
  mnist: { kind: 'image', load: () => ({ examples: [...mnist(digits, 10_000)] }) },
}

for (const name of positionals.length > 0 ? positionals : Object.keys(sources)) {
  const source = sources[name]
  if (!source) throw new Error(`There is no data set '${name}'. There are: ${Object.keys(sources).join(', ')}.`)
  const folder = await mkdtemp(join(tmpdir(), 'descent-traditional-'))
  const project = await initProject(folder, source.kind)
  const { examples, columns } = source.load()
  if (columns) await addColumns(project, columns)
  await addExamples(project, examples)
  await makeSnapshot(project)
  await trainRun(project)
  const comparison = await compareModels(project)
  const curves = values.curve ? await learningCurves(project, comparison) : null
  console.log(`## ${name}\n\n${comparisonText(comparison)}\n`)
  if (curves) console.log(`${curvesText(comparison, curves)}\n`)
  console.log(`${dimensionsText(comparison, curves)}\n\n${adviceText(comparison)}\n`)
  await project.close()
  await rm(folder, { recursive: true, force: true })
}
