/** Whether a network takes what the features give, and gives what the task needs. */
import { type data, defaultGenerator, type nn, noGrad, tensor } from 'descent'
import type { NetworkInput } from './input.ts'

/** Null, or what is wrong, to go on after 'the network'. State and random numbers of the network stay. */
export function outputFault(
  net: nn.Module,
  { outputs, task }: Pick<NetworkInput, 'outputs' | 'task'>,
  { shape, values }: data.RawArray,
): string | null {
  const before = net.training
  const { draws } = defaultGenerator()
  const drawn = draws.clone()
  net.eval()
  try {
    const given = noGrad(() => net.forward(tensor(values, { shape }))).shape
    if (given.length === 2 && given[0] === shape[0] && given[1] === outputs) return null
    const meaning = task === 'class' ? `one for each of the ${outputs} classes` : 'one number an example'
    return `gives [${given.join(', ')}] for ${shape[0]} examples, and must give [${shape[0]}, ${outputs}]: ${meaning}.`
  } catch (error) {
    return `cannot take a batch [${shape.join(', ')}]: ${(error as Error).message}`
  } finally {
    net.train(before)
    draws.copy_(drawn)
  }
}
