/**
 * kill -9 of a server under load, at random moments: `node bench/loop/kill-serve.ts [times] [seed]`. Every prediction whose answer said that it
 * was logged must be in the database afterwards, and the database must be sound.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { seeded } from '../../packages/loop/src/random.ts'
import { digitsProject, startServer } from './digits-project.ts'
import { load, post } from './load.ts'

const times = Number(process.argv[2] ?? 20)
const random = seeded(Number(process.argv[3] ?? 1))

const { project, digits, remove } = await digitsProject(500)
const requests = digits
  .slice(0, 200)
  .map(({ pixels }) => post('/predict?wait=logged', 'application/octet-stream', pixels))
const acknowledged: string[] = []
let [missing, unsound] = [0, 0]
console.log('| | killed after | acknowledged | of them missing | rows | integrity |\n|---|---|---|---|---|---|')
for (let i = 1; i <= times; i++) {
  const server = await startServer(project.folder)
  const moment = 200 + random.below(2500)
  const before = acknowledged.length
  const loading = load({
    port: server.port,
    connections: 64,
    seconds: moment / 1000 + 0.3,
    requests,
    onBody(body) {
      const { id, logged } = JSON.parse(body) as { id: string; logged: boolean }
      if (logged) acknowledged.push(id)
    },
  })
  await new Promise((resolve) => setTimeout(resolve, moment))
  await server.kill()
  await loading
  const db = new Database(join(project.store.folder, 'project.db'))
  const integrity = db.pragma('integrity_check', { simple: true })
  const foreign = (db.pragma('foreign_key_check') as unknown[]).length
  const there = new Set(db.prepare('select id from prediction').pluck().all())
  db.close()
  const lost = acknowledged.filter((id) => !there.has(id)).length
  missing += lost
  if (integrity !== 'ok' || foreign > 0) unsound++
  console.log(`| ${i} | ${moment} ms | ${acknowledged.length - before} | ${lost} | ${there.size} | ${integrity} |`)
}
console.log(
  `\n${times} times killed: ${acknowledged.length.toLocaleString('en')} predictions were acknowledged, ${missing} are missing; the database was unsound ${unsound} times.`,
)
await remove()
process.exitCode = missing + unsound > 0 || acknowledged.length === 0 ? 1 : 0
