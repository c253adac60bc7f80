/** `descent register [run]`: makes a model version of a run. */

import { relative } from 'node:path'
import type { Command } from 'commander'
import { cardName } from '../../registry/files.ts'
import { shown } from '../../registry/headline.ts'
import { registerRun } from '../../registry/register.ts'
import { versionFolder } from '../../registry/version.ts'
import { withProject } from '../context.ts'
import { wholeNumber } from '../options.ts'

export function addRegister(program: Command): void {
  program
    .command('register')
    .description('make a model version of a run: checked on every load, with a card and its lineage')
    .argument('[run]', 'its number (default: the latest that is done)', wholeNumber(1))
    .option('-m, --message <text>', 'what it is, in a few words')
    .action((run: number | undefined, options: { message?: string }, command: Command) =>
      withProject(command, async (project, work) => {
        const { version, made } = await registerRun(project, run, { ...options, ...work })
        console.log(
          made
            ? `Registered run ${version.run} as version ${version.number}: ${shown(version.metrics)}.`
            : `Run ${version.run} is version ${version.number} already: ${shown(version.metrics)}.`,
        )
        const folder = relative(process.cwd(), versionFolder(project, version.number))
        console.log(`Its card, to be completed where it says so: ${folder}/${cardName}`)
        console.log(`Next: descent promote ${version.number}`)
      }),
    )
}
