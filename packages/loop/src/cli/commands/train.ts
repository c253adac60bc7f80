/** `descent train`: trains a network on a snapshot and records it as a run. */
import type { Command } from 'commander'
import type { BaselineRun } from '../../baselines/baseline-run.ts'
import { trainBaselines } from '../../baselines/train-baselines.ts'
import type { Run } from '../../training/run.ts'
import { type EpochNews, trainRun } from '../../training/train-run.ts'
import { withProject } from '../context.ts'
import { digits, metricsText } from '../metric-text.ts'
import { wholeNumber } from '../options.ts'
import { clearProgress, count, duration, paint } from '../terminal.ts'
import { baselineLine } from './baselines.ts'

interface Options {
  readonly recipe?: string
  readonly snapshot?: string
  readonly seed: number
  readonly epochs?: number
  readonly resume?: number | true
  readonly threads?: number
  readonly baselines: boolean
}

export function addTrain(program: Command): void {
  program
    .command('train')
    .description(
      'train a network and traditional models on a snapshot; a training that was cut off goes on where it was',
    )
    .option('--recipe <file>', "a recipe, JSON or TypeScript (default: the config's, else the kind's)")
    .option('--snapshot <number>', 'the number or hash of a snapshot (default: the latest)')
    .option('--seed <number>', 'decides first values, order, augmentation and dropout', wholeNumber(0), 1)
    .option('--epochs <number>', "in place of the recipe's", wholeNumber(1))
    .option(
      '--resume [run]',
      'go on with the run of this number (default: the latest that was cut off)',
      wholeNumber(1),
    )
    .option('--threads <number>', 'how many threads may compute (default: all cores)', wholeNumber(1))
    .option('--no-baselines', 'do not train traditional models on the same snapshot')
    .action(({ baselines, ...options }: Options, command: Command) =>
      withProject(command, async (project, work) => {
        let told = Number.NEGATIVE_INFINITY
        const run = await trainRun(project, {
          ...options,
          ...work,
          onStart: (run, resumed) => say(startText(run, resumed)),
          onNote: (note) => say(paint('yellow', note)),
          onEpoch: (news) => {
            if (performance.now() - told < BETWEEN && news.epoch < news.epochs) return
            say(epochText(news))
            told = performance.now()
          },
        })
        say(doneText(run))
        if (baselines) {
          // Of the run's own snapshot: another may have been made meanwhile.
          const { snapshot } = run
          const { threads } = options
          const onBaseline = (baseline: BaselineRun, made: boolean) => made && say(baselineLine(baseline))
          await trainBaselines(project, { snapshot, threads, ...work, onBaseline })
        }
        say(baselines ? 'Next: descent evaluate, and descent compare' : 'Next: descent evaluate')
      }),
    )
}

/** Milliseconds between two lines: of fast epochs only some are told, and all are recorded. */
const BETWEEN = 500

function say(text: string): void {
  clearProgress()
  console.log(text)
}

function startText({ number, name, seed, device, environment }: Run, resumed: boolean): string {
  const { threads } = environment
  const where = `seed ${seed}, device ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
  return resumed
    ? `Going on with run ${paint('bold', String(number))} (${name}, ${where}).`
    : `Run ${paint('bold', String(number))}: ${name}, ${where}.`
}

/** `epoch  3 of 20   loss 0.1213   validation loss 0.1045, accuracy 97.08 %   1.20 s   20.4 s left` */
export function epochText({ epoch, epochs, loss, validation, seconds, secondsLeft }: EpochNews): string {
  const figures = validation ? metricsText(validation.metrics) : ''
  const parts = [
    `epoch ${String(epoch).padStart(String(epochs).length)} of ${epochs}`,
    `loss ${loss.toFixed(4)}`,
    ...(validation ? [`validation loss ${validation.loss.toFixed(4)}${figures && `, ${figures}`}`] : []),
    duration(seconds),
    ...(epoch < epochs ? [`${duration(secondsLeft)} left`] : []),
  ]
  return parts.join('   ')
}

function doneText({ number, metrics, seconds, joules, parameters, predictMicroseconds }: Run): string {
  const shown = (['validation', 'test'] as const).flatMap((split) => {
    const figures = metrics?.[split]
    return figures ? [`  ${split.padEnd(10)}  ${metricsText(figures)}`] : []
  })
  const costs = [
    duration(seconds),
    ...(joules === null ? [] : [`${count(Math.round(joules))} J`]),
    `${count(parameters ?? 0)} parameters`,
    `${digits(predictMicroseconds ?? 0)} µs a prediction`,
  ]
  return [paint('green', `Run ${number} is done: ${costs.join(', ')}.`), ...shown].join('\n')
}
