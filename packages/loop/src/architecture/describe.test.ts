import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { descent } from '../cli/test-command.ts'
import type { Kind } from '../project/config.ts'
import type { Project } from '../project/project.ts'
import { addColumns, addExamples, type TestExample } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { cars, iris, mnist, penguins, spamAssassin } from '../training/test-data.ts'
import type { SnapshotColumn } from '../versioning/manifest.ts'
import { makeSnapshot } from '../versioning/snapshot.ts'
import { describeArchitecture } from './describe.ts'

async function projectOf(
  t: TestContext,
  kind: Kind,
  examples: Iterable<TestExample>,
  columns: readonly SnapshotColumn[] = [],
): Promise<Project> {
  const project = await testProject(t, kind)
  await addColumns(project, columns)
  await addExamples(project, examples)
  await makeSnapshot(project)
  return project
}

const descentUrl = JSON.stringify(import.meta.resolve('descent'))

/** The warnings about a recipe whose settings are given as code. */
async function warningsOf(project: Project, settings: string): Promise<readonly string[]> {
  await writeFile(join(project.folder, 'recipe.ts'), `import { nn } from ${descentUrl}\nexport default ${settings}\n`)
  return (await describeArchitecture(project, { recipe: 'recipe.ts' })).warnings
}

test('the default recipes give nothing to warn of on real data', async (t) => {
  for (const project of [
    await projectOf(t, 'tabular', penguins().examples, penguins().columns),
    await projectOf(t, 'tabular', cars().examples, cars().columns),
    await projectOf(t, 'image', mnist(700, 50)),
    await projectOf(t, 'text', spamAssassin(20)),
  ]) {
    const { warnings, layers, recipe } = await describeArchitecture(project)
    assert.deepEqual(warnings, [], recipe.name)
    assert.ok(layers.parameters > 0 && layers.rows.length > 2)
    assert.equal(layers.rows[0]?.outputs[0]?.[0], 1)
  }
})

test('losses and activations that do not fit are named, with what to do', async (t) => {
  const classes = await projectOf(t, 'tabular', iris().examples, iris().columns)
  const numbers = await projectOf(t, 'tabular', cars().examples, cars().columns)
  const net = (...layers: string[]) => `{ network: ({ layout, outputs }) => new nn.Sequential(${layers.join(', ')}) }`
  const first = 'new nn.Linear(layout.numbers + layout.categories.length, 8)'
  const [relu, last] = ['new nn.ReLU()', 'new nn.Linear(8, outputs)']
  const deep = (activation: string) =>
    net(first, activation, ...Array.from({ length: 5 }, () => `new nn.Linear(8, 8), ${activation}`), last)
  for (const [project, settings, ...expected] of [
    [classes, net(first, relu, last)],
    [classes, net(first, relu, last, 'new nn.Softmax(1)'), /crossEntropy takes logits .* remove the softmax/],
    [classes, net(first, relu, last, relu), /ends in ReLU, whose answers are never below 0/],
    [
      numbers,
      net(first, relu, last, 'new nn.Sigmoid()'),
      /ends in Sigmoid, whose answers are from 0 to 1, and targets/,
    ],
    [classes, net(first, last), /Two Linear layers follow each other without an activation/],
    [
      classes,
      deep('new nn.Tanh()'),
      /6 activations that saturate \(Tanh\)/,
      /7 layers with weights and no normalisation/,
    ],
    [classes, deep('new nn.BatchNorm1d(8), new nn.ReLU()')],
  ] as const) {
    const warnings = await warningsOf(project, settings)
    assert.equal(warnings.length, expected.length, `${settings}: ${warnings.join(' ')}`)
    for (const [i, pattern] of expected.entries()) assert.match(warnings[i] ?? '', pattern)
  }
  for (const [project, loss, message] of [
    [classes, 'huber', /the loss 'huber', which is for numbers, and the labels are classes: use crossEntropy/],
    [numbers, 'crossEntropy', /the loss 'crossEntropy', which is for classes, and the labels are numbers: use huber/],
  ] as const)
    await assert.rejects(describeArchitecture(project, { recipe: await lossFile(project, loss) }), message)
})

