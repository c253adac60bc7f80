/**
 * One block of memory for all intermediate values: each buffer gets an offset, and buffers that are needed at
 * different times share bytes. Largest first, each at the lowest place that is free for its whole life.
 */
export interface Lifetime {
  readonly bytes: number
  /** The first and the last step that uses it. */
  readonly first: number
  readonly last: number
}

/** Cache lines are 64 bytes; kernels may read up to 16 bytes on either side of a buffer. */
const ALIGNMENT = 64
const SLACK = 16

interface Placed {
  readonly offset: number
  readonly end: number
  readonly life: Lifetime
}

export function planMemory(buffers: readonly Lifetime[]): { offsets: number[]; bytes: number } {
  const offsets = new Array<number>(buffers.length).fill(0)
  const placed: Placed[] = []
  const order = buffers.map((_, i) => i).sort((a, b) => (buffers[b] as Lifetime).bytes - (buffers[a] as Lifetime).bytes)
  let total = 0
  for (const i of order) {
    const life = buffers[i] as Lifetime
    const bytes = roundUp(life.bytes + SLACK)
    let offset = ALIGNMENT
    for (let p = 0; p < placed.length; p++) {
      const other = placed[p] as Placed
      if (other.end <= offset || offset + bytes <= other.offset) continue
      if (other.life.first <= life.last && life.first <= other.life.last) offset = other.end
    }
    offsets[i] = offset
    insertSorted(placed, { offset, end: offset + bytes, life })
    total = Math.max(total, offset + bytes)
  }
  return { offsets, bytes: total }
}

function insertSorted(list: Placed[], item: Placed): void {
  let at = list.length
  while (at > 0 && (list[at - 1] as Placed).offset > item.offset) at--
  list.splice(at, 0, item)
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
