/** `descent architecture`: the network that `descent train` would train, layer by layer, and what is likely to go wrong. */
import type { Command } from 'commander'
import { type Architecture, describeArchitecture } from '../../architecture/describe.ts'
import { withProject } from '../context.ts'
import { recipeLines } from '../recipe-lines.ts'
import { clearProgress, count, paint } from '../terminal.ts'

interface Options {
  readonly recipe?: string
  readonly snapshot?: string
  readonly json?: boolean
}

export function addArchitecture(program: Command): void {
  program
    .command('architecture')
    .description('the network that would be trained, layer by layer, with warnings')
    .option('--recipe <file>', "a recipe, JSON or TypeScript (default: the config's, else the kind's)")
    .option('--snapshot <number>', 'the number or hash of a snapshot (default: the latest)')
    .option('--json', 'print the whole recipe as JSON instead, to be saved and changed')
    .action(({ recipe, snapshot, json }: Options, command: Command) =>
      withProject(command, async (project, work) => {
        const architecture = await describeArchitecture(project, { recipe, snapshot, ...work })
        clearProgress()
        console.log(json ? JSON.stringify(architecture.recipe, null, 2) : architectureText(architecture))
      }),
    )
}

export function architectureText({ recipe, snapshot, layers, notes, warnings }: Architecture): string {
  const { train, validation } = snapshot.summary.splits
  return [
    `${paint('bold', recipe.name)} on snapshot ${snapshot.number}: ${count(train)} examples to train with, ${count(validation)} to validate`,
    '',
    ...recipeLines(recipe),
    '',
    String(layers),
    '',
    ...notes,
    ...warnings.map((warning) => paint('yellow', `Warning: ${warning}`)),
    ...(warnings.length === 0 ? ['Nothing to warn of: loss, activations, size and normalisation fit the data.'] : []),
    'Next: descent train (or change it: descent architecture --json > recipe.json)',
  ].join('\n')
}
