/** `descent promote VERSION` and `descent rollback`: who is champion. */
import type { Command } from 'commander'
import { promote, rollback } from '../../registry/promote.ts'
import { withProject } from '../context.ts'
import { gateLines } from '../gate-text.ts'
import { wholeNumber } from '../options.ts'
import { paint } from '../terminal.ts'

interface Options {
  readonly force?: boolean
  readonly why?: string
  readonly as?: string
  readonly seed: number
}

export function addPromote(program: Command): void {
  program
    .command('promote')
    .description('make a model version champion, where the gate lets it through')
    .argument('<version>', 'a number, or an alias such as challenger')
    .option('--why <reason>', 'kept with the change')
    .option('--force', 'also where the gate refuses; needs --why')
    .option('--as <who>', 'who promotes it (default: your user name)')
    .option('--seed <number>', 'of the resampling', wholeNumber(0), 1)
    .action((reference: string, { force, why, as, seed }: Options, command: Command) =>
      withProject(command, async (project, work) => {
        const { report, change } = await promote(project, reference, { force, why, who: as, seed, ...work })
        console.log(gateLines(report))
        if (change) {
          const past = change.how === 'forced' ? ' past the gate' : ''
          console.log(
            `Version ${change.version} is champion from now on${past}. A running server takes it up by itself.`,
          )
          console.log(report.champion === null ? 'Next: descent serve' : 'To undo: descent rollback')
          return
        }
        console.log(
          `${paint('red', 'Refused:')} version ${report.champion ?? 'none'} stays champion. To go past the gate: descent promote ${report.challenger} --force --why "…"`,
        )
        process.exitCode = 1
      }),
    )

  program
    .command('rollback')
    .description('make the champion before champion again; a running server drops no request')
    .option('--why <reason>', 'kept with the change')
    .option('--as <who>', 'who does it (default: your user name)')
    .action(({ why, as }: { why?: string; as?: string }, command: Command) =>
      withProject(command, async (project) => {
        const { version } = await rollback(project, { why, who: as })
        console.log(`Version ${version} is champion again. A running server takes it up by itself.`)
        console.log('Next: descent aliases --history')
      }),
    )
}
