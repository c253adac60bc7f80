/** What is printed of an import: what came, what its columns are taken for, and what is worth a look. */
import type { ColumnFindings, Findings, Outliers, Placed, SizeFindings } from '../sourcing/findings/findings.ts'
import { type ImportReport, placeName, type SourceReport } from '../sourcing/report.ts'
import { count, counted, duration, paint, table } from './terminal.ts'

export function importText(report: ImportReport): string {
  const { sources } = report
  const lines = sources.flatMap(sourceLines)
  if (sources.length > 1) {
    lines.push(
      `Together: ${counted(report.rows, 'row')}, ${count(report.added)} added, ${counted(report.duplicates, 'duplicate')}, ${count(report.bad)} bad.`,
    )
  }
  const labelled = sources.some((source) => source.classes !== null || source.target !== null || source.labels > 0)
  lines.push(`Next: ${labelled ? 'descent snapshot' : 'descent label'}`)
  return lines.join('\n')
}

function sourceLines(source: SourceReport): string[] {
  const { rows, added, duplicates, relabeled, seconds } = source
  const what = nounOf(source)
  const lines = [
    `${paint('bold', source.path)} (${source.format}): ${counted(rows, what)} in ${duration(seconds)}, ${paint('green', `${count(added)} added`)}${source.resumed ? '; went on where it was stopped' : ''}`,
  ]
  for (const note of source.notes) lines.push(`  ${note}`)
  if (duplicates.within > 0) lines.push(`  ${counted(duplicates.within, 'duplicate')} within it, kept once`)
  if (duplicates.before > 0) lines.push(`  ${count(duplicates.before)} that the project had already`)
  if (relabeled > 0) lines.push(`  ${counted(relabeled, 'label')} changed from what an earlier import said`)
  lines.push(...columnLines(source))
  lines.push(...labelLines(source))
  const problems = [...badLines(source), ...conflictLines(source), ...findingLines(source)]
  if (problems.length > 0) lines.push(paint('yellow', '  Worth a look:'), ...problems.map((line) => `  ${line}`))
  return lines
}

function nounOf({ format }: SourceReport): string {
  return format === 'images' || format === 'text' ? 'file' : format === 'idx' ? 'image' : 'row'
}

function labelLines(source: SourceReport): string[] {
  const { classes, findings } = source
  const name = source.target === null ? 'label' : `${source.target} (the label)`
  const without = findings && findings.labelled < findings.looked ? findings.looked - findings.labelled : 0
  const some = findings?.looked === source.added ? count(without) : percent(without / (findings?.looked ?? 1))
  const rest = without === 0 ? '' : `; ${some} without`
  if (classes) return [`  ${name}: ${classText(classes)}${rest}`]
  const spread = findings?.labelSpread
  if (!spread) return without > 0 && source.target !== null ? [`  ${name}: none has one`] : []
  return [
    `  ${name}: ${numberText(spread.least)} to ${numberText(spread.greatest)}, median ${numberText(spread.median)}${rest}`,
  ]
}

function columnLines({ columns, findings }: SourceReport): string[] {
  const [first] = columns
  if (!first || !findings) return []
  const rows = columns.map(({ name, type, missing }, c) => {
    const found = findings.columns[c]
    return [`  ${name}`, type, missing === 0 ? '' : count(missing), found ? valuesText(found) : '']
  })
  const types = table([['  column', 'type', 'missing', 'values'], ...rows])
  const example = `columns: { ${JSON.stringify(first.name)}: '${first.type === 'category' ? 'text' : 'category'}' }`
  return [
    types,
    `  Types are inferred. Where one is wrong, say so in descent.config.ts: ${example} (number, category, text, date, boolean, ignore)`,
  ]
}

function valuesText({ type, spread, common, distinct }: ColumnFindings): string {
  if (spread && (type === 'number' || type === 'date')) {
    const shown = type === 'date' ? dateText : numberText
    return `${shown(spread.least)} to ${shown(spread.greatest)}, median ${shown(spread.median)}`
  }
  if (distinct === 0) return 'none'
  const [first] = common
  if (type === 'text' || (first?.[1] ?? 0) * 50 < distinct) return `${count(distinct)} different`
  const shares = common.map(([value, n]) => `${short(value)} ${count(n)}`)
  return `${shares.join(', ')}${distinct > common.length ? `, and ${count(distinct - common.length)} more` : ''}`
}

