/** `descent label`: one example after the other in the terminal. */
import { userInfo } from 'node:os'
import { type Command, Option } from 'commander'
import { UserError } from '../../errors.ts'
import { labelSet } from '../../labeling/label-set.ts'
import { labelingQueue, type Queue } from '../../labeling/queue.ts'
import { allWaiting, disputed, waiting } from '../../labeling/queued.ts'
import { LabelingSession } from '../../labeling/session.ts'
import { type StrategyName, strategyNames } from '../../labeling/strategies/index.ts'
import type { Work } from '../../progress.ts'
import type { Project } from '../../project/project.ts'
import { withProject } from '../context.ts'
import { readKeys } from '../keys.ts'
import { labelInTerminal } from '../label-screen.ts'
import { wholeNumber } from '../options.ts'
import { clearProgress, count, counted } from '../terminal.ts'

interface Options {
  readonly as?: string
  readonly count: number
  readonly seed: number
  readonly again?: boolean
  readonly strategy?: string
  readonly run?: number
  readonly candidates?: number
  readonly queue?: boolean
  readonly suspects?: boolean
  readonly disputed?: boolean
}

/** On the command line: `least-confidence`. */
const hyphened = (name: StrategyName) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
const strategies = new Map(strategyNames.map((name) => [hyphened(name), name]))

export function addLabel(program: Command): void {
  program
    .command('label')
    .description('label examples in the terminal: one at a time, one key an answer')
    .option('--as <name>', 'who labels (default: your user name)')
    .option('-n, --count <number>', 'how many to ask about', wholeNumber(1), 100)
    .addOption(
      new Option('--suspects', 'labels that are likely wrong, as `descent labels errors` found them').conflicts([
        'disputed',
        'strategy',
      ]),
    )
    .addOption(new Option('--disputed', 'examples that others label differently').conflicts(['strategy']))
    .addOption(
      new Option(
        '--strategy <name>',
        'how they are chosen (default: margin, before a network is trained: random)',
      ).choices([...strategies.keys()]),
    )
    .option('--run <number>', 'the run whose network chooses (default: the latest that is done)', wholeNumber(1))
    .option('--candidates <number>', 'chooses among at most so many examples', wholeNumber(1))
    .option('--seed <number>', 'another choice of examples', wholeNumber(0), 1)
    .option('--queue', 'what waits in the queue: drifted, uncertain, disputed, diverse, random (`descent queue`)')
    .option('--again', 'also examples that others have labelled: second opinions')
    .action((options: Options, command: Command) =>
      withProject(command, async (project, work) => {
        const labeler = options.as ?? userInfo().username
        const { choices, notes } = await queueFor(project, work, labeler, options)
        clearProgress()
        if (choices.length === 0) {
          await requireExamples(project)
          return console.log(nothingLeft(options))
        }
        const keys = readKeys()
        const session = await LabelingSession.start(project, labeler, choices, { again: options.again })
        try {
          const set = await labelSet(project)
          await labelInTerminal({ project, session, set, keys, out: process.stdout, note: notes.join(' ') })
        } finally {
          keys.close()
        }
        const { labelled, skipped, left, labelsAnHour, byOthers } = session.state
        const others = byOthers > 0 ? `, ${byOthers} labelled by others meanwhile` : ''
        const rate = labelled > 0 ? ` (${count(Math.round(labelsAnHour))} an hour)` : ''
        console.log(
          `\n${counted(labelled, 'label')} given by ${labeler}${rate}, ${skipped} skipped${others}, ${left} left in this queue.`,
        )
        console.log(
          labelled === 0 ? 'Next: descent label' : options.queue ? 'Next: descent loop' : 'Next: descent snapshot',
        )
      }),
    )
}

async function queueFor(
  project: Project,
  work: Work,
  labeler: string,
  options: Options,
): Promise<Pick<Queue, 'choices' | 'notes'>> {
  const { count, seed, again, run, candidates } = options
  if (options.queue) return { choices: await allWaiting(project, { labeler, count }), notes: [] }
  if (options.suspects) return { choices: await waiting(project, 'suspect', { labeler, count }), notes: [] }
  if (options.disputed) return { choices: await disputed(project, { labeler, count }), notes: [] }
  const strategy = strategies.get(options.strategy ?? '')
  return labelingQueue(project, { labeler, count, seed, again, strategy, run, candidates, ...work })
}

/** @throws {UserError} where nothing was imported yet: that is another thing than to be done */
async function requireExamples({ store }: Project): Promise<void> {
  const any = await store.db.selectFrom('example').select('number').limit(1).executeTakeFirst()
  if (!any) throw new UserError('There are no examples yet: bring some with `descent import PATH…`.')
}

function nothingLeft({ queue, suspects, disputed }: Options): string {
  if (queue) return 'Nothing waits in the queue. Next: descent queue --fill, which looks through the traffic for more.'
  if (suspects) return 'No label is under suspicion. Next: descent labels errors, which looks for them.'
  if (disputed) return 'Nobody disagrees about anything that you have not labelled. Next: descent labels agreement'
  return 'There is nothing left to label. Next: descent snapshot, or `descent label --again` for second opinions.'
}
