/** `descent status`: where in the circle, what changed, what next. */
import type { Command } from 'commander'
import { type BoxStatus, projectStatus } from '../../project/status.ts'
import { withProject } from '../context.ts'
import { paint } from '../terminal.ts'

const marks: Record<BoxStatus['state'], string> = { empty: '○', changed: '◐', done: '●' }
const colours = { empty: 'gray', changed: 'yellow', done: 'green' } as const

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('where in the circle this project is, what changed, and what to do next')
    .action((_options: object, command: Command) =>
      withProject(command, async (project) => {
        const { boxes, next } = await projectStatus(project)
        console.log(`${paint('bold', project.name)} (${project.config.kind}), ${project.folder}\n`)
        for (const { box, state, says } of boxes) {
          console.log(
            `${paint(colours[state], marks[state])} ${box.padEnd(10)}  ${state === 'empty' ? paint('gray', says) : says}`,
          )
        }
        console.log(`\nNext: ${next.command} (${next.why})`)
      }),
    )
}
