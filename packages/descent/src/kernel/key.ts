/** A kernel's identity: equal kernels, over whichever buffers they run, share one piece of code. */
import type { Expr } from './expr.ts'
import { type Index, indexKey } from './index-expr.ts'
import type { Kernel } from './kernel.ts'

/**
 * Numbers for kernels, from 0: equal ones have the same. Keys are written only for kernels that a glance at their
 * buffers does not tell apart.
 */
export class KernelNumbers {
  readonly kernels: Kernel[] = []
  readonly #numbers = new Map<Kernel, number>()
  readonly #keys = new Map<Kernel, string>()
  readonly #alike = new Map<string, Kernel[]>()

  numberOf(kernel: Kernel): number {
    let number = this.#numbers.get(kernel)
    if (number === undefined) {
      const glance = glanceOf(kernel)
      const alike = this.#alike.get(glance) ?? []
      const equal = alike.find((other) => this.#key(other) === this.#key(kernel))
      number = equal ? (this.#numbers.get(equal) as number) : this.kernels.push(kernel) - 1
      if (!equal) this.#alike.set(glance, [...alike, kernel])
      this.#numbers.set(kernel, number)
    }
    return number
  }

  #key(kernel: Kernel): string {
    let key = this.#keys.get(kernel)
    if (key === undefined) {
      key = kernelKey(kernel)
      this.#keys.set(kernel, key)
    }
    return key
  }
}

function glanceOf(kernel: Kernel): string {
  let glance: string = kernel.kind
  for (const { access, length } of kernel.buffers) glance += ` ${access} ${length}`
  return kernel.kind === 'loops' ? `${glance} ${kernel.stages.length}` : glance
}

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
