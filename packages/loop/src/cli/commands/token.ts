/** `descent token create NAME`, `descent token list`, `descent token revoke NAME` */
import type { Command } from 'commander'
import { createToken, listTokens, revokeToken } from '../../deployment/tokens.ts'
import { withProject } from '../context.ts'
import { wholeNumber } from '../options.ts'
import { count, paint, table } from '../terminal.ts'

export function addToken(program: Command): void {
  const token = program.command('token').description('who may ask the server')

  token
    .command('create')
    .description('make a token; it is shown this once')
    .argument('<name>', 'whose it is')
    .option('--per-minute <requests>', 'how often it may ask (default: no limit)', wholeNumber(1))
    .action((name: string, { perMinute }: { perMinute?: number }, command: Command) =>
      withProject(command, async (project) => {
        const made = await createToken(project, name, { perMinute })
        console.log(made)
        console.error(
          `This is the token '${name}'${perMinute === undefined ? '' : `, ${count(perMinute)} requests a minute`}. It is shown this once and not kept: put it somewhere safe.`,
        )
        console.error(`Send it as: Authorization: Bearer ${made.slice(0, 12)}…`)
      }),
    )

  token
    .command('list')
    .description('the tokens, without their secrets')
    .action((_options: object, command: Command) =>
      withProject(command, async (project) => {
        const tokens = await listTokens(project)
        if (tokens.length === 0) return console.log('There is no token. Next: descent token create NAME')
        console.log(
          table([
            ['name', 'a minute', 'made (UTC)', ''],
            ...tokens.map(({ name, perMinute, createdAt, revokedAt }) => [
              name,
              perMinute === null ? 'no limit' : count(perMinute),
              time(createdAt),
              revokedAt === null ? '' : paint('yellow', `revoked ${time(revokedAt)}`),
            ]),
          ]),
        )
      }),
    )

  token
    .command('revoke')
    .description('refuse it from now on')
    .argument('<name>')
    .action((name: string, _options: object, command: Command) =>
      withProject(command, async (project) => {
        await revokeToken(project, name)
        console.log(`The token '${name}' is revoked; a server that runs refuses it within a second.`)
      }),
    )
}

const time = (iso: string) => iso.slice(0, 16).replace('T', ' ')