function dateText(time: number): string {
  const text = new Date(time).toISOString()
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : `${text.slice(0, 16)}Z`
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(6)))
}

function short(text: string): string {
  return text.length > 24 ? `${text.slice(0, 23)}…` : text
}

/** The classes with their counts, the largest first. */
function classText(classes: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(classes).sort((a, b) => b[1] - a[1])
  const total = sorted.reduce((sum, [, n]) => sum + n, 0)
  const shown = sorted.slice(0, 8).map(([name, n]) => `${name} ${count(n)} (${percent(n / total)})`)
  return shown.join(', ') + (sorted.length > 8 ? `, and ${sorted.length - 8} more` : '')
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

function badLines(source: SourceReport): string[] {
  const { bad, rejects, rejectFile } = source
  if (bad === 0) return []
  const shown = rejects.slice(0, 5).map(({ place, name, reason }) => `  ${placeName(source, place, name)}: ${reason}`)
  return [`${counted(bad, `bad ${nounOf(source)}`)}, not imported, kept in ${rejectFile ?? ''}:`, ...shown]
}

function conflictLines(source: SourceReport): string[] {
  const lines: string[] = []
  const { contradictions, splitConflicts } = source
  if (contradictions.count > 0) {
    lines.push(
      `${counted(contradictions.count, 'row')} with the same content as an earlier one and another label; the first label counts:`,
    )
    for (const { id, place, kept, other } of contradictions.first.slice(0, 5))
      lines.push(`  ${id.slice(0, 8)}, ${placeName(source, place, null)}: ${kept}, then ${other}`)
  }
  if (splitConflicts.count > 0) {
    const [first] = splitConflicts.first
    const one = splitConflicts.count === 1
    lines.push(
      `${counted(splitConflicts.count, 'example')} ${one ? 'was' : 'were'} put into another split before, and ${one ? 'stays' : 'stay'} there: ${first?.id.slice(0, 8)} (${placeName(source, first?.place ?? 0, null)}) in ${first?.kept}, not ${first?.other}`,
    )
  }
  return lines
}

function findingLines(source: SourceReport): string[] {
  const { findings, target } = source
  const lines = classLines(source)
  if (!findings) return lines
  const where = findings.looked < source.added ? ` (of ${count(findings.looked)} looked at, chosen at random)` : ''
  for (const column of findings.columns) lines.push(...columnProblems(source, findings, column, where))
  for (const { column, share } of findings.predictors) {
    lines.push(
      `'${column}' alone tells ${target ?? 'the label'} (${share >= 0.9999 ? 'all' : percent(share)} of what a guess gets wrong): was it filled in once the answer was known? Leave it out with columns: { ${JSON.stringify(column)}: 'ignore' }`,
    )
  }
  for (const size of findings.sizes) lines.push(...sizeLines(source, size, where))
  lines.push(...nearLines(source, findings, where))
  return lines
}

/** Classes of which there are hardly any. */
function classLines({ classes }: SourceReport): string[] {
  const entries = Object.entries(classes ?? {})
  const total = entries.reduce((sum, [, n]) => sum + n, 0)
  const rare = entries.filter(([, n]) => n < 10 || n < 0.01 * total).sort((a, b) => a[1] - b[1])
  if (entries.length < 2 || rare.length === 0 || total < 20) return []
  const names = rare.slice(0, 5).map(([name, n]) => `${name} (${count(n)})`)
  return [
    `hardly any examples of ${names.join(', ')}${rare.length > 5 ? ` and ${rare.length - 5} more classes` : ''}: accuracy will say little about ${rare.length === 1 ? 'it' : 'them'}`,
  ]
}

function columnProblems(source: SourceReport, findings: Findings, column: ColumnFindings, where: string): string[] {
  const { name, distinct, missing, spread, common, identifies, outliers, type } = column
  const ignore = `columns: { ${JSON.stringify(name)}: 'ignore' } leaves it out`
  const { looked } = findings
  if (distinct === 0) return [`'${name}' has no value in any row${where}; ${ignore}`]
  if (distinct === 1 && missing === 0 && looked > 1) {
    const value = spread ? (type === 'date' ? dateText : numberText)(spread.least) : short(common[0]?.[0] ?? '')
    return [`'${name}' is ${value} in every row${where} and tells nothing; ${ignore}`]
  }
  const lines: string[] = []
  if (missing > looked / 2) lines.push(`'${name}' has no value in ${percent(missing / looked)} of the rows${where}`)
  if (identifies)
    lines.push(`'${name}' has another value in every row${where}, like a number or name of the row; ${ignore}`)
  else if (outliers.count > 0 && spread) {
    const shown = type === 'date' ? dateText : numberText
    lines.push(
      `'${name}': ${counted(outliers.count, 'value')} far from the rest, half of which ${shown(spread.lower) === shown(spread.upper) ? `are ${shown(spread.lower)}` : `lie between ${shown(spread.lower)} and ${shown(spread.upper)}`}${where}: ${outlierText(source, outliers, shown)}`,
    )
  }
  return lines
}

function outlierText(source: SourceReport, { count: all, first }: Outliers, shown: (value: number) => string): string {
  const some = first.map(({ place, name, value }) => `${shown(value)} (${placeName(source, place, name)})`)
  return some.join(', ') + (all > first.length ? ', …' : '')
}

function sizeLines(source: SourceReport, { what, spread, outliers }: SizeFindings, where: string): string[] {
  const { count: far, first } = outliers
  switch (what) {
    case 'blank': {
      const some = first.map(({ place, name }) => placeName(source, place, name)).join(', ')
      return [`${counted(far, 'picture')} of one colour${where}: ${some}${far > first.length ? ', …' : ''}`]
    }
    case 'characters':
    case 'width':
    case 'height': {
      const shown = (value: number) => count(Math.round(value))
      const unit = what === 'characters' ? 'characters' : 'pixels'
      if (far > 0)
        return [
          `${what === 'characters' ? 'length' : what}: ${count(far)} far from the rest, half of which ${far === 1 ? 'has' : 'have'} ${shown(spread.lower)} to ${shown(spread.upper)} ${unit}${where}: ${outlierText(source, outliers, shown)}`,
        ]
      return what !== 'characters' && spread.least !== spread.greatest
        ? [
            `${what} from ${spread.least} to ${spread.greatest} pixels: image: { width, height } in descent.config.ts says to what size they are brought`,
          ]
        : []
    }
    default:
      return what satisfies never
  }
}

const nearBy: Readonly<Record<'row' | 'text' | 'image', string>> = {
  row: 'numbers within a hundredth of their spread',
  text: 'four fifths of their three-word sequences',
  image: 'the same look',
}

function nearLines(source: SourceReport, { nearDuplicates: near }: Findings, where: string): string[] {
  if (near.count === 0) return []
  const kind =
    source.format === 'images' || source.format === 'idx' ? 'image' : source.columns.length > 0 ? 'row' : 'text'
  const shown = near.first
    .slice(0, 3)
    .map(({ one, like }) => `  ${placedText(source, one)} is like ${placedText(source, like)}`)
  const lines = [`${counted(near.count, 'near-duplicate')} (${nearBy[kind]})${where}:`, ...shown]
  if (near.ofFrozen > 0)
    lines.push(
      `${counted(near.ofFrozen, 'near-duplicate')} of the frozen test set: trained on, ${near.ofFrozen === 1 ? 'it makes' : 'they make'} its figures look better than they are`,
    )
  if (near.acrossSplits > 0)
    lines.push(`${counted(near.acrossSplits, 'near-duplicate')} of an example in another split`)
  return lines
}

function placedText(source: SourceReport, { id, place, name, isNew }: Placed): string {
  const where = name ?? (isNew ? placeName(source, place, null) : 'of an earlier import')
  return `${id.slice(0, 8)} (${where})`
}
