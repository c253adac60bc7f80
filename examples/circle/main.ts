/**
 * The whole circle, on real digits: 300 labels make a first model, which is served over HTTP; its traffic drifts; an alarm asks
 * for labels; they make a second model, which passes the gate, takes over without a dropped request, and is measurably better.
 *
 *   npm start               ends with the server still running; Ctrl-C stops it
 *   npm start -- --exit     ends when the circle is closed
 */
import {
  allWaiting,
  evaluateRun,
  fillQueue,
  gainLines,
  gateLines,
  goRound,
  importFiles,
  LabelingSession,
  makeSnapshot,
  type Project,
  promote,
  registerRun,
  type Serving,
  TrafficWatch,
  trainRun,
  UserError,
} from '@descent/loop'
import type { Tally } from './client.ts'
import { inverted, readDigits, turned, writeIdx } from './digits.ts'
import { folder, freshProject, recipeFile } from './project.ts'
import { send, startServer } from './traffic.ts'
import { Truth } from './truth.ts'

const began = performance.now()
let step = 0

function title(text: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(`\n${++step}. ${text}  (${seconds} s)`)
}

async function main(): Promise<void> {
  const stays = !process.argv.includes('--exit')
  const [train, test] = await Promise.all([readDigits('train', 6000), readDigits('t10k', 1000)])
  const truth = new Truth(train)

  title('Sourcing: 300 digits with labels to learn from, 1,000 to test with')
  const project = await freshProject()
  await importFiles(project, await writeIdx(folder, 'first', train.slice(0, 300)))
  await importFiles(project, await writeIdx(folder, 'test', test), { split: 'test' })
  const { snapshot } = await makeSnapshot(project, { freeze: true, message: 'the first 300' })
  console.log(`Snapshot ${snapshot.number} (${snapshot.hash.slice(0, 12)}); its test set is frozen.`)

  title('Training and evaluation: the first model')
  const run = await trainRun(project, { recipe: recipeFile })
  const { judged } = await evaluateRun(project, { run: run.number })
  if (judged.task !== 'class') throw new Error('Digits are classes.')
  const { accuracy } = judged.metrics
  console.log(
    `Run ${run.number} (${run.name}) in ${run.seconds.toFixed(1)} s: ${percent(accuracy.estimate)} of the test digits are read right (${percent(accuracy.low)} to ${percent(accuracy.high)}).`,
  )
  const { version } = await registerRun(project, run.number, { message: 'from the first 300 labels' })
  await promote(project, version.number, { why: 'the first model', who: 'npm start' })
  console.log(`It is version ${version.number} and champion.`)

  title('Deployment: served over HTTP')
  const serving = await startServer(project)
  console.log(`Listening at ${serving.address}`)
  const watch = await TrafficWatch.open(project)
  const fine = await send(serving, watch, train.slice(1000, 1500))
  console.log(
    `500 digits as they were: ${share(fine.tally)} right; alarms: ${fine.alarms.length === 0 ? 'none' : fine.alarms.join('; ')}.`,
  )

  title('Monitoring: someone mounts the camera askew and turns the lights off')
  const drifted = train.slice(2000, 4000).map((digit, i) => (i % 2 === 0 ? turned(digit, 35) : inverted(digit)))
  truth.add(drifted)
  const bad = await send(serving, watch, drifted.slice(0, 1000))
  console.log(`1,000 digits, turned by 35° or inverted: ${share(bad.tally)} right.`)
  for (const alarm of bad.alarms.slice(0, 3)) console.log(`ALARM ${alarm}`)
  if (bad.alarms.length === 0) throw new Error('The drift was not noticed.')

  title('The way back: what to label next, and labels')
  const { byReason } = await fillQueue(project, { count: 200 })
  const added = Object.entries(byReason).map(([reason, count]) => `${count} ${reason}`)
  const waiting = await allWaiting(project, { labeler: 'replay', count: 400 })
  console.log(`${waiting.length} digits wait in the queue: those of the alarm, and ${added.join(', ')}.`)
  const session = await LabelingSession.start(project, 'replay', waiting)
  for (const { example } of waiting) await session.answer(await truth.of(project, example))
  console.log(
    `${session.state.labelled} labels given by "replay": here the true labels are played back; in your project \`descent label --queue\` asks a person.`,
  )

  title('Once more round: snapshot, training, gate, promotion')
  const result = await goRound(project, {
    labels: 100,
    who: 'npm start',
    onNews: (sentence) => console.log(sentence),
    confirm: async () => true,
  })
  if (result.status === 'too few') throw new Error('There are too few labels for a round.')
  console.log(gateLines(result.report))
  if (result.status !== 'promoted') throw new Error(`The second model was ${result.status}.`)
  while (serving.version !== result.version) await new Promise((resolve) => setTimeout(resolve, 50))
  console.log(`Version ${result.version} answers now, without a request dropped.`)

  title('What the labels bought')
  const after = await send(serving, watch, drifted.slice(1000, 2000))
  console.log(`1,000 more digits, turned or inverted: ${share(bad.tally)} right before, ${share(after.tally)} now.`)
  console.log(gainLines(result.gain))
  console.log(`\nThe circle is closed after ${((performance.now() - began) / 1000).toFixed(0)} s.`)

  if (!stays) return end(serving, project)
  console.log(`
The server goes on at ${serving.address}: open it in a browser, or ask
  curl ${serving.address}/v2/models
The project lies in ${folder}: in another terminal, in that folder, try
  npx descent status · npx descent monitor · npx descent versions · npx descent aliases --history
Ctrl-C stops the server.`)
  const stop = () => void end(serving, project)
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

async function end(serving: Serving, project: Project): Promise<void> {
  await serving.close()
  await project.close()
  console.log('Stopped.')
}

const percent = (value: number) => `${(100 * value).toFixed(1)} %`
const share = ({ asked, right }: Tally) => percent(right / asked)

try {
  await main()
} catch (error) {
  console.error(error instanceof UserError ? error.message : error)
  process.exit(1)
}
