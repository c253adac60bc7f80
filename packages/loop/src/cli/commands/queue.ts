/** `descent queue`: what waits for a person's label, and why; filled from the traffic. */
import type { Command } from 'commander'
import { feedbackLabels } from '../../feedback/feedback-labels.ts'
import { type FillReport, fillQueue } from '../../feedback/fill-queue.ts'
import { allWaiting } from '../../labeling/queued.ts'
import { readExample } from '../../store/examples.ts'
import { withProject } from '../context.ts'
import { wholeNumber } from '../options.ts'
import { clearProgress, counted, paint, table } from '../terminal.ts'

interface Options {
  readonly fill?: boolean
  readonly count: number
  readonly seed: number
}

const shown = 10

export function addQueue(program: Command): void {
  program
    .command('queue')
    .description('what people should label next, and why: uncertain, diverse, drifted, disputed, random')
    .option('--fill', "look through the champion's traffic for more")
    .option('-n, --count <number>', 'how many to add at most', wholeNumber(1), 100)
    .option('--seed <number>', 'another choice', wholeNumber(0), 1)
    .action(({ fill, count, seed }: Options, command: Command) =>
      withProject(command, async (project, work) => {
        const { labels } = await feedbackLabels(project)
        if (labels > 0) console.log(`${counted(labels, 'label')} came from feedback.`)
        if (fill) {
          const report = await fillQueue(project, { count, seed, ...work })
          clearProgress()
          console.log(filled(report))
        }
        const choices = await allWaiting(project, { labeler: '', count: 1_000_000 })
        if (choices.length === 0) {
          console.log('Nothing waits in the queue.')
          console.log(
            fill ? 'Next: descent serve, and ask again when there is more traffic' : 'Next: descent queue --fill',
          )
          return
        }
        console.log(`${counted(choices.length, 'example')} wait for a label:`)
        const rows: string[][] = []
        for (const { example, reason } of choices.slice(0, shown))
          rows.push([`  ${(await readExample(project.store, example)).id.slice(0, 12)}`, reason])
        console.log(table(rows, { heading: false }))
        if (choices.length > shown) console.log(paint('gray', `  … and ${choices.length - shown} more`))
        console.log('Next: descent label --queue')
      }),
    )
}

function filled({ version, looked, added, byReason }: FillReport): string {
  const parts = Object.entries(byReason).flatMap(([reason, count]) => (count > 0 ? [`${count} ${reason}`] : []))
  const of = `of ${counted(looked, 'unlabelled answer')} of version ${version}`
  return added === 0 ? `Nothing new ${of}.` : `Added ${counted(added, 'example')} ${of}: ${parts.join(', ')}.`
}
