/**
 * Whether a name on a page exists in the library: `nn.Linear`, `crossEntropy`, and methods of what is usually called so:
 * `x.add(b)` (a tensor), `net.parameters()` (a module), `optimizer.step()`.
 */
import * as descent from '../packages/descent/src/index.ts'

const objects: Readonly<Record<string, object>> = {
  x: descent.Tensor.prototype,
  a: descent.Tensor.prototype,
  net: descent.nn.Module.prototype,
  optimizer: descent.optim.Optimizer.prototype,
}
/** Properties that stand on the instance, or are abstract. */
const properties = new Set(['x.shape', 'x.dtype', 'net.forward', 'optimizer.step'])

export function exists(code: string): boolean {
  const path = /^[\w.]+/.exec(code)?.[0] ?? ''
  if (properties.has(path)) return true
  const [first = '', ...rest] = path.split('.')
  const start: unknown = rest.length > 0 && first in objects ? objects[first] : descent
  const steps = start === descent ? [first, ...rest] : rest
  let at: unknown = start
  for (const [i, step] of steps.entries()) {
    if (at === null || (typeof at !== 'object' && typeof at !== 'function') || !(step in at)) return false
    // A getter of a prototype needs an instance.
    if (i < steps.length - 1) at = Reflect.get(at, step)
  }
  return true
}
