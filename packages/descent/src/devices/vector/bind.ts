/**
 * Where a plan's kernels find their buffers: for each launch a table of byte addresses (see target.ts), all tables in one
 * block of words, as wide as the machine's addresses. Some words never change; others hold a place in the device's workspace, or the address of an argument,
 * and are written anew when those have moved.
 *
 * The workspace holds, one after the other: the arena, scratch memory that the threads of a launch share, and a copy of
 * each argument that does not live in the device's memory itself.
 */
import type { Launch, Plan } from '../../kernel/kernel.ts'
import type { EmittedKernel } from './target.ts'

export interface Argument {
  readonly position: number
  readonly reads: boolean
  readonly writes: boolean
  readonly resident: boolean
  /** Where its copy lies in the workspace. */
  readonly offset: number
  /** The words that hold its address. */
  readonly words: readonly number[]
}

export interface BindLayout {
  /** With everything in it that never changes. */
  readonly words: readonly number[]
  /** For each launch, in order, the word at which its table begins. */
  readonly starts: readonly number[]
  /** Words that hold the address of a byte of the workspace. */
  readonly relative: readonly { readonly word: number; readonly offset: number }[]
  readonly arguments: readonly Argument[]
  readonly workspaceBytes: number
}

/** What a machine's workspace must have. */
export interface WorkspaceRules {
  /** Bytes between the parts of the workspace that may be read, for vectors that reach beyond the end of what they need. */
  readonly gap: number
  /** Whether arguments may live elsewhere than in the device's memory, and are copied around a run. */
  readonly copiesArguments: boolean
}

const ALIGNMENT = 64
const roundUp = (bytes: number, to: number): number => Math.ceil(bytes / to) * to

/** `tables` and `constant` are the addresses of a kernel's tables and of a constant buffer. */
export function layoutBinds(
  plan: Plan,
  kernels: readonly EmittedKernel[],
  tables: readonly number[],
  constant: (values: Int32Array | Float32Array) => number,
  { gap, copiesArguments }: WorkspaceRules = { gap: 64, copiesArguments: true },
): BindLayout {
  const kernelOf = (launch: Launch): EmittedKernel => kernels[launch.kernel] as EmittedKernel
  const starts: number[] = []
  let length = 0
  for (const launch of plan.steps.flat()) {
    starts.push(length)
    length += roundUp(launch.buffers.length + 3, 4)
  }
  const words = new Array<number>(length).fill(0)
  const uses: number[][] = plan.buffers.map(() => [])
  const shared: { word: number; offset: number }[] = []
  let sharedBytes = 0
  let next = 0
  for (const step of plan.steps) {
    let offset = 0
    for (const launch of step) {
      let word = starts[next++] as number
      const kernel = kernelOf(launch)
      for (const buffer of launch.buffers) uses[buffer]?.push(word++)
      if (launch.size !== null) words[word++] = launch.size
      if (kernel.sharedBytes > 0) {
        shared.push({ word: word++, offset })
        offset += roundUp(kernel.sharedBytes, ALIGNMENT) + gap
      }
      if (kernel.tables) words[word] = tables[launch.kernel] as number
    }
    sharedBytes = Math.max(sharedBytes, offset)
  }

  const sharedStart = roundUp(plan.arenaBytes, ALIGNMENT) + gap
  const relative = shared.map(({ word, offset }) => ({ word, offset: sharedStart + offset }))
  const args: Argument[] = []
  let bytes = sharedStart + sharedBytes + gap
  plan.buffers.forEach(({ place, length: elements }, buffer) => {
    const own = uses[buffer] as number[]
    switch (place.kind) {
      case 'arena':
        for (const word of own) relative.push({ word, offset: place.offset })
        return
      case 'constant': {
        const address = constant(place.values)
        for (const word of own) words[word] = address
        return
      }
      case 'argument': {
        const { position, access, resident } = place
        args.push({
          position,
          resident,
          words: own,
          offset: bytes,
          reads: access !== 'write',
          writes: access !== 'read',
        })
        if (copiesArguments && !resident) bytes += roundUp(elements * 4, ALIGNMENT) + gap
      }
    }
  })
  return { words, starts, relative, arguments: args, workspaceBytes: bytes + gap }
}
