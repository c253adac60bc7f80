/** What to say when a loss is no number any more. */
import type { NumberedBatch } from '../data/loader.ts'
import type { Tensor } from '../tensor.ts'

/** The loss became NaN or infinite. The network holds its last good weights. */
export class NonFiniteLossError extends Error {
  override name = 'NonFiniteLossError'
  /** From 1. */
  readonly epoch: number
  /** From 1. */
  readonly batch: number

  constructor(epoch: number, batch: number, message: string) {
    super(message)
    this.epoch = epoch
    this.batch = batch
  }
}

export function nonFiniteLoss(
  loss: number,
  epoch: number,
  batch: number,
  data: NumberedBatch,
  restored: boolean,
): NonFiniteLossError {
  const reason =
    firstNonFinite('input', data.x, data.numbers) ??
    firstNonFinite('target', data.y, data.numbers) ??
    'The data of this batch is finite: try a smaller learning rate, and look for log or division by zero.'
  const weights = restored
    ? 'The network has its last good weights.'
    : 'There are no good weights to go back to: they were not finite before the first step.'
  return new NonFiniteLossError(
    epoch,
    batch,
    `fit: the loss became ${loss} at epoch ${epoch}, batch ${batch}. ${reason} ${weights}`,
  )
}

function firstNonFinite(what: string, x: Tensor, numbers: Int32Array): string | null {
  const values = x.data()
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at < 0) return null
  const perExample = x.size / numbers.length
  return `The ${what} data holds ${values[at]}, in example ${numbers[Math.floor(at / perExample)]} of the dataset: clean the data first.`
}
