/** How long each strategy takes to choose what to label next: `node bench/loop/strategies.ts [examples]`. */
import { selectBatch, strategyNames } from '../../packages/loop/src/labeling/strategies/index.ts'
import { seeded } from '../../packages/loop/src/random.ts'

const count = Number(process.argv[2] ?? 60_000)
const [classes, width, labelled, passes, batch] = [10, 128, 1000, 10, 100]

const random = seeded(1)
const normals = (length: number) => Float32Array.from({ length }, random.normal)

/** Rows of probabilities, from softmax of normal logits. */
function probabilities(rows: number): Float32Array {
  const values = normals(rows * classes).map((x) => Math.exp(3 * x))
  for (let at = 0; at < values.length; at += classes) {
    const row = values.subarray(at, at + classes)
    const sum = row.reduce((a, b) => a + b)
    for (let c = 0; c < classes; c++) row[c] = (row[c] as number) / sum
  }
  return values
}

const pool = {
  count,
  classes: Array.from({ length: classes }, (_, c) => String(c)),
  probabilities: probabilities(count),
  samples: probabilities(passes * count),
  embedding: normals(count * width),
  labelledEmbedding: normals(labelled * width),
}
console.log(
  `${batch} of ${count.toLocaleString('en')} examples, ${classes} classes, embedding of ${width}, ${labelled} labelled, ${passes} passes for BALD\n`,
)
console.log('| strategy | seconds |\n|---|---|')
for (const strategy of strategyNames) {
  const began = performance.now()
  selectBatch(pool, { strategy, count: batch, seed: 1 })
  console.log(`| ${strategy} | ${((performance.now() - began) / 1000).toFixed(2)} |`)
}
