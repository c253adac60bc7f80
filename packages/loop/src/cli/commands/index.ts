/** The commands, in the order in which `descent --help` lists them: the order of the circle. */
import type { Command } from 'commander'
import { addAlias } from './alias.ts'
import { addArchitecture } from './architecture.ts'
import { addBaselines } from './baselines.ts'
import { addCompare } from './compare.ts'
import { addDoctor } from './doctor.ts'
import { addEvaluate } from './evaluate.ts'
import { addExport } from './export.ts'
import { addImport } from './import.ts'
import { addInit } from './init.ts'
import { addLabel } from './label.ts'
import { addLabels } from './labels.ts'
import { addLoop } from './loop.ts'
import { addMonitor } from './monitor.ts'
import { addPredict } from './predict.ts'
import { addPromote } from './promote.ts'
import { addQueue } from './queue.ts'
import { addRegister } from './register.ts'
import { addRuns } from './runs.ts'
import { addServe } from './serve.ts'
import { addSnapshot } from './snapshot.ts'
import { addStatus } from './status.ts'
import { addSweep } from './sweep.ts'
import { addToken } from './token.ts'
import { addTrain } from './train.ts'
import { addVersions } from './versions.ts'
import { addWhy } from './why.ts'

export const commands: readonly ((program: Command) => void)[] = [
  addInit,
  addImport,
  addStatus,
  addLabel,
  addLabels,
  addSnapshot,
  addArchitecture,
  addTrain,
  addSweep,
  addBaselines,
  addRuns,
  addEvaluate,
  addCompare,
  addRegister,
  addVersions,
  addAlias,
  addPromote,
  addServe,
  addPredict,
  addToken,
  addExport,
  addMonitor,
  addQueue,
  addLoop,
  addWhy,
  addDoctor,
]
