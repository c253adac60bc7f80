/** `descent import PATH…` */
import { type Command, Option } from 'commander'
import type { ImportOptions } from '../../sourcing/import.ts'
import { importFiles } from '../../sourcing/import.ts'
import { formats } from '../../sourcing/source.ts'
import { withProject } from '../context.ts'
import { importText } from '../import-text.ts'
import { clearProgress } from '../terminal.ts'

export function addImport(program: Command): void {
  program
    .command('import')
    .description('bring in examples: CSV, TSV, JSON, JSON Lines, Parquet, IDX, image folders, text files')
    .argument('<path...>', 'files or folders; the subfolders of a folder name the classes')
    .option('--target <column>', 'the column that holds the label')
    .addOption(
      new Option('--split <split>', 'put the examples into this split').choices(['train', 'validation', 'test']),
    )
    .option('--group <column>', 'the column whose values stay together in one split (a patient, a user)')
    .option('--time <column>', 'the column that says when it happened, for splits by time')
    .option('--text <column>', 'the column that is the text, in a project of texts')
    .option('--label <label>', 'the label of everything that is imported')
    .option('--labeler <name>', 'the person who gave the labels')
    .addOption(new Option('--format <format>', 'where names do not tell').choices([...formats]))
    .option('--delimiter <character>', 'what separates the fields of CSV')
    .action(async (paths: string[], options: Omit<ImportOptions, 'signal' | 'onProgress'>, command: Command) => {
      await withProject(command, async (project, work) => {
        const report = await importFiles(project, paths, { ...options, ...work })
        clearProgress()
        console.log(importText(report))
      })
    })
}
