/** What to say when a loss is no number any more. */
import type { Batch } from '../data/dataset.ts'
import type { Tensor } from '../tensor.ts'
import { NonFiniteLossError } from './non-finite.ts'

/** `broken`: the names of parameters that are not finite themselves. */
export function nonFiniteLoss(
  loss: number,
  epoch: number,
  batch: number,
  { x, y, numbers }: Batch & { readonly numbers?: Int32Array },
  broken: readonly string[],
  restored: boolean,
): NonFiniteLossError {
  const targets = Array.isArray(y) ? (y as readonly Tensor[]) : [y]
  const gradient =
    broken.length > 0
      ? `The gradient of ${broken.slice(0, 3).join(', ')}${broken.length > 3 ? ', …' : ''} was not finite: `
      : ''
  const reason =
    firstNonFinite('input', x, numbers) ??
    targets.map((target) => firstNonFinite('target', target, numbers)).find((found) => found !== null) ??
    `The data of this batch is finite${gradient ? '. ' : ': '}${gradient}try a smaller learning rate, clipNorm, and look for log, a root or a division of zero.`
  const weights = restored
    ? 'The network has its last good weights.'
    : 'There are no good weights to go back to: they were not finite before the first step.'
  return new NonFiniteLossError(
    epoch,
    batch,
    `fit: the loss became ${loss} at epoch ${epoch}, batch ${batch}. ${reason} ${weights}`,
  )
}

function firstNonFinite(what: string, x: Tensor, numbers: Int32Array | undefined): string | null {
  const values = x.data()
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return null
  const row = Math.floor(at / (x.size / (x.shape[0] ?? 1)))
  const where = numbers ? `in example ${numbers[row]} of the dataset` : `in example ${row} of the batch`
  return `The ${what} data holds ${values[at]}, ${where}: clean the data first.`
}
