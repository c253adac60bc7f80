/**
 * The operands that wait on the stack while a function is written: not yet computed where that can wait, so that sums
 * become addresses, comparisons become jumps, and constants become operands in memory.
 */
import { conditions, none } from './instruction.ts'

export type Entry =
  /** A register that nobody writes any more, or (`local`) one that may be written: then its value is saved first. */
  | { readonly kind: 'register'; readonly register: number; readonly local: boolean }
  | { readonly kind: 'number'; readonly value: number }
  /** base + index · scale + disp; base may be none. */
  | {
      readonly kind: 'sum'
      readonly base: number
      readonly index: number
      readonly scale: 1 | 2 | 4 | 8
      readonly disp: number
    }
  /** 1 where a `cc` (b or value), else 0. */
  | { readonly kind: 'test'; readonly cc: number; readonly a: number; readonly b: number; readonly value: number }
  /** A constant vector: one word for all lanes, or a word for each. */
  | { readonly kind: 'words'; readonly words: Uint32Array }

export function reads(entry: Entry, register: number): boolean {
  switch (entry.kind) {
    case 'register':
      return entry.local && entry.register === register
    case 'sum':
      return entry.base === register || entry.index === register
    case 'test':
      return entry.a === register || entry.b === register
    case 'number':
    case 'words':
      return false
  }
}

type Sum = Extract<Entry, { kind: 'sum' }>

export function sumOf(entry: Entry): Sum | null {
  if (entry.kind === 'sum') return entry
  if (entry.kind === 'register') return { kind: 'sum', base: entry.register, index: none, scale: 1, disp: 0 }
  return entry.kind === 'number' ? { kind: 'sum', base: none, index: none, scale: 1, disp: entry.value } : null
}

/** a + b in one address; null where that needs more registers than an address has. */
export function joined(a: Entry, b: Entry): Sum | null {
  const [x, y] = [sumOf(a), sumOf(b)]
  if (!x || !y) return null
  const disp = x.disp + y.disp
  if (disp !== (disp | 0)) return null
  const parts: { register: number; scale: 1 | 2 | 4 | 8 }[] = []
  for (const s of [x, y]) {
    if (s.base !== none) parts.push({ register: s.base, scale: 1 })
    if (s.index !== none) parts.push({ register: s.index, scale: s.scale })
  }
  if (parts.length > 2) return null
  const [p, q] = parts
  if (!p) return { kind: 'sum', base: none, index: none, scale: 1, disp }
  if (!q) {
    if (p.scale === 1) return { kind: 'sum', base: p.register, index: none, scale: 1, disp }
    return { kind: 'sum', base: none, index: p.register, scale: p.scale, disp }
  }
  if (p.scale === 1) return { kind: 'sum', base: p.register, index: q.register, scale: q.scale, disp }
  if (q.scale === 1) return { kind: 'sum', base: q.register, index: p.register, scale: p.scale, disp }
  return null
}

/** entry · by in one address; null where it is none. */
export function multiplied(entry: Entry, by: number): Entry | null {
  if (entry.kind === 'number') return { kind: 'number', value: entry.value * by }
  if (by === 1) return entry
  if (by !== 2 && by !== 4 && by !== 8) return null
  const sum = sumOf(entry)
  if (!sum || (sum.base !== none && sum.index !== none)) return null
  const disp = sum.disp * by
  if (disp !== (disp | 0)) return null
  if (sum.base !== none) return { kind: 'sum', base: none, index: sum.base, scale: by, disp }
  const scale = sum.scale * by
  if (scale !== 2 && scale !== 4 && scale !== 8) return null
  return { kind: 'sum', base: none, index: sum.index, scale, disp }
}

const swapped: ReadonlyMap<number, number> = new Map([
  [conditions.eq, conditions.eq],
  [conditions.ne, conditions.ne],
  [conditions.lt_s, conditions.gt_s],
  [conditions.gt_s, conditions.lt_s],
  [conditions.le_s, conditions.ge_s],
  [conditions.ge_s, conditions.le_s],
  [conditions.lt_u, conditions.gt_u],
  [conditions.gt_u, conditions.lt_u],
  [conditions.le_u, conditions.ge_u],
  [conditions.ge_u, conditions.le_u],
])
/** The condition with its sides exchanged. */
export function exchanged(cc: number): number {
  return swapped.get(cc) as number
}
