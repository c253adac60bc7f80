/** What each digit really is, so that the true labels can be played back where a person would be asked. */
import { type Project, readExample } from '@descent/loop'
import type { Digit } from './digits.ts'

export class Truth {
  readonly #labels = new Map<string, string>()

  constructor(digits: readonly Digit[]) {
    this.add(digits)
  }

  add(digits: readonly Digit[]): void {
    for (const { pixels, label } of digits) this.#labels.set(keyOf(pixels), label)
  }

  /** The true label of an example of the project. */
  async of(project: Project, example: number): Promise<string> {
    const { content } = await readExample(project.store, example)
    const label = content.kind === 'image' ? this.#labels.get(keyOf(content.bytes)) : undefined
    if (label === undefined) throw new Error(`Nobody knows what example ${example} is.`)
    return label
  }
}

const keyOf = (pixels: Uint8Array) => Buffer.from(pixels).toString('latin1')
