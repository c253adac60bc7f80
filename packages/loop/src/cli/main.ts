/**
 * The command `descent`. Commands parse their arguments, call one function of their box, and print; this file catches what
 * they throw: a mistake of the person is one sentence and code 1, a mistake of the program a stack and code 70, and Ctrl-C
 * asks the work to stop, twice ends it at once with code 130.
 */
import { Command } from 'commander'
import { UserError } from '../errors.ts'
import { StoppedError } from '../progress.ts'
import { commands } from './commands/index.ts'
import { clearProgress, paint } from './terminal.ts'

const program = new Command('descent')
  .description('The life of a model in one folder: from raw data to a network that someone can trust.')
  .option('-C, --project <dir>', 'the project: this folder, or the nearest one above it', '.')
  .showSuggestionAfterError()
  .showHelpAfterError('(descent --help lists the commands)')

for (const add of commands) add(program)

try {
  await program.parseAsync()
} catch (error) {
  clearProgress()
  if (error instanceof StoppedError) {
    console.error(error.message)
    process.exitCode = 130
  } else if (error instanceof UserError || isUserMistake(error)) {
    console.error(`${paint('red', 'Error:')} ${(error as Error).message}`)
    process.exitCode = 1
  } else {
    console.error(error)
    console.error('This is a mistake in Descent, not in your data. Nothing that was reported as done is lost.')
    process.exitCode = 70
  }
}

/** Errors of the library and of the system that are about files and data, and say enough by themselves. */
function isUserMistake(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (['FormatError', 'RowError'].includes(error.name)) return true
  return ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'ENOSPC', 'EPERM'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )
}
