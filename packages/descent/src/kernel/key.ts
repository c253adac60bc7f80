/** A kernel's identity: equal kernels, over whichever buffers they run, share one piece of code. */
import type { Expr } from './expr.ts'
import { type Index, indexKey } from './index-expr.ts'
import type { Kernel } from './kernel.ts'

/** Equal exactly for kernels that compute the same in the same way (loop variables numbered alike). */
export function kernelKey(kernel: Kernel): string {
  const numbers = new Map<Expr, number>()
  const parts: string[] = []
  const write = (value: unknown): void => {
    if (Array.isArray(value)) {
      parts.push('[')
      for (const item of value) write(item)
      parts.push(']')
    } else if (typeof value === 'object' && value !== null) writeObject(value)
    else parts.push(`${Object.is(value, -0) ? '-0' : String(value)},`)
  }
  const writeObject = (value: object): void => {
    if ('terms' in value) {
      parts.push(indexKey(value as Index), ';')
      return
    }
    const shared = 'kind' in value && 'dtype' in value
    if (shared) {
      const number = numbers.get(value as Expr)
      if (number !== undefined) {
        parts.push(`#${number},`)
        return
      }
      numbers.set(value as Expr, numbers.size)
    }
    parts.push('{')
    for (const [name, field] of Object.entries(value)) {
      parts.push(name, ':')
      write(field)
    }
    parts.push('}')
  }
  write(kernel)
  return parts.join('')
}
