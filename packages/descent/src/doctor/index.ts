/** What was found on this machine, and what to do about what is missing. Loaded when asked for: it is asked for rarely. */
import type { Diagnosis } from './diagnosis.ts'

export type { Diagnosis } from './diagnosis.ts'

/**
 * Looks at the machine: processor, engine, koffi, which devices work and which is chosen; and, unless `measure` is
 * false, how fast it is (about 3 seconds): the most multiply-adds and bytes a second, and the product of two matrices
 * of 1024 × 1024 with its share of that. `String(diagnosis)` is a text for people, as `npm run doctor` prints it.
 *
 * @example
 * ```ts
 * import { doctor } from 'descent'
 * const { devices, advice } = await doctor({ measure: false })
 * console.log(devices.find(({ name }) => name === 'wasm')?.refusal) // → null
 * for (const line of advice) console.warn(line)
 * ```
 */
export async function doctor(options: { readonly measure?: boolean } = {}): Promise<Diagnosis> {
  const { examine } = await import('./examine.ts')
  return examine(options.measure ?? true)
}
