/**
 * Golden predictions: a few test examples with the answers that a version gave when it was registered. They are asked again
 * whenever it is loaded: another machine, another version of the library or a damaged file must not answer differently.
 */
import { UserError } from '../errors.ts'
import { decodeContent, encodeContent } from '../store/content.ts'
import type { Example } from '../store/examples.ts'
import type { Answer, OutputSignature } from './served-model.ts'

export interface Golden {
  /** Probabilities may differ by so much; numbers by so much times the scale of the training labels. */
  readonly tolerance: number
  readonly examples: readonly GoldenExample[]
}

export interface GoldenExample {
  readonly id: string
  readonly media: string
  /** The content's bytes, in base64. */
  readonly body: string
  /** Probabilities in the order of the classes, or one number. */
  readonly expected: readonly number[]
}

/** How many examples are kept. */
export const goldenCount = 16
/** Devices add up in different orders: f32 differs in the sixth digit, after a softmax by less than this. */
const tolerance = 1e-4

export function makeGolden(examples: readonly Example[], answers: readonly Answer[]): Golden {
  return {
    tolerance,
    examples: examples.map(({ id, content }, i) => {
      const { media, body } = encodeContent(content)
      return { id, media, body: Buffer.from(body).toString('base64'), expected: numbersOf(answers[i] as Answer) }
    }),
  }
}

export function goldenContents({ examples }: Golden) {
  return examples.map(({ media, body }) => decodeContent({ media, body: Buffer.from(body, 'base64') }))
}

/**
 * @param scale of the training labels, where numbers are predicted
 * @throws {UserError} names the example, and what differs by how much
 */
export function checkGolden(
  { examples, tolerance }: Golden,
  answers: readonly Answer[],
  output: OutputSignature,
  { version, scale }: { readonly version: number; readonly scale: number },
): void {
  const allowed = output.task === 'class' ? tolerance : tolerance * scale
  for (const [i, { id, expected }] of examples.entries()) {
    const got = numbersOf(answers[i] as Answer)
    const wrong = expected.findIndex((value, k) => !(Math.abs(value - (got[k] ?? Number.NaN)) <= allowed))
    if (wrong < 0 && got.length === expected.length) continue
    const what = output.task === 'class' ? `the probability of ${output.classes[wrong]}` : 'the number'
    throw new UserError(
      `Version ${version} does not answer as it did when it was registered: for example ${id.slice(0, 12)} ${what} was ${show(expected[wrong])} and is ${show(got[wrong])}, more than ${show(allowed)} apart. It is not used; put its folder back from a copy, or register its run again.`,
    )
  }
}

function numbersOf(answer: Answer): readonly number[] {
  return 'label' in answer ? answer.probabilities : [answer.value]
}

const show = (value: number | undefined) => String(Number((value ?? Number.NaN).toPrecision(6)))
