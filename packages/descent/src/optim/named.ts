/** Parameters as functions over many of them take them: alone, or with the names that error messages then use. */
import type { Tensor } from '../tensor.ts'

/** `net.parameters()` or `net.namedParameters()`. */
export type AnyParameters = Iterable<Tensor> | Iterable<readonly [name: string, parameter: Tensor]>

/** Each parameter once, with its name; without one it is told by number and shape. */
export function named(parameters: AnyParameters): [name: string, parameter: Tensor][] {
  const found = new Map<Tensor, string>()
  for (const item of parameters) {
    const [name, p] = isPair(item) ? item : [`parameter ${found.size} [${item.shape}]`, item]
    if (!found.has(p)) found.set(p, name)
  }
  return Array.from(found, ([p, name]) => [name, p])
}

function isPair(item: Tensor | readonly [string, Tensor]): item is readonly [string, Tensor] {
  return Array.isArray(item)
}
