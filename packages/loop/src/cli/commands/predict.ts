/** `descent predict FILE…`: predictions for files, without a server. */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { Command } from 'commander'
import { type PredictReport, predictFiles } from '../../deployment/predict-files.ts'
import { withProject } from '../context.ts'
import { clearProgress, count, counted, paint } from '../terminal.ts'

export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('predict tables, images or texts in files; CSV comes out')
    .argument('<files...>', 'files, or folders of them')
    .option('--out <file>', 'where the CSV goes (default: to the terminal)')
    .option('--version <version>', 'a number or an alias', 'champion')
    .action((files: string[], { out, version }: { out?: string; version: string }, command: Command) =>
      withProject(command, async (project, work) => {
        const reference = /^\d+$/.test(version) ? Number(version) : version
        const run = (write: (text: string) => void | Promise<void>) =>
          predictFiles(project, files, { ...work, version: reference, write })
        const report = await (out === undefined ? run((text) => void process.stdout.write(text)) : toFile(out, run))
        clearProgress()
        say(report, out)
      }),
    )
}

/** The file is there whole or not at all. */
async function toFile(
  path: string,
  run: (write: (text: string) => Promise<void>) => Promise<PredictReport>,
): Promise<PredictReport> {
  const temporary = `${path}.partial`
  const stream = createWriteStream(temporary)
  try {
    await once(stream, 'open')
    const report = await run(async (text) => {
      if (!stream.write(text)) await once(stream, 'drain')
    })
    await new Promise<void>((resolve, reject) => {
      stream.once('error', reject)
      stream.end(() => resolve())
    })
    await rename(temporary, path)
    return report
  } catch (error) {
    stream.destroy()
    await rm(temporary, { force: true })
    throw error
  }
}

/** On standard error, so that the CSV can be piped on. */
function say({ version, predicted, failed, failures }: PredictReport, out: string | undefined): void {
  console.error(`Version ${version} predicted ${counted(predicted, 'input')}${out === undefined ? '' : `: ${out}`}.`)
  if (failed === 0) return
  console.error(paint('yellow', `${counted(failed, 'input')} could not be predicted; the column 'error' says why:`))
  for (const failure of failures) console.error(`  ${failure}`)
  if (failed > failures.length) console.error(`  … ${count(failed - failures.length)} more`)
  process.exitCode = 1
}
