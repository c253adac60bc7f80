/**
 * How fast rows come into a project, and in how much memory: `node bench/loop/import.ts [rows]`. A CSV file of 20 columns
 * (numbers, categories, short texts, a target), made from a seed, is imported into an empty project, and then again.
 */
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importFiles, initProject } from '@descent/loop'
import { seeded } from '../../packages/loop/src/random.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const random = seeded(1)
const words = ['red', 'green', 'blue', 'north', 'south', 'east', 'west', 'small', 'large', 'round']
const word = () => words[random.below(words.length)] as string

/** 12 numbers, 4 categories, 3 short texts, and the target. */
function row(): string {
  const cells = Array.from({ length: 12 }, (_, c) =>
    c < 3 ? String(random.below(10_000)) : (random.uniform() * 10 ** (c % 4)).toFixed(1 + (c % 4)),
  )
  for (let c = 0; c < 4; c++) cells.push(word())
  for (let c = 0; c < 3; c++) cells.push(`${word()} ${word()} ${random.below(1000)}`)
  cells.push(random.uniform() < 0.3 ? 'yes' : 'no')
  return cells.join(',')
}

const folder = await mkdtemp(join(tmpdir(), 'import-bench-'))
try {
  const path = join(folder, 'rows.csv')
  const file = await open(path, 'w')
  await file.write(`${Array.from({ length: 19 }, (_, c) => `c${c}`).join(',')},target\n`)
  for (let i = 0; i < rows; i += 1000) {
    await file.write(Array.from({ length: Math.min(1000, rows - i) }, () => `${row()}\n`).join(''))
  }
  await file.close()
  const megabytes = (await stat(path)).size / 1e6
  console.log(`${rows} rows of 20 columns, ${megabytes.toFixed(0)} MB`)
  const project = await initProject(join(folder, 'project'), 'tabular')
  console.log(
    '| import | seconds | rows/s | processor seconds | of which the writing thread | peak memory, MB |\n|---|---|---|---|---|---|',
  )
  for (const name of ['first', 'again']) {
    let peak = 0
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss())
    }, 20)
    const used = process.cpuUsage()
    const usedHere = process.threadCpuUsage()
    const began = performance.now()
    const report = await importFiles(project, [path], { target: 'target' })
    const seconds = (performance.now() - began) / 1000
    const { user, system } = process.cpuUsage(used)
    const here = process.threadCpuUsage(usedHere)
    clearInterval(watch)
    console.log(
      `| ${name}: ${report.added} added | ${seconds.toFixed(1)} | ${Math.round(rows / seconds)} | ${((user + system) / 1e6).toFixed(1)} | ${((here.user + here.system) / 1e6).toFixed(1)} | ${(peak / 1e6).toFixed(0)} |`,
    )
  }
  await project.close()
} finally {
  await rm(folder, { recursive: true, force: true })
}
