/**
 * Kills an import (SIGKILL) at random moments and goes on with it, until it has been killed so often: `node
 * bench/loop/kill-import.ts [kills] [rows]`. After every kill the project must open and agree with its own counts, and in the
 * end each import must have kept exactly what one that was never killed keeps.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { initProject } from '@descent/loop'
import { seeded } from '../../packages/loop/src/random.ts'
import { ended, type Kept, kept, startImport, writeRows } from '../../packages/loop/src/sourcing/test-kill.ts'

const kills = Number(process.argv[2] ?? 20)
const rows = Number(process.argv[3] ?? 200_000)
const random = seeded(1)
const root = await mkdtemp(join(tmpdir(), 'kill-import-'))

async function project(name: string): Promise<string> {
  const folder = join(root, name)
  await (await initProject(folder, 'tabular')).close()
  return folder
}

function difference(one: Kept, other: Kept): string {
  const wrong = Object.keys(one).filter(
    (key) => JSON.stringify(one[key as keyof Kept]) !== JSON.stringify(other[key as keyof Kept]),
  )
  return wrong.join(', ')
}

try {
  const path = join(root, 'rows.csv')
  await writeRows(path, rows)
  const whole = await project('whole')
  const began = performance.now()
  const first = await ended(startImport(whole, [path, '--target', 'k']))
  if (first.code !== 0) throw new Error(first.said)
  const seconds = (performance.now() - began) / 1000
  const reference = await kept(whole)
  console.log(
    `${rows} rows; never killed: ${seconds.toFixed(1)} s, ${reference.examples} examples, counts ${reference.counts}`,
  )
  console.log('| kill | after, s | rows kept | project |\n|---|---|---|---|')
  let killed = 0
  let lost = 0
  for (let n = 1; killed < kills; n++) {
    const folder = await project(`killed-${n}`)
    let most = 0
    for (;;) {
      const child = startImport(folder, [path, '--target', 'k'])
      const end = ended(child)
      const after = killed < kills ? random.uniform() * seconds : Number.POSITIVE_INFINITY
      const timer =
        after === Number.POSITIVE_INFINITY ? null : setTimeout(1000 * after).then(() => child.kill('SIGKILL'))
      const { code, signal, said } = await end
      await timer
      if (signal === 'SIGKILL') {
        killed++
        const now = await kept(folder)
        const sound = now.examples >= most ? 'sound' : `lost ${most - now.examples} examples`
        if (sound !== 'sound') lost++
        most = now.examples
        console.log(`| ${killed} | ${after.toFixed(2)} | ${now.counts[0] ?? 0} | ${sound} |`)
        continue
      }
      if (code !== 0) throw new Error(said)
      const wrong = difference(await kept(folder), reference)
      if (wrong !== '') lost++
      console.log(`| ended | | ${rows} | ${wrong === '' ? 'the same as never killed' : `differs: ${wrong}`} |`)
      break
    }
  }
  console.log(`${killed} kills, ${lost} losses`)
  process.exitCode = lost === 0 ? 0 : 1
} finally {
  await rm(root, { recursive: true, force: true })
}
