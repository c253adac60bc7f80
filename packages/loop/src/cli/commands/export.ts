/** `descent export VERSION --to DIR`: a folder that runs a version in Node and in a browser, without a server. */
import { relative } from 'node:path'
import type { Command } from 'commander'
import { exportVersion } from '../../registry/export/export.ts'
import { withProject } from '../context.ts'

export function addExport(program: Command): void {
  program
    .command('export')
    .description('write a folder that runs a model version anywhere: predict.ts for Node, a page for browsers')
    .argument('[version]', 'a number or an alias', 'champion')
    .requiredOption('--to <dir>', 'the folder: a new or an empty one')
    .action((reference: string, { to }: { to: string }, command: Command) =>
      withProject(command, async (project) => {
        const { version, folder, files } = await exportVersion(project, reference, { to })
        const here = relative(process.cwd(), folder) || '.'
        console.log(`Exported version ${version} to ${here}: ${files.join(', ')}.`)
        console.log(`In a browser, from the disk or any host: ${here}/index.html`)
        console.log(`In Node: node ${here}/predict.ts`)
      }),
    )
}
