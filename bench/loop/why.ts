/**
 * Whether `descent why` finds the label that spoiled a prediction: `node bench/loop/why.ts [seeds]`. Among 3,000 digits of MNIST
 * lie 100 with a wrong label, each a copy, moved by a pixel, of a test digit. Where a network trained without them reads the
 * test digit right, and one trained with them says the planted label, that label spoiled the prediction; printed is at which
 * place among its reasons it comes.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initProject, makeSnapshot, type Project, seeded, trainRun } from '@descent/loop'
import { influences } from '../../packages/loop/src/lineage/influence.ts'
import { encodeContent, exampleId, type ImageContent } from '../../packages/loop/src/store/content.ts'
import { addExamples, type TestExample } from '../../packages/loop/src/test-examples.ts'
import { loadRun } from '../../packages/loop/src/training/load-run.ts'
import { mnist } from '../../packages/loop/src/training/test-data.ts'

const seeds = Number(process.argv[2] ?? 3)
const digits = [...mnist(60_000, 0)].map(({ content, label }) => ({ content: content as ImageContent, label }))
const planted = 100

console.log('seed  planted  spoiled  among the first ten  first')
let [allSpoiled, allTen] = [0, 0]
for (let seed = 1; seed <= seeds; seed++) {
  const random = seeded(seed)
  const order = random.permutation(digits.length)
  const at = (i: number) => digits[order[i] as number] as (typeof digits)[number]
  const clean = Array.from({ length: 3000 }, (_, i): TestExample => ({ ...at(i), split: 'train' }))
  const targets = Array.from({ length: planted }, (_, i) => at(3000 + i))
  const wrong = targets.map(({ content, label }): TestExample => {
    const other = String((Number(label) + 1 + random.below(9)) % 10)
    return { content: moved(content), label: other, split: 'train' }
  })
  const held = Array.from({ length: 300 }, (_, i): TestExample => ({ ...at(4000 + i), split: 'test' }))
  const before = await project([...clean, ...held], async (project, run) => saidOf(project, run, targets))
  await project([...clean, ...wrong, ...held], async (project, run) => {
    const after = await saidOf(project, run, targets)
    let [spoiled, ten, first] = [0, 0, 0]
    for (const [i, { content, label }] of targets.entries()) {
      if (before[i] !== label || after[i] !== wrong[i]?.label) continue
      spoiled++
      const found = await influences(project, run, content)
      const ids = found.toSorted((a, b) => b.score - a.score).map(({ entry }) => entry.id)
      const place = ids.indexOf(exampleId(encodeContent((wrong[i] as TestExample).content)))
      if (place >= 0 && place < 10) ten++
      if (place === 0) first++
    }
    allSpoiled += spoiled
    allTen += ten
    const share = ((100 * ten) / spoiled).toFixed(0)
    console.log(`${seed}     ${planted}      ${spoiled}       ${ten} (${share} %)            ${first}`)
  })
}
console.log(`In all: ${allTen} of ${allSpoiled}, ${((100 * allTen) / allSpoiled).toFixed(0)} %`)

async function project<T>(examples: readonly TestExample[], work: (project: Project, run: number) => Promise<T>) {
  const folder = await mkdtemp(join(tmpdir(), 'why-bench-'))
  const made = await initProject(folder, 'image')
  try {
    await addExamples(made, examples)
    await makeSnapshot(made)
    const network = { type: 'mlp', hidden: [128], dropout: 0 }
    const recipe = { name: 'perceptron', network, augmentation: [], earlyStopping: null }
    await writeFile(join(folder, 'mlp.json'), JSON.stringify(recipe))
    const run = await trainRun(made, { recipe: 'mlp.json', epochs: 30 })
    return await work(made, run.number)
  } finally {
    await made.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function saidOf(project: Project, number: number, asked: readonly { content: ImageContent }[]) {
  const { predict, target } = await loadRun(project, number)
  const { values, width } = await predict(asked.map(({ content }) => content))
  if (target.task !== 'class') throw new Error('Digits are classes.')
  return asked.map((_, i) => {
    const own = values.subarray(i * width, (i + 1) * width)
    return target.classes[own.indexOf(Math.max(...own))]
  })
}

/** One pixel to the right. */
function moved(content: ImageContent): ImageContent {
  const { width = 0, height = 0 } = content
  const bytes = new Uint8Array(content.bytes.length)
  for (let y = 0; y < height; y++)
    for (let x = 1; x < width; x++) bytes[y * width + x] = content.bytes[y * width + x - 1] as number
  return { ...content, bytes }
}
