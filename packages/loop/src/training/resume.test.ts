import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { descent } from '../cli/test-command.ts'
import type { Project } from '../project/project.ts'
import { addExamples } from '../test-examples.ts'
import { testProject } from '../test-project.ts'
import { makeSnapshot } from '../versioning/snapshot.ts'
import { epochsOf, findRun, listRuns, runFolder } from './run.ts'
import { mnist } from './test-data.ts'

/** Everything that has a state: dropout, batch norm, augmentation, a schedule, early stopping. */
const recipe = {
  network: { type: 'convolution', channels: [4, 8], hidden: 16, dropout: 0.2 },
  optimizer: { type: 'adamw', lr: 5e-3 },
  schedule: { type: 'oneCycle', warmUp: 0.3 },
  augmentation: [{ type: 'shift', max: 2 }],
  earlyStopping: { patience: 50 },
  epochs: 8,
}

async function digits(t: TestContext): Promise<Project> {
  const project = await testProject(t, 'image')
  await addExamples(project, mnist(400, 50))
  await makeSnapshot(project)
  await writeFile(join(project.folder, 'recipe.json'), JSON.stringify(recipe))
  return project
}

/** What `descent` is asked for. */
const command = ['train', '--recipe', 'recipe.json', '--seed', '3', '--no-baselines']

const bin = fileURLToPath(new URL('../../bin/descent.mjs', import.meta.url))

/** Trains in a process that is killed when so many epochs are recorded; whether it was. */
async function trainAndKill(project: Project, epochs: number): Promise<boolean> {
  const child = spawn(process.execPath, [bin, ...command], { cwd: project.folder, stdio: 'ignore' })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('close', (_, signal) => resolve(signal)))
  let over = false
  void ended.then(() => {
    over = true
  })
  while (!over) {
    const [run] = await listRuns(project)
    if (run && (await epochsOf(project, run.number)).length >= epochs) child.kill('SIGKILL')
    await sleep(2)
  }
  return (await ended) === 'SIGKILL'
}

/** What a run has left that must be the same to the last bit. */
async function bitsOf(project: Project, number: number) {
  const hash = async (name: string) =>
    createHash('sha256')
      .update(await readFile(join(runFolder(project, number), name)))
      .digest('hex')
  const epochs = await epochsOf(project, number)
  return {
    model: await hash('model.safetensors'),
    predictions: await hash('predictions.safetensors'),
    metrics: (await findRun(project, number)).metrics,
    epochs: epochs.map(({ seconds, examplesPerSecond, ...scores }) => scores),
  }
}

test('killed by SIGKILL again and again, a training ends with the same bits as one that was not', async (t) => {
  const whole = await digits(t)
  const first = await descent(whole.folder, command)
  assert.equal(first.code, 0, first.err)

  const pieces = await digits(t)
  let kills = 0
  for (const epochs of [1, 3, 6]) if (await trainAndKill(pieces, epochs)) kills++
  assert.ok(kills > 0, 'it was never killed')
  const listed = await descent(pieces.folder, ['runs'])
  assert.match(listed.out, /1 .*stopped/)
  const rest = await descent(pieces.folder, ['train', '--resume', '--no-baselines'])
  assert.equal(rest.code, 0, rest.err)
  assert.match(rest.out, /Going on with run 1/)
  assert.equal((await listRuns(pieces)).length, 1)
  assert.deepEqual(await bitsOf(pieces, 1), await bitsOf(whole, 1))
})
