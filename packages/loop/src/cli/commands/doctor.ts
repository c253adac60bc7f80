/** `descent doctor`: what computes on this machine, how fast, and what to do about what is missing. */
import type { Command } from 'commander'
import { doctor } from 'descent'

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what computes on this machine, how fast, and what to do about what is missing')
    .action(async () => {
      console.log(String(await doctor()))
      // Workers may still sleep.
      process.exit(0)
    })
}
