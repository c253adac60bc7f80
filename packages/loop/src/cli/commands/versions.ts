/** `descent versions [version]`: lists the model versions, or shows one: its card and where it comes from. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Project } from '../../project/project.ts'
import { aliasHistory, currentAliases } from '../../registry/aliases.ts'
import { cardName, checkFiles, readVersionFile } from '../../registry/files.ts'
import { findVersion, listVersions, type Version, versionFolder } from '../../registry/version.ts'
import { withProject } from '../context.ts'
import { paint, table } from '../terminal.ts'

export function addVersions(program: Command): void {
  program
    .command('versions')
    .description('list the model versions, or show the card and lineage of one')
    .argument('[version]', 'a number or an alias')
    .option('--json', 'print everything as JSON instead')
    .action((reference: string | undefined, { json }: { json?: boolean }, command: Command) =>
      withProject(command, async (project) => {
        if (reference === undefined) {
          const all = await listVersions(project)
          console.log(json ? JSON.stringify(all, null, 2) : await listing(project, all))
          return
        }
        const version = await findVersion(project, reference)
        const folder = versionFolder(project, version.number)
        await checkFiles(version.number, folder, version.files, version.run)
        const lineage = await readVersionFile(folder, 'lineage.json')
        if (json) return console.log(JSON.stringify({ ...version, lineage }, null, 2))
        const card = await readFile(join(folder, cardName), 'utf8').catch(() => `${join(folder, cardName)} is gone.`)
        console.log(card.trimEnd())
        const { recipe, snapshot, seed, commit, trainedAt, device } = lineage
        const facts = [
          ['run', `${lineage.run}, trained ${when(trainedAt)} on ${device}, seed ${seed}`],
          ['recipe', `${recipe.name} (${recipe.hash.slice(0, 12)})`],
          ['snapshot', `${snapshot.number} (${snapshot.hash.slice(0, 12)})`],
          ['code', commit === null ? 'not in git' : `commit ${commit}`],
          ['library', `Descent ${lineage.descent}, Node ${lineage.node}`],
        ]
        console.log(`\n${paint('bold', 'Lineage')}\n${table(facts, { heading: false })}`)
        const changes = (await aliasHistory(project)).filter((change) => change.version === version.number)
        if (changes.length > 0) {
          const rows = changes.map(({ name, how, at, who, why }) => [when(at), name, how, `by ${who}`, why ?? ''])
          console.log(`\n${paint('bold', 'Names')}\n${table(rows, { heading: false })}`)
        }
      }),
    )
}

async function listing(project: Project, all: readonly Version[]): Promise<string> {
  if (all.length === 0) return 'There is no model version yet. Next: descent register'
  const names = Map.groupBy(await currentAliases(project), ({ version }) => version)
  const rows = all.map(({ number, run, createdAt, metrics, bytes, message }) => [
    String(number),
    String(run),
    when(createdAt),
    figure(metrics),
    `${Math.ceil(bytes / 1024).toLocaleString('en')} KB`,
    (names.get(number) ?? []).map(({ name }) => name).join(', '),
    message ?? '',
  ])
  return table([['version', 'run', 'registered (UTC)', 'figure', 'size', 'names', ''], ...rows])
}

function figure(metrics: Version['metrics']): string {
  return metrics.task === 'class'
    ? `${(100 * metrics.metrics.accuracy.estimate).toFixed(2)} %`
    : `error ${Number(metrics.metrics.mae.estimate.toPrecision(4))}`
}

function when(time: string | null): string {
  return time === null ? '' : time.slice(0, 16).replace('T', ' ')
}
