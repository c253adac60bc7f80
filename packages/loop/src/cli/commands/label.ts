/** `descent label`: one example after the other in the terminal. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { labelSet } from '../../labeling/label-set.ts'
import { randomQueue } from '../../labeling/queue.ts'
import { LabelingSession } from '../../labeling/session.ts'
import { withProject } from '../context.ts'
import { readKeys } from '../keys.ts'
import { labelInTerminal } from '../label-screen.ts'
import { wholeNumber } from '../options.ts'
import { count, counted } from '../terminal.ts'

interface Options {
  readonly as?: string
  readonly count: number
  readonly seed: number
  readonly again?: boolean
}

export function addLabel(program: Command): void {
  program
    .command('label')
    .description('label examples in the terminal: one at a time, one key an answer')
    .option('--as <name>', 'who labels (default: your user name)')
    .option('-n, --count <number>', 'how many to ask about', wholeNumber(1), 100)
    .option('--seed <number>', 'another choice of examples', wholeNumber(0), 1)
    .option('--again', 'also examples that others have labelled: second opinions')
    .action((options: Options, command: Command) =>
      withProject(command, async (project) => {
        const labeler = options.as ?? userInfo().username
        const { count: n, seed, again } = options
        const queue = await randomQueue(project, { labeler, count: n, seed, again })
        if (queue.length === 0) {
          return console.log(
            'There is nothing left to label. Next: descent snapshot, or `descent label --again` for second opinions.',
          )
        }
        const keys = readKeys()
        const session = await LabelingSession.start(project, labeler, queue)
        try {
          await labelInTerminal({ project, session, set: await labelSet(project), keys, out: process.stdout })
        } finally {
          keys.close()
        }
        const { labelled, skipped, left, labelsAnHour } = session.state
        const rate = labelled > 0 ? ` (${count(Math.round(labelsAnHour))} an hour)` : ''
        console.log(
          `\n${counted(labelled, 'label')} given by ${labeler}${rate}, ${skipped} skipped, ${left} left in this queue.`,
        )
        console.log(labelled > 0 ? 'Next: descent snapshot' : 'Next: descent label')
      }),
    )
}
