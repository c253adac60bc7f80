/** What every command needs: the project that was asked for, progress on the terminal, and Ctrl-C as a signal. */
import type { Command } from 'commander'
import type { Work } from '../progress.ts'
import { openProject, type Project } from '../project/project.ts'
import { clearProgress, progressLine } from './terminal.ts'

/** Opens the project, runs the command on it, and closes it whatever happens. */
export async function withProject(
  command: Command,
  run: (project: Project, work: Work) => Promise<void>,
): Promise<void> {
  const project = await openProject(command.optsWithGlobals().project as string)
  const controller = new AbortController()
  const stop = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
    clearProgress()
    console.error('Stopping… (Ctrl-C again ends at once; what was reported as done is kept either way)')
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    await run(project, { onProgress: progressLine, signal: controller.signal })
  } finally {
    clearProgress()
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    await project.close()
  }
}
