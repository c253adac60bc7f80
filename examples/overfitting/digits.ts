/** Few digits to learn from, and others that decide when to stop and that measure. */
import { data } from 'descent'
import { readDigits } from '../mnist/files.ts'

export interface FewDigits {
  /** To learn from. */
  readonly train: data.Subset
  /** Looked at after each epoch: it says when to stop. */
  readonly validation: data.Dataset
  /** Looked at once, at the end. */
  readonly test: data.Dataset
}

/** The first digits of MNIST, in the order of its files, which is a random one. */
export async function fewDigits(sizes: { train: number; validation: number; test: number }): Promise<FewDigits> {
  const [learn, others] = await Promise.all([readDigits('train'), readDigits('t10k')])
  const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)
  return {
    train: new data.Subset(learn.dataset, range(0, sizes.train)),
    validation: new data.Subset(learn.dataset, range(sizes.train, sizes.validation)),
    test: new data.Subset(others.dataset, range(0, sizes.test)),
  }
}

/** The same digits, each a little changed in every epoch. */
export class Augmented extends data.Subset {
  readonly #change: data.Augmentation

  constructor(digits: data.Subset, change: data.Augmentation) {
    super(digits.dataset, digits.numbers)
    this.#change = change
  }

  override get transform(): data.Augmentation {
    return this.#change
  }
}
