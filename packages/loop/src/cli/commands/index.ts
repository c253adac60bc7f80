/** The commands, in the order in which `descent --help` lists them: the order of the circle. */
import type { Command } from 'commander'
import { addEvaluate } from './evaluate.ts'
import { addImport } from './import.ts'
import { addInit } from './init.ts'
import { addLabel } from './label.ts'
import { addLabels } from './labels.ts'
import { addSnapshot } from './snapshot.ts'
import { addStatus } from './status.ts'

export const commands: readonly ((program: Command) => void)[] = [
  addInit,
  addImport,
  addStatus,
  addLabel,
  addLabels,
  addSnapshot,
  addEvaluate,
]
