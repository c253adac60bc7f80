/** `descent runs [run]`: all runs, or one in full. */
import type { Command } from 'commander'
import type { Project } from '../../project/project.ts'
import { type EpochRecord, epochsOf, findRun, isAlive, listRuns, type Run } from '../../training/run.ts'
import { listSnapshots } from '../../versioning/snapshot.ts'
import { withProject } from '../context.ts'
import { digits, headline, metricsText, percent } from '../metric-text.ts'
import { wholeNumber } from '../options.ts'
import { recipeLines } from '../recipe-lines.ts'
import { count, duration, paint, table } from '../terminal.ts'

interface Options {
  readonly sweep?: number
  readonly recipe?: boolean
  readonly json?: boolean
}

export function addRuns(program: Command): void {
  program
    .command('runs')
    .description('list the runs, or show one in full')
    .argument('[run]', 'its number', wholeNumber(1))
    .option('--sweep <number>', 'the runs of this sweep', wholeNumber(1))
    .option('--recipe', "print only the run's recipe, as JSON: a file for descent train --recipe")
    .option('--json', 'print everything as JSON')
    .action((number: number | undefined, { sweep, recipe, json }: Options, command: Command) =>
      withProject(command, async (project) => {
        if (number === undefined) {
          const all = (await listRuns(project)).filter((run) => run.sweep === (sweep ?? null))
          return console.log(json ? JSON.stringify(all, null, 2) : await listText(project, all))
        }
        const run = await findRun(project, number)
        if (recipe) return console.log(JSON.stringify(run.recipe, null, 2))
        const epochs = await epochsOf(project, number)
        console.log(json ? JSON.stringify({ ...run, epochs }, null, 2) : await runText(project, run, epochs))
      }),
    )
}

async function snapshotNames(project: Project): Promise<ReadonlyMap<string, string>> {
  return new Map((await listSnapshots(project)).map(({ hash, number }) => [hash, String(number)]))
}

async function listText(project: Project, runs: readonly Run[]): Promise<string> {
  if (runs.length === 0) return 'There is no run yet. Next: descent train'
  const names = await snapshotNames(project)
  const rows = runs.map((run) => [
    String(run.number),
    run.name,
    names.get(run.snapshot) ?? run.snapshot.slice(0, 8),
    String(run.seed),
    statusText(run),
    String(run.recipe.epochs),
    headline(run.metrics?.validation),
    headline(run.metrics?.test),
    duration(run.seconds),
    run.parameters === null ? '' : count(run.parameters),
  ])
  const head = ['run', 'recipe', 'snapshot', 'seed', 'status', 'epochs', 'validation', 'test', 'time', 'parameters']
  return [table([head, ...rows]), 'Next: descent runs N shows one in full; descent evaluate N judges it'].join('\n')
}

/** A run whose process was killed is stopped, whatever its row says. */
function statusText({ status, environment }: Run): string {
  switch (status) {
    case 'done':
      return paint('green', status)
    case 'failed':
      return paint('red', status)
    case 'running':
      return isAlive(environment.process) ? paint('cyan', status) : paint('yellow', 'stopped')
    case 'stopped':
      return paint('yellow', status)
    default:
      return status satisfies never
  }
}

async function runText(project: Project, run: Run, epochs: readonly EpochRecord[]): Promise<string> {
  const { environment: env, error, metrics, parameters, bytes, predictMicroseconds, joules } = run
  const snapshot = (await snapshotNames(project)).get(run.snapshot) ?? '?'
  const facts: [string, string][] = [
    ['snapshot', `${snapshot} (${run.snapshot.slice(0, 12)})`],
    ['recipe', `${run.name} (${run.recipeHash.slice(0, 12)})`],
    ['seed', String(run.seed)],
    ['began', run.startedAt.slice(0, 19).replace('T', ' ')],
    ['training', `${duration(run.seconds)} over ${epochs.length} of ${run.recipe.epochs} epochs`],
    ['energy', joules === null ? 'not readable on this machine' : `${count(Math.round(joules))} J`],
    ['device', `${run.device}, ${env.threads} of ${env.cores} threads, ${env.processor}, ${env.gigabytes} GB`],
    ['versions', `descent ${env.descent}, Node ${env.node}, ${env.platform}`],
    ['commit', env.commit ?? 'the project is not in git'],
  ]
  if (parameters !== null) facts.push(['size', `${count(parameters)} parameters, ${digits((bytes ?? 0) / 1e6)} MB`])
  if (predictMicroseconds !== null) facts.push(['prediction', `${digits(predictMicroseconds)} µs an example`])
  const width = Math.max(...facts.map(([name]) => name.length))
  return [
    `Run ${paint('bold', String(run.number))}: ${statusText(run)}${error === null ? '' : `: ${error}`}`,
    ...facts.map(([name, text]) => `${paint('gray', name.padEnd(width))}  ${text}`),
    '',
    ...recipeLines(run.recipe),
    '',
    ...(epochs.length > 0 ? [epochTable(epochs), ''] : []),
    ...Object.entries(metrics ?? {}).map(([split, figures]) => `${split.padEnd(10)}  ${metricsText(figures)}`),
    `Next: ${run.status === 'done' ? `descent evaluate ${run.number}` : run.status === 'failed' ? 'descent train' : `descent train --resume ${run.number}`}`,
  ].join('\n')
}

/** At most so many lines: the first, the last, and some between. */
const SHOWN = 20

function epochTable(epochs: readonly EpochRecord[]): string {
  const step = Math.ceil(epochs.length / SHOWN)
  const shown = epochs.filter((_, i) => i % step === 0 || i === epochs.length - 1)
  const accuracy = (scores: EpochRecord['validation']) =>
    scores?.metrics.accuracy === undefined ? '' : percent(scores.metrics.accuracy)
  const rows = shown.map(({ epoch, loss, metrics, validation, learningRate, seconds }) => [
    String(epoch),
    loss.toFixed(4),
    accuracy({ loss, metrics }),
    validation === null ? '' : validation.loss.toFixed(4),
    accuracy(validation),
    learningRate === undefined ? '' : learningRate.toExponential(2),
    duration(seconds),
  ])
  const head = ['epoch', 'loss', 'accuracy', 'validation loss', 'accuracy', 'learning rate', 'time']
  const used = head.map((_, c) => rows.some((row) => row[c] !== ''))
  return table([head, ...rows].map((row) => row.filter((_, c) => used[c])))
}
