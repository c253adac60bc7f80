/** `descent alias NAME VERSION` and `descent aliases`: names that point to versions, and what they pointed to. */
import type { Command } from 'commander'
import { UserError } from '../../errors.ts'
import { type AliasChange, aliasesOn, aliasHistory, currentAliases, setAlias } from '../../registry/aliases.ts'
import { findVersion } from '../../registry/version.ts'
import { withProject } from '../context.ts'
import { paint, table } from '../terminal.ts'

interface Options {
  readonly why?: string
  readonly as?: string
  readonly remove?: boolean
}

export function addAlias(program: Command): void {
  program
    .command('alias')
    .description('point a name to a model version: challenger, or any other')
    .argument('<name>', 'the name')
    .argument('[version]', 'a number or another alias')
    .option('--why <reason>', 'kept with the change')
    .option('--as <who>', 'who changes it (default: your user name)')
    .option('--remove', 'let the name point to nothing')
    .action((name: string, reference: string | undefined, options: Options, command: Command) =>
      withProject(command, async (project) => {
        if ((reference === undefined) === !options.remove)
          throw new UserError('Say which version the name points to, or --remove, and not both.')
        if (name === 'champion' && reference !== undefined)
          throw new UserError(
            'The champion is chosen by `descent promote`, which asks the gate, or by `descent rollback`.',
          )
        const version = reference === undefined ? null : (await findVersion(project, reference)).number
        const { who, at } = await setAlias(project, name, version, { why: options.why, who: options.as })
        console.log(
          version === null
            ? `${name} points to nothing from now on (by ${who}, ${when(at)} UTC).`
            : `${name} is version ${version} from now on (by ${who}, ${when(at)} UTC).`,
        )
        if (name === 'challenger' && version !== null) console.log(`Next: descent promote ${version}`)
      }),
    )

  program
    .command('aliases')
    .description('what each name points to, now or on a day, and how that came')
    .option('--on <date>', 'at the end of a day in UTC, or at a moment: 2026-11-25, 2026-11-25T10:00:00Z')
    .option('--history', 'every change')
    .action(({ on, history }: { on?: string; history?: boolean }, command: Command) =>
      withProject(command, async (project) => {
        if (history && on !== undefined) throw new UserError('Ask for --on or for --history, not for both.')
        const changes = history
          ? await aliasHistory(project)
          : on === undefined
            ? await currentAliases(project)
            : await aliasesOn(project, on)
        if (changes.length > 0) return console.log(listing(changes))
        console.log(
          on === undefined
            ? 'No name points to a version yet. Next: descent promote'
            : `No name pointed to a version on ${on}.`,
        )
      }),
    )
}

function listing(changes: readonly AliasChange[]): string {
  const rows = changes.map(({ name, version, at, how, who, why }) => [
    paint('bold', name),
    version === null ? '–' : String(version),
    when(at),
    how,
    who,
    why ?? '',
  ])
  return table([['name', 'version', 'since (UTC)', 'how', 'by', 'why'], ...rows])
}

function when(time: string): string {
  return time.slice(0, 16).replace('T', ' ')
}
