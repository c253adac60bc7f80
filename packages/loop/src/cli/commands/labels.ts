/** `descent labels …`: labels other than by hand. How good labels are is in `judge-labels.ts`. */
import { createWriteStream } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { exportLabelStudio, importLabelStudio, labelStudioConfig } from '../../labeling/label-studio.ts'
import { applyRules } from '../../labeling/rules.ts'
import { writeWhole } from '../../store/files.ts'
import { withProject } from '../context.ts'
import { count, counted, table } from '../terminal.ts'
import { addJudgements } from './judge-labels.ts'

export function addLabels(program: Command): void {
  const labels = program.command('labels').description('labels from rules and files, and how good they are')

  labels
    .command('rules')
    .description("ask the config's labeling functions about every example")
    .action((_options: object, command: Command) =>
      withProject(command, async (project, work) => {
        const results = await applyRules(project, work)
        const percent = (part: number, whole: number) => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`
        const rows = results.map(({ rule, covered, total, labels, agrees }) => [
          rule,
          `${count(covered)} (${percent(covered, total)})`,
          Object.entries(labels)
            .map(([name, n]) => `${name} ${count(n)}`)
            .join(', '),
          agrees ? `${percent(agrees.same, agrees.compared)} of ${count(agrees.compared)}` : '',
        ])
        console.log(table([['rule', 'says something', 'labels', 'agrees with people and files'], ...rows]))
        console.log('\nNext: descent labels consensus')
      }),
    )

  labels
    .command('export')
    .description("write all examples and everyone's labels as Label Studio's JSON")
    .argument('<file>', 'a .json file; its labelling settings go beside it, as .xml')
    .action((file: string, _options: object, command: Command) =>
      withProject(command, async (project) => {
        const temporary = `${file}.partial`
        try {
          await pipeline(exportLabelStudio(project), createWriteStream(temporary))
          await rename(temporary, file)
        } finally {
          await rm(temporary, { force: true })
        }
        const settings = `${file.replace(/\.json$/, '')}.xml`
        await writeWhole(settings, await labelStudioConfig(project))
        console.log(`Wrote ${file}, and the labelling settings for Label Studio to ${settings}.`)
        console.log(`Next: label there, export as JSON, then descent labels import FILE`)
      }),
    )

  labels
    .command('import')
    .description("take over labels from Label Studio's JSON")
    .argument('<file>')
    .action((file: string, _options: object, command: Command) =>
      withProject(command, async (project) => {
        const { tasks, added, known, unmatched } = await importLabelStudio(project, await readFile(file, 'utf8'), file)
        console.log(`${counted(tasks, 'task')}: ${counted(added, 'label')} added, ${count(known)} were there already.`)
        if (unmatched.length > 0) {
          console.log(
            `${counted(unmatched.length, 'task')} without an example in this project: ${unmatched.slice(0, 3).join('; ')}${unmatched.length > 3 ? '; …' : ''}. Import the data first (descent import).`,
          )
        }
        console.log('Next: descent snapshot')
      }),
    )

  addJudgements(labels)
}
