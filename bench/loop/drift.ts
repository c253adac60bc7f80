/**
 * How soon drift is noticed, and how often falsely: `node bench/loop/drift.ts [seeds]`. A network reads 3,000 digits of MNIST;
 * its traffic are digits that it never saw: first 20,000 as they are, which must raise no alarm, then turned by 30°.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initProject, makeSnapshot, seeded } from '@descent/loop'
import { logTraffic, turned } from '../../packages/loop/src/monitoring/test-traffic.ts'
import { TrafficWatch } from '../../packages/loop/src/monitoring/watch.ts'
import { setAlias } from '../../packages/loop/src/registry/aliases.ts'
import { registerRun } from '../../packages/loop/src/registry/register.ts'
import type { ImageContent } from '../../packages/loop/src/store/content.ts'
import { addExamples } from '../../packages/loop/src/test-examples.ts'
import { mnist } from '../../packages/loop/src/training/test-data.ts'
import { trainRun } from '../../packages/loop/src/training/train-run.ts'

const seeds = Number(process.argv[2] ?? 5)
const calm = Number(process.argv[3] ?? 20_000)
const digits = [...mnist(60_000, 0)].map(({ content, label }) => ({
  content: content as ImageContent,
  label: label as string,
}))

console.log('seed  accuracy  false alarms in', calm, ' requests of 30° until the alarm  what rang')
for (let seed = 1; seed <= seeds; seed++) {
  const folder = await mkdtemp(join(tmpdir(), 'drift-bench-'))
  const project = await initProject(folder, 'image')
  try {
    const random = seeded(seed)
    const order = random.permutation(digits.length)
    await addExamples(
      project,
      Array.from(order.subarray(0, 3000), (i) => digits[i] as (typeof digits)[number]),
    )
    await makeSnapshot(project)
    const recipe = { name: 'perceptron', network: { type: 'mlp', hidden: [128], dropout: 0 }, augmentation: [] }
    await writeFile(join(folder, 'mlp.json'), JSON.stringify(recipe))
    const run = await trainRun(project, { recipe: 'mlp.json', epochs: 6, seed })
    const {
      version: { number },
    } = await registerRun(project, run.number)
    await setAlias(project, 'champion', number)
    const watch = await TrafficWatch.open(project, { ask: 10 })
    const traffic = (at: number) => (digits[order[3000 + (at % 57_000)] as number] as (typeof digits)[number]).content
    let alarms = 0
    for (let at = 0; at < calm; at += 500) {
      await logTraffic(
        project,
        number,
        Array.from({ length: 500 }, (_, i) => traffic(at + i)),
      )
      for (const report of await watch.check()) {
        for (const { change, measure, detail } of report.alarms) {
          if (change !== 'opened') continue
          alarms++
          console.log(`  false: ${measure}: ${detail}`)
        }
      }
    }
    let until: string = 'none in 2,000'
    let rang = ''
    for (let at = 0; at < 2000 && rang === ''; at += 50) {
      await logTraffic(
        project,
        number,
        Array.from({ length: 50 }, (_, i) => turned(traffic(calm + at + i), 30)),
      )
      for (const { alarms } of await watch.check()) {
        const opened = alarms.filter(({ change }) => change === 'opened')
        if (opened.length === 0) continue
        until = String(at + 50)
        rang = opened.map(({ measure }) => measure).join(', ')
      }
    }
    const accuracy = (100 * (run.metrics?.test?.accuracy ?? 0)).toFixed(1)
    console.log(
      `${seed}     ${accuracy} %    ${alarms}                       ${until.padStart(8)}                          ${rang}`,
    )
  } finally {
    await project.close()
    await rm(folder, { recursive: true, force: true })
  }
}
