/** `descent init [dir] --kind tabular|image|text` */
import { relative } from 'node:path'
import { type Command, Option } from 'commander'
import { initProject } from '../../project/project.ts'

export function addInit(program: Command): void {
  program
    .command('init')
    .description('make a project: a folder with a config and an empty store')
    .argument('[dir]', 'the folder', '.')
    .addOption(
      new Option('--kind <kind>', 'what the examples are').choices(['tabular', 'image', 'text']).makeOptionMandatory(),
    )
    .action(async (dir: string, { kind }: { kind: 'tabular' | 'image' | 'text' }) => {
      const project = await initProject(dir, kind)
      await project.close()
      const where = relative(process.cwd(), project.folder)
      console.log(
        `Made the project ${project.name}: settings in ${project.folder}/descent.config.ts, everything else in .descent/.`,
      )
      console.log(`Next: ${where === '' ? '' : `cd ${where} && `}descent import PATH…`)
    })
}
