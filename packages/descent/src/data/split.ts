/** Cutting numbered examples into parts, at random, in the shares that were asked for, within each class where wanted. */

export interface SplitOptions {
  /** Decides who goes where. Default 0. */
  readonly seed?: number
}

/**
 * The numbers of `order` in parts: shares that add up to 1, or counts that add up to all of them. With `classes` (one
 * a number) every class is cut in these shares by itself. What rounding leaves goes to the first parts.
 */
export function splitNumbers(
  order: Int32Array,
  parts: readonly number[],
  classes?: { readonly [number: number]: number },
): Int32Array[] {
  const total = parts.reduce((sum, part) => sum + part, 0)
  const shares = Math.abs(total - 1) < 1e-9 && parts.every((part) => part >= 0 && part <= 1)
  const counts = total === order.length && parts.every((part) => Number.isInteger(part) && part >= 0)
  if (!shares && !counts) {
    throw new RangeError(
      `A split takes shares that add up to 1, or counts that add up to ${order.length}; [${parts.join(', ')}] add up to ${total}.`,
    )
  }
  const fractions = shares ? parts : parts.map((part) => part / order.length)
  if (!classes) return cut(order, shares ? countsOf(order.length, fractions) : parts)
  const groups = new Map<number, number[]>()
  for (const number of order) {
    const key = classes[number] as number
    const group = groups.get(key)
    if (group) group.push(number)
    else groups.set(key, [number])
  }
  const joined: number[][] = parts.map(() => [])
  for (const group of groups.values()) {
    for (const [p, part] of cut(Int32Array.from(group), countsOf(group.length, fractions)).entries())
      for (const number of part) joined[p]?.push(number)
  }
  // Back into the random order: classes must not stand in blocks.
  const place = new Map(Array.from(order, (number, i) => [number, i]))
  return joined.map((part) => Int32Array.from(part.sort((a, b) => (place.get(a) as number) - (place.get(b) as number))))
}

function countsOf(length: number, fractions: readonly number[]): number[] {
  const counts = fractions.map((fraction) => Math.floor(fraction * length + 1e-9))
  const left = length - counts.reduce((sum, count) => sum + count, 0)
  for (let i = 0; i < left; i++) counts[i % counts.length] = (counts[i % counts.length] as number) + 1
  return counts
}

function cut(order: Int32Array, counts: readonly number[]): Int32Array[] {
  let at = 0
  return counts.map((count) => {
    at += count
    return order.slice(at - count, at)
  })
}
