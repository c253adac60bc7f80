/** A loss that is no number any more. */

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
