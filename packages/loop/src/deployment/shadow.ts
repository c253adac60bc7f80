/**
 * A challenger answers what the champion has answered, unseen, whenever the champion has nothing to do. Where too much waits, inputs
 * are left out and counted: a challenger never makes anyone wait for longer than one of its batches.
 */
import type { Answer, ServedModel } from '../registry/served-model.ts'
import type { Content } from '../store/content.ts'

/** An input that was answered, and by which prediction. */
export interface Shadowed {
  readonly content: Content
  readonly id: string
  readonly champion: Answer
  /** Whether the champion's prediction is in the random slice. */
  readonly random: boolean
  readonly token: string | null
}

export type ShadowListener = (item: Shadowed, answer: Answer, model: ServedModel, milliseconds: number) => void

const queue = 1024
const batch = 16

export class Shadow {
  model: ServedModel | null = null
  /** Hears of each answer. */
  onAnswer: ShadowListener = () => {}
  onFailure: (inputs: number) => void = () => {}
  readonly #championIsIdle: () => boolean
  #waiting: Shadowed[] = []
  #running = false

  constructor(championIsIdle: () => boolean) {
    this.#championIsIdle = championIsIdle
  }

  get idle(): boolean {
    return !this.#running
  }

  /** Whether there is room for it. */
  offer(item: Shadowed): boolean {
    if (this.#waiting.length >= queue) return false
    this.#waiting.push(item)
    if (!this.#running) {
      this.#running = true
      setImmediate(this.#next)
    }
    return true
  }

  readonly #next = (): void => {
    if (this.model === null) this.#waiting = []
    if (this.#waiting.length === 0) {
      this.#running = false
    } else if (this.#championIsIdle()) {
      void this.#run(this.#waiting.splice(0, batch), this.model as ServedModel).then(() => setImmediate(this.#next))
    } else setTimeout(this.#next, 1)
  }

  async #run(items: readonly Shadowed[], model: ServedModel): Promise<void> {
    const began = performance.now()
    try {
      const answers = await model.predict(items.map(({ content }) => content))
      const each = (performance.now() - began) / items.length
      for (const [i, item] of items.entries()) this.onAnswer(item, answers[i] as Answer, model, each)
    } catch {
      this.onFailure(items.length)
    }
  }
}
