/**
 * Where a plan's kernels find their buffers: for each launch a table of byte addresses (see target.ts), all tables in one
 * block of words, as wide as the machine's addresses. Some words never change; others hold a place in the device's workspace, or the address of an argument,
 * and are written anew when those have moved.
 *
 * The workspace holds, one after the other: the arena, scratch memory that the threads of a launch share, and a copy of
 * each argument that does not live in the device's memory itself.
 */
import type { Launch, Plan } from '../../kernel/kernel.ts'
import { moves, startOf, turnsOf } from '../../kernel/turns.ts'
import type { EmittedKernel } from './target.ts'

export interface Argument {
  readonly position: number
  readonly reads: boolean
  readonly writes: boolean
  readonly resident: boolean
  /** Where its copy lies in the workspace. */
  readonly offset: number
  /** The words that hold its address, or that of a byte further on. */
  readonly words: readonly { readonly word: number; readonly offset: number }[]
}

export interface BindLayout {
  /** With everything in it that never changes. */
  readonly words: readonly number[]
  /** For each launch, in the order of `turnsOf`, the word at which its table begins. */
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
  const turns = turnsOf(plan)
  const starts: number[] = []
  const tableOf = new Map<Launch, number>()
  const uses: { word: number; offset: number }[][] = plan.buffers.map(() => [])
  const shared: { word: number; offset: number }[] = []
  const words: number[] = []
  let sharedBytes = 0
  /** Where in shared memory the launches of a loop, or of a step outside of loops, have theirs: it stays theirs while the loop runs. */
  const sharedAt = new Map<Launch, number>()
  const ofLoop = new Map(
    (plan.loops ?? []).flatMap((loop) =>
      plan.steps.slice(loop.first, loop.first + loop.length).map((step) => [step, loop]),
    ),
  )
  let before: unknown
  let offset = 0
  for (const step of plan.steps) {
    const together = ofLoop.get(step) ?? step
    if (together !== before) offset = 0
    before = together
    for (const launch of step) {
      sharedAt.set(launch, offset)
      const bytes = kernelOf(launch).sharedBytes
      if (bytes > 0) offset += roundUp(bytes, ALIGNMENT) + gap
    }
    sharedBytes = Math.max(sharedBytes, offset)
  }
  for (const { step, iteration } of turns) {
    for (const launch of step) {
      const known = tableOf.get(launch)
      starts.push(known ?? words.length)
      if (known !== undefined) continue
      let word = words.length
      if (!moves(launch)) tableOf.set(launch, word)
      const kernel = kernelOf(launch)
      for (let i = 0; i < roundUp(launch.buffers.length + 3, 4); i++) words.push(0)
      for (const [i, buffer] of launch.buffers.entries()) {
        uses[buffer]?.push({ word: word++, offset: 4 * startOf(launch.parts?.[i], iteration) })
      }
      if (launch.size !== null) words[word++] = launch.size
      if (kernel.sharedBytes > 0) shared.push({ word: word++, offset: sharedAt.get(launch) as number })
      if (kernel.tables) words[word] = tables[launch.kernel] as number
    }
  }

  const sharedStart = roundUp(plan.arenaBytes, ALIGNMENT) + gap
  const relative = shared.map(({ word, offset }) => ({ word, offset: sharedStart + offset }))
  const args: Argument[] = []
  let bytes = sharedStart + sharedBytes + gap
  plan.buffers.forEach(({ place, length: elements }, buffer) => {
    const own = uses[buffer] as { word: number; offset: number }[]
    switch (place.kind) {
      case 'arena':
        for (const { word, offset } of own) relative.push({ word, offset: place.offset + offset })
        return
      case 'constant': {
        const address = constant(place.values)
        for (const { word, offset } of own) words[word] = address + offset
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
