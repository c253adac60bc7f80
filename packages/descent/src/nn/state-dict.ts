/** State dicts: the tensors of a network or an optimizer by name, and how they are checked before they are taken over. */
import { sameShape } from '../dtype.ts'
import type { Tensor } from '../tensor.ts'

/** Parameters and buffers by name. */
export type StateDict = Readonly<Record<string, Tensor>>

/** A state dict of something else than the module or optimizer. */
export class StateDictError extends Error {
  override name = 'StateDictError'
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
  readonly mismatched: readonly string[]

  constructor(missing: readonly string[], unexpected: readonly string[], mismatched: readonly string[]) {
    const parts = [
      missing.length > 0 && `missing: ${listed(missing)}`,
      unexpected.length > 0 && `unexpected: ${listed(unexpected)}`,
      mismatched.length > 0 && listed(mismatched, '; '),
    ].filter((part) => part !== false)
    super(`loadStateDict: the state does not fit; nothing was changed. ${parts.join('; ')}.`)
    this.missing = missing
    this.unexpected = unexpected
    this.mismatched = mismatched
  }
}

const SHOWN = 12

/** The first names of a list that may be long. */
function listed(names: readonly string[], separator = ', '): string {
  const shown = names.slice(0, SHOWN).join(separator)
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown
}

export function loadInto(own: ReadonlyMap<string, Tensor>, state: StateDict, strict: boolean): void {
  const missing = [...own.keys()].filter((name) => !Object.hasOwn(state, name))
  // PyTorch counts batches for a momentum of None, which Descent does not have.
  const counted = (name: string) => name === 'num_batches_tracked' || name.endsWith('.num_batches_tracked')
  const unexpected = Object.keys(state).filter((name) => !own.has(name) && !counted(name))
  const mismatched: string[] = []
  const copies: [Tensor, Tensor][] = []
  for (const [name, target] of own) {
    if (!Object.hasOwn(state, name)) continue
    const source = state[name] as Tensor
    if (!sameShape(source.shape, target.shape)) {
      mismatched.push(`${name} is [${source.shape}] instead of [${target.shape}]`)
    } else copies.push([target, source])
  }
  if (mismatched.length > 0 || (strict && missing.length + unexpected.length > 0)) {
    throw new StateDictError(missing, unexpected, mismatched)
  }
  for (const [target, source] of copies) target.copy_(source)
}
