/** The commands, in the order in which `descent --help` lists them: the order of the circle. */
import type { Command } from 'commander'
import { addInit } from './init.ts'
import { addSnapshot } from './snapshot.ts'

export const commands: readonly ((program: Command) => void)[] = [addInit, addSnapshot]
