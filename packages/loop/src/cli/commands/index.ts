/** The commands, in the order in which `descent --help` lists them: the order of the circle. */
import type { Command } from 'commander'
import { addImport } from './import.ts'
import { addInit } from './init.ts'

export const commands: readonly ((program: Command) => void)[] = [addInit, addImport]
