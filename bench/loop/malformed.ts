/**
 * Requests that are wrong, against `descent serve`: `node bench/loop/malformed.ts [count] [seed]`. Each must be answered with a status from
 * 400 to 499 and one sentence, and the server's memory must not grow.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { faultOf, malformedRequest, sendRaw } from '../../packages/loop/src/deployment/test-malformed.ts'
import { seeded } from '../../packages/loop/src/random.ts'
import { digitsProject, memoryOf, startServer } from './digits-project.ts'
import { load, post } from './load.ts'

const count = Number(process.argv[2] ?? 10_000)
const random = seeded(Number(process.argv[3] ?? 1))
const senders = 32

const { project, digits, remove } = await digitsProject(500)
const config = "export default { kind: 'image', serve: { maxBodyMegabytes: 1, timeoutSeconds: 2 } }\n"
await writeFile(join(project.folder, 'descent.config.ts'), config)
const server = await startServer(project.folder)
const good = digits.slice(0, 200).map(({ pixels }) => post('/predict', 'application/octet-stream', pixels))
await load({ port: server.port, connections: 16, seconds: 3, requests: good })

const memory: number[] = [await memoryOf(server.pid)]
const outcomes = new Map<string, number>()
const faults: string[] = []
let next = 0
await Promise.all(
  Array.from({ length: senders }, async () => {
    while (next < count) {
      const i = next++
      const malformed = malformedRequest(i, random, { model: project.name, maxBody: 1e6 })
      const refusal = await sendRaw(server.port, malformed)
      const fault = faultOf(refusal)
      if (fault) faults.push(`${malformed.kind}: ${fault}`)
      const outcome = `${malformed.kind} | ${refusal?.status ?? 'none'}`
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      if (i % Math.ceil(count / 10) === 0 && i > 0) memory.push(await memoryOf(server.pid))
    }
  }),
)
memory.push(await memoryOf(server.pid))
const after = await load({ port: server.port, connections: 16, seconds: 1, requests: good })
console.log('| what | status | times |\n|---|---|---|')
for (const [outcome, times] of [...outcomes].sort()) console.log(`| ${outcome} | ${times} |`)
console.log(`\n${count} requests, ${faults.length} not refused as they should be. ${faults.slice(0, 5).join('\n')}`)
console.log(
  `Memory in MB, from before the first to after the last: ${memory.map((value) => value.toFixed(0)).join(' ')}.`,
)
console.log(
  `Afterwards ${after.answered} good requests in a second: ${[...after.statuses].map(([status, n]) => `${n} with ${status}`).join(', ')}.`,
)
const said = (await server.stop()).split('\n').filter((text) => text.includes('mistake'))
console.log(`Mistakes of the program that it told: ${said.length}.`)
await remove()
process.exitCode = faults.length + said.length > 0 ? 1 : 0
