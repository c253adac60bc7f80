/** `descent import PATH…` */
import { type Command, Option } from 'commander'
import type { ImportOptions } from '../../sourcing/import.ts'
import { importFiles, placeName } from '../../sourcing/import.ts'
import type { ImportReport, SourceReport } from '../../sourcing/report.ts'
import { formats } from '../../sourcing/source.ts'
import { withProject } from '../context.ts'
import { clearProgress, count, counted, duration, paint, table } from '../terminal.ts'

export function addImport(program: Command): void {
  program
    .command('import')
    .description('bring in examples: CSV, TSV, JSON Lines, Parquet, IDX, image folders, text files')
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

/** What is printed of an import. */
export function importText(report: ImportReport): string {
  const { sources } = report
  const lines = sources.flatMap(sourceLines)
  if (sources.length > 1) {
    lines.push(
      `Together: ${counted(report.rows, 'row')}, ${count(report.added)} added, ${counted(report.duplicates, 'duplicate')}, ${count(report.bad)} bad.`,
    )
  }
  const labelled = sources.some((source) => source.classes !== null || source.labels > 0)
  lines.push(`Next: ${labelled ? 'descent snapshot' : 'descent label'}`)
  return lines.join('\n')
}

function sourceLines(source: SourceReport): string[] {
  const { rows, added, duplicates, bad, seconds } = source
  const what =
    source.format === 'images' || source.format === 'text' ? 'file' : source.format === 'idx' ? 'image' : 'row'
  const lines = [
    `${paint('bold', source.path)} (${source.format}): ${counted(rows, what)} in ${duration(seconds)}, ${paint('green', `${count(added)} added`)}${source.resumed ? '; went on where it was stopped' : ''}`,
  ]
  for (const note of source.notes) lines.push(`  ${note}`)
  if (duplicates.within > 0) lines.push(`  ${counted(duplicates.within, 'duplicate')} within it`)
  if (duplicates.before > 0) lines.push(`  ${count(duplicates.before)} that the project had already`)
  if (source.relabeled > 0)
    lines.push(`  ${counted(source.relabeled, 'label')} changed from what an earlier import said`)
  if (source.columns.length > 0) {
    lines.push(
      table([
        ['  column', 'type', 'missing'],
        ...source.columns.map(({ name, type, missing }) => [`  ${name}`, type, missing === 0 ? '' : count(missing)]),
      ]),
    )
  }
  if (source.classes) lines.push(`  ${source.target ?? 'label'}: ${classText(source.classes)}`)
  if (bad > 0) {
    lines.push(paint('yellow', `  ${counted(bad, `bad ${what}`)}, kept in ${source.rejectFile ?? ''}:`))
    for (const { place, name, reason } of source.rejects.slice(0, 5)) {
      lines.push(`    ${placeName(source, place, name)}: ${reason}`)
    }
  }
  const { contradictions, splitConflicts } = source
  if (contradictions.count > 0) {
    lines.push(
      paint(
        'yellow',
        `  ${counted(contradictions.count, 'row')} of the same content with another label; the first counts:`,
      ),
    )
    for (const { id, place, kept, other } of contradictions.first.slice(0, 5)) {
      lines.push(`    ${id.slice(0, 8)}, ${placeName(source, place, null)}: ${kept}, then ${other}`)
    }
  }
  if (splitConflicts.count > 0) {
    const [first] = splitConflicts.first
    lines.push(
      paint(
        'yellow',
        `  ${counted(splitConflicts.count, 'example')} here and in another split, where ${splitConflicts.count === 1 ? 'it stays' : 'they stay'} (${first?.id.slice(0, 8)}: ${first?.kept}, not ${first?.other})`,
      ),
    )
  }
  return lines
}

/** The classes with their counts, the largest first. */
function classText(classes: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(classes).sort((a, b) => b[1] - a[1])
  const total = sorted.reduce((sum, [, n]) => sum + n, 0)
  const shown = sorted.slice(0, 8).map(([name, n]) => `${name} ${count(n)} (${((100 * n) / total).toFixed(1)} %)`)
  return shown.join(', ') + (sorted.length > 8 ? `, and ${sorted.length - 8} more` : '')
}
