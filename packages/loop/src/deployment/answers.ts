/**
 * Answers as JSON, written by hand because it is done for every request: the client's form, with probabilities by class, and the
 * log's, with probabilities in the order of the classes. Probabilities have six decimals in both.
 */
import type { Answer, OutputSignature } from '../registry/served-model.ts'

/** An answer with its id, as both texts. */
export interface WrittenAnswer {
  /** `"label":"7","probabilities":{…},"uncertainty":0.03`: without braces, so that more can stand before and after. */
  readonly fields: string
  /** `{"label":"7","probabilities":[…]}` */
  readonly log: string
}

export class AnswerWriter {
  /** `"class":` of each class. */
  readonly #keys: readonly string[]

  constructor(output: OutputSignature) {
    this.#keys = output.task === 'class' ? output.classes.map((name) => `${JSON.stringify(name)}:`) : []
  }

  write(answer: Answer): WrittenAnswer {
    if ('value' in answer) {
      const value = JSON.stringify(answer.value)
      return {
        fields: `"value":${value},"uncertainty":${JSON.stringify(answer.uncertainty)}`,
        log: `{"value":${value}}`,
      }
    }
    let [named, plain] = ['', '']
    for (let i = 0; i < this.#keys.length; i++) {
      const text = String(rounded(answer.probabilities[i] as number))
      const comma = i === 0 ? '' : ','
      named += comma + this.#keys[i] + text
      plain += comma + text
    }
    const label = JSON.stringify(answer.label)
    return {
      fields: `"label":${label},"probabilities":{${named}},"uncertainty":${rounded(answer.uncertainty)}`,
      log: `{"label":${label},"probabilities":[${plain}]}`,
    }
  }
}

/** Six decimals. */
export function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
