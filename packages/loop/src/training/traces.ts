/**
 * Weights at a few moments of a training, kept beside the final ones: with them it can be told which examples moved a
 * prediction (lineage/influence.ts). Large networks keep none.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type nn, saveSafetensors } from 'descent'

const tracesName = 'traces'
/** Together with the final weights there are so many. */
const MOMENTS = 3
const LARGEST = 32 * 1024 * 1024

/** The epochs after which weights are kept: thirds of the way; the end is the model itself. */
export function traceEpochs(epochs: number): number[] {
  const all = Array.from({ length: MOMENTS - 1 }, (_, i) => Math.round(((i + 1) * epochs) / MOMENTS))
  return [...new Set(all)].filter((epoch) => epoch >= 1 && epoch < epochs)
}

export function tracePath(folder: string, epoch: number): string {
  return join(folder, tracesName, `epoch-${epoch}.safetensors`)
}

export async function saveTrace(folder: string, epoch: number, net: nn.Module): Promise<void> {
  const state = net.stateDict()
  const bytes = Object.values(state).reduce((sum, tensor) => sum + 4 * tensor.size, 0)
  if (bytes > LARGEST) return
  await mkdir(join(folder, tracesName), { recursive: true })
  await saveSafetensors(tracePath(folder, epoch), state)
}
