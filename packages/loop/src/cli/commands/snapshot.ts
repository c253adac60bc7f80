/** `descent snapshot`, `descent snapshots`, `descent diff A B` */
import type { Command } from 'commander'
import { diffSnapshots } from '../../versioning/diff.ts'
import { listSnapshots, makeSnapshot, type Snapshot } from '../../versioning/snapshot.ts'
import { withProject } from '../context.ts'
import { count, counted, paint, table } from '../terminal.ts'

export function addSnapshot(program: Command): void {
  program
    .command('snapshot')
    .description('keep the present labelled examples as an immutable version')
    .option('-m, --message <text>', 'what it is, in a few words')
    .option('--freeze', 'keep its test set as the test set of every later snapshot')
    .action((options: { message?: string; freeze?: boolean }, command: Command) =>
      withProject(command, async (project) => {
        const { snapshot, made } = await makeSnapshot(project, options)
        console.log(
          made
            ? `Made snapshot ${snapshot.number} (${snapshot.hash.slice(0, 12)}).`
            : `Nothing has changed since snapshot ${snapshot.number} (${snapshot.hash.slice(0, 12)}).`,
        )
        console.log(`\n${describe(snapshot)}\n`)
        for (const note of notes(snapshot)) console.log(note)
        console.log('Next: descent train')
      }),
    )

  program
    .command('snapshots')
    .description('list the snapshots')
    .action((_options: object, command: Command) =>
      withProject(command, async (project) => {
        const all = await listSnapshots(project)
        if (all.length === 0) return console.log('There is no snapshot yet. Next: descent snapshot')
        const rows = all.map(({ number, hash, createdAt, examples, summary: { splits }, message }) => [
          String(number),
          hash.slice(0, 12),
          createdAt.slice(0, 16).replace('T', ' '),
          ...[examples, splits.train, splits.validation, splits.test].map(count),
          message ?? '',
        ])
        console.log(table([['', 'hash', 'made (UTC)', 'examples', 'train', 'validation', 'test', ''], ...rows]))
      }),
    )

  program
    .command('diff')
    .description('what changed between two snapshots')
    .argument('<a>', 'number or hash of the earlier one')
    .argument('<b>', 'number or hash of the later one')
    .option('--all', 'list every example, not the first ten')
    .action((a: string, b: string, { all = false }: { all?: boolean }, command: Command) =>
      withProject(command, async (project) => {
        const { from, to, added, removed, relabelled, moved, addedBy } = await diffSnapshots(project, a, b)
        console.log(
          `From snapshot ${from.number} to ${to.number}: ${count(added.length)} added, ${count(removed.length)} removed, ${counted(relabelled.length, 'label')} changed, ${count(moved.length)} moved between splits.`,
        )
        if (addedBy.size > 0) {
          console.log(
            `Labels of what was added: ${[...addedBy].map(([who, n]) => `${count(n)} by ${who}`).join(', ')}.`,
          )
        }
        const list = <T>(title: string, items: readonly T[], line: (item: T) => string) => {
          if (items.length === 0) return
          console.log(`\n${paint('bold', title)}`)
          for (const item of all ? items : items.slice(0, 10)) console.log(`  ${line(item)}`)
          if (!all && items.length > 10) console.log(`  … ${count(items.length - 10)} more (--all)`)
        }
        list('Added', added, ({ id, split, label }) => `${id.slice(0, 12)}  ${label}  (${split})`)
        list('Removed', removed, ({ id, split, label }) => `${id.slice(0, 12)}  ${label}  (${split})`)
        list(
          'Labels changed',
          relabelled,
          ({ id, before, after, by, at }) =>
            `${id.slice(0, 12)}  ${before} → ${after}  by ${by.join(', ')}${at ? `, ${at.slice(0, 16).replace('T', ' ')}` : ''}`,
        )
        list('Moved', moved, ({ id, before, after }) => `${id.slice(0, 12)}  ${before} → ${after}`)
      }),
    )
}

/** Splits and classes as a table. */
function describe({ summary: { splits, classes }, examples }: Snapshot): string {
  const line = (name: string, n: Snapshot['summary']['splits']) => [name, ...[n.train, n.validation, n.test].map(count)]
  return table([
    ['', 'train', 'validation', 'test'],
    ...Object.entries(classes).map(([name, n]) => line(name, n)),
    line(`all ${count(examples)}`, splits),
  ])
}

function notes({ summary: { unlabelled, leftOut, frozenTest, splits } }: Snapshot): string[] {
  return [
    ...(unlabelled > 0 ? [`${counted(unlabelled, 'example')} without a label: not in it.`] : []),
    ...Object.entries(leftOut).map(([reason, n]) => `${counted(n, 'example')} left out: ${reason}.`),
    ...(splits.test === 0 ? ['There is no test example: nothing could be measured on it.'] : []),
    ...(frozenTest
      ? ['Its test set is frozen: every later snapshot has the same.']
      : ['Its test set may change as examples come: `descent snapshot --freeze` keeps it.']),
  ]
}