async function lossFile(project: Project, type: string): Promise<string> {
  await writeFile(join(project.folder, 'loss.json'), JSON.stringify({ loss: { type } }))
  return 'loss.json'
}

test('size, scale and balance are held against the data', async (t) => {
  const rows = Array.from({ length: 60 }, (_, i): TestExample => {
    const values = { small: i % 7, large: 1e5 * ((i * 37) % 60) }
    return { content: { kind: 'row', values }, label: i < 56 ? 'often' : 'rare' }
  })
  const columns = ['small', 'large'].map((name) => ({ name, type: 'number' }) as const)
  const project = await projectOf(t, 'tabular', rows, columns)
  for (const [settings, pattern] of [
    ["{ network: { type: 'mlp', hidden: [128, 128] } }", /^17,\d+ parameters for 42 training examples: .* by heart/],
    ["{ preprocess: { numbers: 'none' } }", /Numbers go in as they are, up to 5\d00000: .*standardize/],
    ["{ loss: { classWeights: 'none' } }", /The most frequent class has \d+ times as many .*'balanced'/],
    ["{ network: { type: 'mlp', norm: 'batch' }, batchSize: 4 }", /Batch norm on batches of 4/],
    ['{}', /Classes with hardly any training examples: rare \([1-4]\)/],
  ] as const) {
    const warnings = await warningsOf(project, settings)
    assert.ok(
      warnings.some((warning) => pattern.test(warning)),
      `${settings}: ${warnings.join('\n')}`,
    )
  }
  const digits = await projectOf(t, 'image', mnist(100, 10))
  const flipped = await warningsOf(
    digits,
    "{ augmentation: [{ type: 'flip', direction: 'horizontal' }], preprocess: { normalize: false } }",
  )
  assert.match(flipped.join('\n'), /^Pixels go in from 0 to 1[\s\S]*a mirrored one is another, or none/m)
})

test('descent architecture prints settings, layers and warnings; its JSON is a recipe that can be given back', async (t) => {
  const project = await projectOf(t, 'tabular', iris().examples, iris().columns)
  const { code, out } = await descent(project.folder, ['architecture'])
  assert.equal(code, 0)
  assert.match(out, /^perceptron on snapshot 1: \d+ examples to train with, \d+ to validate/)
  assert.match(out, /network +mlp: hidden 64 64, activation relu, norm none, dropout 0\.1/)
  assert.match(out, /layer +type +output +parameters +FLOPs/)
  assert.match(out, /Nothing to warn of/)
  const { out: json } = await descent(project.folder, ['architecture', '--json'])
  const recipe = JSON.parse(json)
  await writeFile(join(project.folder, 'mine.json'), JSON.stringify({ ...recipe, name: 'mine', epochs: 3 }))
  const train = await descent(project.folder, ['train', '--recipe', 'mine.json', '--threads', '1', '--no-baselines'])
  assert.equal(train.code, 0, train.err)
  assert.match(
    train.out,
    /^Run 1: mine, seed 1, device \w+, 1 thread\.\nepoch 1 of 3 {3}loss \d\.\d+ {3}validation loss/,
  )
  assert.match(train.out, /epoch 3 of 3[\s\S]*Run 1 is done: [\s\S]*test +accuracy[\s\S]*Next: descent evaluate/)
  const runs = await descent(project.folder, ['runs'])
  assert.match(runs.out, /1 +mine +1 +1 +done +3 +\d+\.\d\d % +\d+\.\d\d %/)
  const one = await descent(project.folder, ['runs', '1'])
  assert.match(
    one.out,
    /^Run 1: done\nsnapshot +1 \([\s\S]*seed +1\n[\s\S]*training +.* over 3 of 3 epochs\nenergy +[\s\S]*commit +/,
  )
  assert.match(one.out, /epoch +loss +accuracy +validation loss[\s\S]*\n +3 +\d/)
  const { out: again } = await descent(project.folder, ['runs', '1', '--recipe'])
  assert.deepEqual(JSON.parse(again), { ...recipe, name: 'mine', epochs: 3 })
  const missing = await descent(project.folder, ['train', '--recipe', 'none.json'])
  assert.equal(missing.code, 1)
  assert.match(missing.err, /^Error: The recipe none\.json cannot be read: there is no file .*none\.json\.\n$/)
})
