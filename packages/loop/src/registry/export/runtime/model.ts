/** An exported model, wherever it runs: its program, its features and its answers. Inputs in, answers out. */
import { loadProgram } from 'descent'
import type { FeaturesState } from '../../../architecture/features.ts'
import { answersOf } from '../../answers.ts'
import type { OutputSignature } from '../../served-model.ts'

/** `settings.json` of an exported folder. */
export interface ExportedSettings {
  readonly project: string
  readonly version: number
  readonly features: FeaturesState
  readonly output: OutputSignature
  readonly temperature: number
}

/** As `Answer`, with probabilities by class. */
export type ExportedAnswer =
  | { readonly label: string; readonly probabilities: Readonly<Record<string, number>>; readonly uncertainty: number }
  | { readonly value: number }

export interface ExportedModel<Input> {
  predict(input: Input): Promise<ExportedAnswer>
}

/** @param encode one input as the program takes it */
export async function modelOf<Input>(
  { output, temperature }: ExportedSettings,
  bytes: Uint8Array,
  encode: (input: Input) => Promise<ArrayLike<number>>,
): Promise<ExportedModel<Input>> {
  const program = await loadProgram(bytes)
  return {
    async predict(input) {
      const [values] = program.run(await encode(input))
      const own = Float32Array.from(values as Float32Array)
      const [answer] = answersOf({ count: 1, width: own.length, values: own }, output, temperature)
      if (!answer || output.task === 'number') return { value: own[0] as number }
      const { label, probabilities, uncertainty } = answer as Extract<typeof answer, { label: string }>
      const named = output.classes.map((name, k) => [name, probabilities[k] as number] as const)
      return { label, probabilities: Object.fromEntries(named), uncertainty }
    },
  }
}
