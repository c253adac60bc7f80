/** Runs cases on one device in one mode. */
import { type DeviceName, setDevice } from '../src/index.ts'
import { activationOperations } from './activations.ts'
import type { Cases } from './cases.ts'
import type { Verdict } from './compare.ts'
import { runLayer } from './layers.ts'
import { lossOperations } from './losses.ts'
import { type Mode, runOperation } from './operation.ts'
import { runOptimizer } from './optimizers.ts'
import { runScheduler } from './schedulers.ts'
import { tensorOperations } from './tensor.ts'
import { runTraining } from './training.ts'

export interface Outcome {
  readonly family: string
  readonly name: string
  /** What is wrong; empty where the case passes. */
  readonly failures: readonly string[]
}

export function runCases(cases: Cases, device: DeviceName, mode: Mode): Outcome[] {
  setDevice(device)
  const outcomes: Outcome[] = []
  const each = <C extends { readonly name: string }>(
    family: string,
    list: readonly C[] | undefined,
    run: (c: C) => Verdict[],
  ): void => {
    for (const c of list ?? []) outcomes.push({ family, name: c.name, failures: attempt(() => run(c)) })
  }
  each('tensor', cases.tensor, (c) => runOperation(c, tensorOperations, mode))
  each('activations', cases.activations, (c) => runOperation(c, activationOperations, mode))
  each('losses', cases.losses, (c) => runOperation(c, lossOperations, mode))
  each('layers', cases.layers, (c) => runLayer(c, mode))
  each('optimizers', cases.optimizers, (c) => runOptimizer(c, mode))
  each('schedulers', cases.schedulers, (c) => runScheduler(c))
  each('training', cases.training, (c) => runTraining(c, mode))
  return outcomes
}

function attempt(run: () => Verdict[]): string[] {
  try {
    return run().filter((verdict) => verdict !== null)
  } catch (error) {
    return [error instanceof Error ? `${error.name}: ${error.message}` : String(error)]
  }
}
